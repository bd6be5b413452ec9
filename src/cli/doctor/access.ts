// SPDX-License-Identifier: Apache-2.0
// Whether the daemon may open a UIO device: the udev rule gives it to the daemon's own group.

import { type Finding, fail, ok } from './finding.ts';
import type { Machine } from './machine.ts';
import type { UioDevice } from './uio-devices.ts';

const group = 'rpmsgd';

/** `remote` is its name. */
export function checkAccess(machine: Machine, remote: string, { node }: UioDevice): Finding[] {
  const check = `${remote} access`;
  const path = `/dev/${node}`;
  const stat = machine.stat(path);
  const again = 'udevadm trigger --subsystem-match=uio';
  if (stat === undefined) return [fail(check, `${path} is not there`, again)];
  const id = machine.groupId(group);
  if (id === undefined) {
    return [fail(check, `there is no group ${group}`, 'systemd-sysusers rpmsgd.conf')];
  }
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  const how = `${path} has mode ${mode} and group ${stat.gid === id ? group : stat.gid}`;
  if (stat.gid === id && (stat.mode & 0o060) === 0o060) return [ok(check, how)];
  const rule = `the rule 60-rpmsgd.rules gives ${group} the devices whose names begin with rpmsg-; ${again}`;
  return [fail(check, `${how}, so that the daemon cannot open it`, rule)];
}
