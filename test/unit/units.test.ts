// SPDX-License-Identifier: Apache-2.0
// The units, the bus policy and the other files that systemd and its kin read.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { files } from '../../packaging/dev/installed-files.mjs';
import { loadConfig } from '../../src/config/index.ts';
import { ExitStatus } from '../../src/daemon/exit.ts';
import { adminGroup } from '../../src/dbus/objects/access.ts';
import { maxNameBytes } from '../../src/systemd/descriptor-store.ts';
import { defaultGroup } from '../../src/tty/terminals.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** Every value of a directive, in order. */
function values(unit: string, name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

/** What systemd-analyze gives a unit: 0 is best. */
function exposure(unit: string): number {
  const path = fileURLToPath(new URL(`systemd/${unit}`, root));
  const args = ['security', '--offline=true', '--no-pager', path];
  const output = execFileSync('systemd-analyze', args, { encoding: 'utf8', stdio: 'pipe' });
  return Number(/Overall exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
}

describe('rpmsgd.service', () => {
  const unit = read('systemd/rpmsgd.service');

  it('is hardened to an exposure of at most 0.6', () => {
    expect(exposure('rpmsgd.service')).toBeLessThanOrEqual(0.6);
  });

  it('is not restarted after what a restart cannot mend, and after nothing else', () => {
    expect(values(unit, 'Restart')).toEqual(['always']);
    const statuses = values(unit, 'RestartPreventExitStatus').join(' ').split(' ').map(Number);
    expect(statuses.sort()).toEqual([ExitStatus.unavailable, ExitStatus.config].sort());
  });

  it('comes back within 100 ms, ten times a second if need be', () => {
    const restartMs = Number(/^(\d+)ms$/.exec(values(unit, 'RestartSec')[0] ?? '')?.[1]);
    expect(restartMs).toBeLessThanOrEqual(100);
    const intervalS = Number(/^(\d+)s$/.exec(values(unit, 'StartLimitIntervalSec')[0] ?? '')?.[1]);
    expect(Number(values(unit, 'StartLimitBurst')[0]) / intervalS).toBeGreaterThanOrEqual(10);
  });

  it('keeps what lies in /run/rpmsg while it is stopped', () => {
    expect(values(unit, 'RuntimeDirectory')).toEqual(['rpmsg']);
    expect(values(unit, 'RuntimeDirectoryPreserve')).toEqual(['yes']);
  });

  it('keeps no more descriptors than the next daemon can be given with their names', () => {
    const kept = Number(values(unit, 'FileDescriptorStoreMax')[0]);
    expect(kept).toBeLessThanOrEqual(Number(values(unit, 'LimitNOFILE')[0]) / 2);
    // MAX_ARG_STRLEN of execve(2) is the longest variable of the environment, with its end.
    const variable = `LISTEN_FDNAMES=${`${'x'.repeat(maxNameBytes)}:`.repeat(kept)}`;
    expect(variable.length).toBeLessThanOrEqual(32 * 4096);
  });

  it('is what the bus activates, by a name that goes when it is disabled', () => {
    const [activated] = values(read('dbus/org.rpmsg.service'), 'SystemdService');
    expect(values(unit, 'Alias')).toEqual([activated]);
    expect(values(unit, 'BusName')).toEqual(values(read('dbus/org.rpmsg.service'), 'Name'));
  });

  it('opens with the example drop-in what realtime scheduling needs, and nothing else', () => {
    const dropIn = read('systemd/realtime.conf');
    expect(values(dropIn, 'RestrictRealtime')).toEqual(['no']);
    const without = (lines: string[]) => lines.filter((line) => line !== '').join(' ');
    const all = without(values(unit, 'SystemCallFilter'));
    expect(without(values(dropIn, 'SystemCallFilter'))).toBe(all.replace(' @resources', ''));
  });
});

describe('terminals', () => {
  const unit = read('systemd/rpmsgd.service');

  it('can be given to the group that the daemon gives them to, and the devices stay its own', () => {
    expect(values(unit, 'Group')).toEqual([defaultGroup]);
    expect(values(unit, 'SupplementaryGroups')).toEqual(['rpmsgd']);
  });

  it('can be given to another group with the example drop-in, which the log names', () => {
    const dropIn = read('systemd/tty-group.conf');
    expect(values(dropIn, 'SupplementaryGroups')).toEqual(['dialout']);
    expect(values(dropIn, 'PrivateUsers')).toEqual(['no']);
    const [, target] = files.plain.find(([source]) => source === 'systemd/tty-group.conf') ?? [];
    expect(read('src/tty/terminals.ts')).toContain(target);
  });
});

describe('rpmsg-simulator.service', () => {
  const unit = read('systemd/rpmsg-simulator.service');

  it('is hardened to an exposure of at most 0.6', () => {
    expect(exposure('rpmsg-simulator.service')).toBeLessThanOrEqual(0.6);
  });

  it('listens where its configuration for the daemon says', () => {
    const file = fileURLToPath(new URL('systemd/simulator.toml', root));
    const [remote] = loadConfig({ file }).remotes;
    const socket = /--socket (\S+)/.exec(values(unit, 'ExecStart')[0] ?? '')?.[1];
    expect(remote?.setup.platform).toEqual({ kind: 'sim', socket, core: 'cm40', soc: 'imx8qxp' });
    expect(socket).toBe(`/run/${values(unit, 'RuntimeDirectory')[0]}/soc.sock`);
  });

  it('takes the daemon with it by a drop-in of its own, and without one not at all', () => {
    expect(values(read('systemd/simulator.conf'), 'PartOf')).toEqual(['rpmsg-simulator.service']);
    expect(read('systemd/rpmsgd.service')).not.toContain('rpmsg-simulator');
  });
});

it('makes every user and group that the other files name', () => {
  const made = ['rpmsgd', 'rpmsg-simulator']
    .flatMap((name) => read(`systemd/${name}.sysusers.conf`).split('\n'))
    .flatMap((line) => /^[ug] (\S+)/.exec(line)?.[1] ?? []);
  const named = [
    ...['User', 'Group', 'SupplementaryGroups'].flatMap((key) =>
      values(read('systemd/rpmsgd.service'), key),
    ),
    ...values(read('systemd/rpmsg-simulator.service'), 'User'),
    ...[...read('dbus/org.rpmsg.conf').matchAll(/(?:user|group)="([^"]+)"/g)].map(
      ([, name]) => name,
    ),
    ...[...read('systemd/60-rpmsgd.rules').matchAll(/GROUP="([^"]+)"/g)].map(([, name]) => name),
    adminGroup,
  ].filter((name) => name !== 'root');
  expect(named.filter((name) => !made.includes(name ?? ''))).toEqual([]);
});

it('lets a device join no group that clients may be in', () => {
  const groups = [...read('systemd/60-rpmsgd.rules').matchAll(/GROUP="([^"]+)"/g)];
  expect(groups.map(([, name]) => name)).toEqual(['rpmsgd']);
});

describe('the bus policy', () => {
  interface Rule {
    readonly [attribute: string]: string;
  }
  interface Policy {
    readonly context?: string;
    readonly user?: string;
    readonly group?: string;
    readonly allow?: readonly Rule[];
    readonly deny?: readonly Rule[];
  }
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => ['policy', 'allow', 'deny'].includes(name),
  });
  const { busconfig } = parser.parse(read('dbus/org.rpmsg.conf'));
  const policies: readonly Policy[] = busconfig.policy;

  it('lets the daemon alone own the name', () => {
    const owners = policies.filter(({ allow = [] }) => allow.some((rule) => 'own' in rule));
    expect(owners.map(({ user }) => user)).toEqual(['rpmsgd']);
  });

  it('lets everyone look, by these methods and no other', () => {
    const everyone = policies.find(({ context }) => context === 'default');
    const looks = (everyone?.allow ?? []).map(
      ({ send_interface: iface, send_member: member }) => `${iface}.${member ?? '*'}`,
    );
    expect(looks).toEqual([
      'org.freedesktop.DBus.Introspectable.Introspect',
      'org.freedesktop.DBus.Peer.*',
      'org.freedesktop.DBus.Properties.Get',
      'org.freedesktop.DBus.Properties.GetAll',
      'org.freedesktop.DBus.ObjectManager.GetManagedObjects',
    ]);
    expect(everyone?.deny).toContainEqual({
      send_destination: 'org.rpmsg',
      send_type: 'method_call',
    });
  });

  it('lets groups and root talk', () => {
    const talkers = policies.filter(({ allow = [] }) =>
      allow.some((rule) => rule['send_destination'] && Object.keys(rule).length === 1),
    );
    const names = talkers.map(({ group, user }) => group ?? user);
    expect(names).toEqual(['rpmsg', adminGroup, 'root']);
  });

  it('lets the daemon ping clients, and send them no other call', () => {
    const own = policies.find(({ user }) => user === 'rpmsgd');
    const sends = (own?.allow ?? []).filter((rule) => !('own' in rule));
    expect(sends).toEqual([
      {
        send_type: 'method_call',
        send_interface: 'org.freedesktop.DBus.Peer',
        send_member: 'Ping',
      },
    ]);
  });
});
