// SPDX-License-Identifier: Apache-2.0
// What standard output can show: colours and a width where it is a terminal, plain whole lines elsewhere.

import { kindOf, nameOf, type RemoteObject, shortPath } from './objects.ts';
import type { Output } from './verb.ts';

const codes = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36, grey: 90 } as const;
const usualColumns = 80;

export type Colour = keyof typeof codes;

export class Terminal {
  readonly isTerminal: boolean;
  readonly #output: Output;
  readonly #hasColours: boolean;

  /** Colours are for terminals, unless NO_COLOR is set to anything or TERM is dumb. */
  constructor(output: Output, env: NodeJS.ProcessEnv = process.env) {
    this.#output = output;
    this.isTerminal = output.isTTY === true;
    this.#hasColours = this.isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  }

  /** Columns to draw in: those of the terminal at this moment, 80 where there is none. */
  get columns(): number {
    const { columns } = this.#output;
    return this.isTerminal && columns !== undefined && columns > 0 ? columns : usualColumns;
  }

  get rows(): number {
    return (this.isTerminal && this.#output.rows) || 24;
  }

  paint(colour: Colour, text: string): string {
    return this.#hasColours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
  }

  /** Cut to the width of a terminal; in a pipe nothing is cut. Before it is painted. */
  fit(line: string, columns = this.columns): string {
    if (!this.isTerminal || line.length <= columns) return line;
    return `${line.slice(0, Math.max(0, columns - 1))}…`;
  }
}

/** How a state looks: good, on its way, or broken. */
export function stateColour(state: string): Colour {
  if (['attached', 'up', 'announced', 'connected'].includes(state)) return 'green';
  return ['faulted', 'offline'].includes(state) ? 'red' : 'yellow';
}

/**
 * Text that a remote or another client chose, as text: a terminal must not obey it. Line ends and tabs
 * are escaped, too, so that it stays on its line.
 */
export function quoted(text: string): string {
  return harmless(JSON.stringify(text));
}

/** The same of a sentence that others' words may be in: without quotes. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** An object as a person would name it: a channel by its vdev and name, all else by its path. */
export function labelOf(object: RemoteObject): string {
  const path = shortPath(object.path);
  if (kindOf(object) !== 'channel') return path;
  return `${path.slice(0, path.lastIndexOf('/'))} ${quoted(nameOf(object))}`;
}
