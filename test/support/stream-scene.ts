// SPDX-License-Identifier: Apache-2.0
// The scenes in which streams are tried: each bus daemon with a SoC, a kind of firmware and a way in
// which a remote's reset is told.

import { firmwareCommand } from '../../packaging/dev/scene.mjs';
import type { DaemonSetup } from './daemon-process.ts';
import { SceneClient } from './scene-client.ts';

export const streamRows = [
  { bus: 'dbus-daemon system', soc: 'imx8qxp', core: 'cm40', firmware: '--behaviour rpmsg-lite' },
  { bus: 'dbus-broker', soc: 'imx8mp', core: 'm7', firmware: '--behaviour openamp' },
] as const;
export type StreamRow = (typeof streamRows)[number];

/** `remote` and the other members of `config` are added to what the row says. */
export async function startStreamScene(
  { bus, soc, core, firmware }: StreamRow,
  config: Record<string, unknown> = {},
  setup: DaemonSetup & { readonly remote?: object; readonly firmwareOptions?: string } = {},
): Promise<SceneClient> {
  const { remote = {}, firmwareOptions = '', ...rest } = setup;
  const remotes = [{ name: core, platform: 'sim', soc, vdevs: 1, ...remote }];
  return await SceneClient.start({
    bus,
    config: { ...config, remote: remotes },
    resourceTable: firmware.includes('openamp'),
    firmware: ({ vdevs }) => firmwareCommand(vdevs, `${firmware} ${firmwareOptions}`),
    ...rest,
  });
}
