// SPDX-License-Identifier: Apache-2.0
// A new life by hand: asks the link for fresh rings and waits until the remote has used them.

import { RpmsgdError } from '../util/errors.ts';
import type { LinkContext } from './context.ts';
import type { Remote } from './remote.ts';

/** How long a remote that has initialised its stack may take to use its fresh rings. */
const progressMs = 1_500;

/**
 * Resolves once a vdev of the new life is up. Rejects with remote_down when none is in time, or the
 * board is gone; with shutting_down when `isStopping` says so as the remote reports.
 */
export function reinitialize(
  { link }: Pick<LinkContext, 'link'>,
  remote: Remote,
  isStopping: () => boolean,
): Promise<void> {
  const { generation } = remote;
  return new Promise((resolve, reject) => {
    const settle = (error?: RpmsgdError) => {
      clearTimeout(timer);
      forget();
      if (error === undefined) resolve();
      else reject(error);
    };
    const forget = remote.watch(() => {
      const isNew = remote.generation !== generation;
      if (isStopping()) settle(new RpmsgdError('shutting_down', 'the daemon is stopping'));
      else if (remote.state === 'offline') settle(notUsed(remote));
      else if (isNew && remote.devices.some(({ state }) => state === 'up')) settle();
    });
    const timer = setTimeout(() => settle(notUsed(remote)), progressMs);
    link.reinitialize(remote.index);
  });
}

function notUsed({ name, state }: Remote): RpmsgdError {
  const message =
    state === 'offline'
      ? `the board behind ${name} is gone`
      : `${name} does not use its fresh rings: the firmware must initialise its RPMsg stack again`;
  return new RpmsgdError('remote_down', message);
}
