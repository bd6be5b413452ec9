// SPDX-License-Identifier: Apache-2.0
// The README's block of results: a table and the machine it was taken on, between two marks.

import { isMeasured, type Machine, type Report, type Result } from './result.ts';
import { short } from './rounds.ts';

const begin = '<!-- Written by `npm run bench -- --readme`: -->';
const end = '<!-- end of what it wrote -->';

/** Where the plots are, seen from the README. */
export const plotsFolder = 'packaging/doc';

function cell(value: number | null, unit: string): string {
  return value === null ? '' : `${short(value)} ${unit}`;
}

function line(result: Result): string {
  const { name, what, unit, value, reference, ratio, goal, met } = result;
  const measured = isMeasured(result) ? cell(value, unit) : 'could not be measured';
  const verdict = met ? 'yes' : '**no**';
  const cells = [
    `\`${name}\``,
    what,
    measured,
    cell(reference, unit),
    cell(ratio, ''),
    goal,
    verdict,
  ];
  return `| ${cells.map((text) => text.trim()).join(' | ')} |`;
}

export function machineText({ cpu, cpus, arch, kernel, node, pinning }: Machine): string {
  return `${cpus} x ${cpu} (${arch}), Linux ${kernel}, Node ${node}; ${pinning}`;
}

export function readmeBlock({ machine, rows }: Report): string {
  return [
    `Taken on ${machineText(machine)}. Medians.`,
    '',
    '| row | what | here | reference | ratio | goal | met |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(line),
    '',
    `![Latencies of single operations](${plotsFolder}/latency.svg)`,
    `![Throughput against size](${plotsFolder}/throughput.svg)`,
  ].join('\n');
}

/** The README with its block replaced. Throws if the marks are not there once and in order. */
export function replaceBlock(readme: string, block: string): string {
  const parts = readme.split(begin);
  const [before = '', rest = ''] = parts;
  const after = rest.split(end);
  if (parts.length !== 2 || after.length !== 2) {
    throw new Error(`README.md must have one block from "${begin}" to "${end}"`);
  }
  return `${before}${begin}\n${block}\n${end}${after[1]}`;
}
