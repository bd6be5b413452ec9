// SPDX-License-Identifier: Apache-2.0
// What the running daemon says of its remotes.

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

const check = 'daemon';
const journal = 'see journalctl -u rpmsgd';
const firmware =
  'start the firmware; if it runs, compare RL_BUFFER_COUNT 256, RL_BUFFER_PAYLOAD_SIZE 496, its link ids and its shared memory with bring-up.md';

/** `connect` as of a verb's context. */
export async function checkDaemon(connect: () => Promise<Bus>): Promise<Finding[]> {
  try {
    const bus = await connect();
    const version = await bus.getProperty(
      serviceName,
      rootPath,
      `${serviceName}.Manager`,
      'Version',
    );
    const objects = await fetchObjects(bus);
    return [checkVersion(String(version)), ...objects.flatMap(checkObject)];
  } catch (error) {
    if (!(error instanceof BusError || error instanceof RpmsgctlError)) throw error;
    return [fail(check, explain(error).message, `systemctl enable --now rpmsgd; ${journal}`)];
  }
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
