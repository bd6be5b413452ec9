// SPDX-License-Identifier: Apache-2.0
// The status of a simulated SoC as lines for a person.

interface Core {
  readonly name: string;
  readonly state: string;
  readonly host: number | null;
  readonly firmware: number | null;
  readonly partition?: number;
  readonly lives: number;
  readonly deaths: number;
  readonly last_reset: string;
}

interface Scfw {
  readonly client: number | null;
  readonly host_partition: number;
  readonly calls: number;
  readonly resets: number;
}

interface Board {
  readonly soc: string;
  readonly pid: number;
  readonly socket: string;
  readonly cores: readonly Core[];
  readonly scfw: Scfw | null;
}

export function describeBoard(answer: Readonly<Record<string, unknown>>): string {
  const board = answer as unknown as Board;
  const lines = [`${board.soc}, process ${board.pid}, ${board.socket}`];
  for (const core of board.cores) lines.push(describeCore(core));
  if (board.scfw !== null) lines.push(describeScfw(board.scfw));
  return `${lines.join('\n')}\n`;
}

function describeCore(core: Core): string {
  const parts = [
    core.state,
    core.firmware === null ? 'no firmware' : `firmware ${core.firmware}`,
    core.host === null ? 'no host' : `host ${core.host}`,
    ...(core.partition === undefined ? [] : [`partition ${core.partition}`]),
    `lives ${core.lives}`,
    `deaths ${core.deaths}`,
    `last reset ${core.last_reset}`,
  ];
  return `${core.name}  ${parts.join(', ')}`;
}

function describeScfw(scfw: Scfw): string {
  const client = scfw.client === null ? 'no client' : `client ${scfw.client}`;
  const parts = [client, `host partition ${scfw.host_partition}`, `calls ${scfw.calls}`];
  return `scu   ${parts.join(', ')}`;
}
