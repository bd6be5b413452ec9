// SPDX-License-Identifier: Apache-2.0
// The channel of a service, found by the name under which remotes announce it.

import type { Bus } from '../../dbus/index.ts';
import { CliStatus, RpmsgctlError } from '../errors.ts';
import { fetchObjects, noAddress, rootPath } from '../objects.ts';
import { usage } from '../options.ts';

export interface Wanted {
  /** Any of these, the earlier ones first. */
  readonly names: readonly string[];
  readonly remote: string | undefined;
  readonly vdev: number | undefined;
}

export interface ServiceChannel {
  readonly path: string;
  readonly remote: string;
  readonly remotePath: string;
}

/**
 * The one that is meant: of several vdevs of one remote the first.
 * @throws RpmsgctlError if there is none, or several remotes have one and none is named
 */
export async function findServiceChannel(bus: Bus, wanted: Wanted): Promise<ServiceChannel> {
  const objects = await fetchObjects(bus);
  const remoteNames = new Map(
    objects.map(({ path, interfaces }) => [path, String(interfaces['Remote']?.['Name'])]),
  );
  const { names, remote, vdev } = wanted;
  const found = objects.flatMap(({ path, interfaces: { Channel } }) => {
    const name = names.indexOf(String(Channel?.['Name']));
    if (Channel === undefined || name < 0 || Channel['RemoteAddress'] === noAddress) return [];
    const [element, device] = path.slice(rootPath.length + 1).split('/');
    const remotePath = `${rootPath}/${element}`;
    const channel = { path, remotePath, remote: remoteNames.get(remotePath) ?? '', name };
    const isWanted =
      (remote === undefined || remote === channel.remote) &&
      (vdev === undefined || device === `vdev${vdev}`);
    return isWanted ? [channel] : [];
  });
  const remotes = [...new Set(found.map((channel) => channel.remote))];
  const [first] = found.sort((a, b) => a.name - b.name);
  if (first === undefined) throw absent(wanted);
  if (remotes.length > 1) throw usage(`which remote? ${remotes.join(', ')} have it: --remote`);
  return first;
}

function absent({ names, remote, vdev }: Wanted): RpmsgctlError {
  const at = vdev === undefined ? '' : ` on vdev${vdev}`;
  const who = remote === undefined ? 'no remote' : `${JSON.stringify(remote)} is not there or`;
  const verb = remote === undefined ? 'announces' : 'does not announce';
  const text = `${who} ${verb} ${names.join(' or ')}${at}; rpmsgctl list shows what there is`;
  return new RpmsgctlError(CliStatus.failure, text);
}
