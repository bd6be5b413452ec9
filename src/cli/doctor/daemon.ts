// SPDX-License-Identifier: Apache-2.0
// What the running daemon says of its remotes.

import { remoteStates } from '../../addon/types.ts';
import { type Bus, BusError } from '../../dbus/index.ts';
import { version as ownVersion } from '../../util/version.ts';
import { explain, RpmsgctlError } from '../errors.ts';
import {
  fetchObjects,
  type Properties,
  type RemoteObject,
  rootPath,
  serviceName,
} from '../objects.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { MuServer } from './mu-state.ts';

const check = 'daemon';
const journal = 'see journalctl -u rpmsgd';
const firmware =
  'start the firmware; if it runs, compare RL_BUFFER_COUNT 256, RL_BUFFER_PAYLOAD_SIZE 496, its link ids and its shared memory with bring-up.md';

export interface DaemonLook {
  readonly findings: readonly Finding[];
  /** Who serves a remote's MU. */
  muServer(remote: string): MuServer;
}

/** Of another machine's files nobody can say who serves what. */
export const daemonNotAsked: DaemonLook = { findings: [], muServer: () => 'unknown' };

/** `connect` as of a verb's context. */
export async function lookAtDaemon(connect: () => Promise<Bus>): Promise<DaemonLook> {
  try {
    const bus = await connect();
    const version = await bus.getProperty(
      serviceName,
      rootPath,
      `${serviceName}.Manager`,
      'Version',
    );
    const objects = await fetchObjects(bus);
    const findings = [checkVersion(String(version)), ...objects.flatMap(checkObject)];
    return { findings, muServer: (remote) => stateOf(objects, remote) };
  } catch (error) {
    if (!(error instanceof BusError || error instanceof RpmsgctlError)) throw error;
    const findings = [
      fail(check, explain(error).message, `systemctl enable --now rpmsgd; ${journal}`),
    ];
    const isAbsent = error instanceof BusError && absent.includes(error.name);
    return { findings, muServer: () => (isAbsent ? 'none' : 'unknown') };
  }
}

/** What the bus says where no daemon is; any other error may hide one. */
const absent = ['ServiceUnknown', 'NameHasNoOwner'].map(
  (name) => `org.freedesktop.DBus.Error.${name}`,
);

/** A remote that the daemon does not have is one that it has not opened. */
function stateOf(objects: readonly RemoteObject[], name: string): MuServer {
  const found = objects.find(({ interfaces }) => interfaces['Remote']?.['Name'] === name);
  const state = String(found?.interfaces['Remote']?.['State']);
  return remoteStates.find((one) => one === state) ?? 'offline';
}

function checkVersion(version: string): Finding {
  if (version === ownVersion) return ok(check, `rpmsgd ${version} runs`);
  return warn(check, `rpmsgd ${version} runs, this is ${ownVersion}`, 'systemctl restart rpmsgd');
}

function checkObject({ path, interfaces }: RemoteObject): Finding[] {
  const { Remote, Device } = interfaces;
  const where = path.slice(rootPath.length + 1).replace('/', ' ');
  if (Remote) return [checkRemote(`${where} state`, Remote)];
  return Device ? [checkDevice(`${where} state`, Device)] : [];
}

function checkRemote(name: string, remote: Properties): Finding {
  const state = String(remote['State']);
  const text = `${state}, generation ${remote['Generation']}, ${remote['ResetCount']} resets`;
  const reason = String(remote['LastError'] ?? '');
  const told = reason === '' ? text : `${text}: ${reason}`;
  switch (state) {
    case 'attached':
      return ok(name, text);
    case 'faulted':
      return fail(name, told, `Reinitialize, or reset the core; ${journal}`);
    case 'offline':
      return fail(name, told, journal);
    default:
      return warn(name, told, firmware);
  }
}

function checkDevice(name: string, device: Properties): Finding {
  const state = String(device['State']);
  if (state === 'up') return ok(name, state);
  if (state === 'faulted')
    return fail(name, state, `the firmware broke a ring's rules; ${journal}`);
  return warn(name, `${state}: the firmware has not used its rings yet`, firmware);
}
