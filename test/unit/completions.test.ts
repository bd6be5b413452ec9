// SPDX-License-Identifier: Apache-2.0
// rpmsgctl's completions for bash, zsh and fish: against the table of verbs, and as their shells read
// them, with a stand-in for rpmsgctl that answers with whatever a remote may be called.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commonOptions } from '../../src/cli/help.ts';
import { simVerbs } from '../../src/cli/sim.ts';
import type { Verb, VerbOption } from '../../src/cli/verb.ts';
import { verbs as allVerbs } from '../../src/cli/verbs.ts';

const folder = fileURLToPath(new URL('../../packaging/completions/', import.meta.url));
const verbs = allVerbs.filter(({ isHidden }) => isHidden !== true);

/** What a completion has in it. */
interface Offered {
  readonly verbs: readonly string[];
  readonly simVerbs: readonly string[];
  readonly common: readonly string[];
  /** By verb. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly takes: Readonly<Record<string, string>>;
}

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)];
const firsts = (text: string, pattern: RegExp) => matches(text, pattern).map(([, one = '']) => one);

function inBash(text: string): Offered {
  const list = (name: string) => {
    const [, words = ''] = new RegExp(`local ${name}='([^']*)'`).exec(text) ?? [];
    return words.split(/\s+/).filter((word) => word !== '');
  };
  const own = matches(text, /\[([\w-]+)\]='([^']*)'/g);
  const takes = matches(text, /\[([\w-]+)\]=(\w+)/g);
  return {
    verbs: list('verbs'),
    simVerbs: list('sim_verbs'),
    common: list('options'),
    options: Object.fromEntries(own.map(([, verb, words = '']) => [verb, words.split(/\s+/)])),
    takes: Object.fromEntries(takes.map(([, verb, what]) => [verb, what])),
  };
}

function inZsh(text: string): Offered {
  const array = (name: string) =>
    new RegExp(`${name}=\\(\\n([\\s\\S]*?)\\n    \\)`).exec(text)?.[1] ?? '';
  const cases = matches(text, /^ {8}([\w-]+)\)\n([\s\S]*?) ;;$/gm);
  const own = (body: string) => firsts(body, /^ {16}'(--[\w-]+)/gm);
  return {
    verbs: firsts(array('verbs'), /^ *'([\w-]+):/gm),
    simVerbs: firsts(array('sim_verbs'), /^ *'([\w-]+):/gm),
    common: firsts(array('common'), /^ *'(--[\w-]+)/gm),
    options: Object.fromEntries(
      cases.map(([, verb, body = '']) => [verb, own(body)]).filter(([, list]) => list?.length),
    ),
    takes: Object.fromEntries(
      cases.flatMap(([, verb, body = '']) =>
        firsts(body, /takes=(\w+)/g).map((what) => [verb, what]),
      ),
    ),
  };
}

function inFish(text: string): Offered {
  const grouped: Record<string, string[]> = {};
  for (const [, verb = '', option = ''] of matches(
    text,
    /'__rpmsgctl_verb ([\w-]+)' -l ([\w-]+)/g,
  )) {
    grouped[verb] = [...(grouped[verb] ?? []), `--${option}`];
  }
  const takes = matches(text, /'__rpmsgctl_verb ([\w-]+)' -a '\(__rpmsgctl_named (\w+)\)'/g);
  return {
    verbs: firsts(text, /-n __rpmsgctl_no_verb -a ([\w-]+)/g),
    simVerbs: firsts(text, /-n '__rpmsgctl_after sim' -a ([\w-]+)/g),
    common: firsts(text, /^complete -c rpmsgctl -l ([\w-]+)/gm).map((name) => `--${name}`),
    options: grouped,
    takes: Object.fromEntries(takes.map(([, verb, what]) => [verb, what])),
  };
}

const words = (options: readonly VerbOption[] = []) => options.map(({ name }) => `--${name}`);
const table: Offered = {
  verbs: verbs.map(({ name }) => name),
  simVerbs: simVerbs.map(({ name }) => name),
  common: words(commonOptions),
  options: Object.fromEntries(
    verbs
      .filter(({ options = [] }) => options.length > 0)
      .map((verb) => [verb.name, words(verb.options)]),
  ),
  takes: Object.fromEntries(
    verbs.flatMap(({ name, takes }: Verb) => (takes === undefined ? [] : [[name, takes]])),
  ),
};

const shells = [
  { shell: 'bash', file: 'rpmsgctl', read: inBash },
  { shell: 'zsh', file: '_rpmsgctl', read: inZsh },
  { shell: 'fish', file: 'rpmsgctl.fish', read: inFish },
] as const;

it.each(shells)('$shell is offered every verb and option, and no other', ({ file, read }) => {
  expect(read(readFileSync(join(folder, file), 'utf8'))).toEqual(table);
});

describe('as the shell reads it', () => {
  let bin = '';
  let marker = '';

  beforeAll(() => {
    bin = mkdtempSync(join(tmpdir(), 'rpmsg-completions-'));
    marker = join(bin, 'obeyed');
    const hostile = `$(touch\${IFS}${marker})`;
    // A stand-in that knows a vdev, two channels there, and a remote that wants to be obeyed.
    writeFileSync(
      join(bin, 'rpmsgctl'),
      `#!/bin/sh
echo "$@" > ${bin}/asked
case "$*" in
  *'complete endpoint cm40/vdev0') printf 'echo\\tchannel\\n%s\\tchannel\\n' '${hostile}';;
  *'complete endpoint') printf 'cm40/vdev0\\tvdev\\n';;
  *) exit 1;;
esac
`,
    );
    chmodSync(join(bin, 'rpmsgctl'), 0o755);
  });
  afterAll(() => rmSync(bin, { recursive: true }));

  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, {
      encoding: 'utf8',
      env: { ...process.env, HOME: bin, PATH: `${bin}:${process.env['PATH']}` },
    });

  /** What each shell offers for a command line that ends where the cursor is. */
  const complete: Readonly<Record<string, (line: string) => string[]>> = {
    bash: (line) => {
      const parts = line.split(' ').map((word) => `'${word}'`);
      const script = `. ${folder}rpmsgctl; COMP_WORDS=(${parts.join(' ')}); COMP_CWORD=${parts.length - 1};
        _rpmsgctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return run('bash', '-c', script).split('\n').filter(Boolean);
    },
    fish: (line) => {
      const script = `source ${folder}rpmsgctl.fish; complete -C '${line}'`;
      const lines = run('fish', '--no-config', '-c', script).split('\n').filter(Boolean);
      return lines.map((one) => one.split('\t')[0] ?? '');
    },
    // What zsh's completion system would show is what the file hands to it.
    zsh: (line) => {
      const parts = line.split(' ').map((word) => `'${word}'`);
      const last = line.split(' ').at(-1) ?? '';
      const script = `
        compadd() { shift; print -rl -- "$@" }
        _describe() { print -rl -- \${(P)2%%:*} }
        _arguments() { shift; print -rl -- \${\${(M)@:#--*}%%[=\\[]*}; state=word; return 1 }
        words=(${parts.join(' ')}); CURRENT=${parts.length}; PREFIX='${last}'
        source ${folder}_rpmsgctl`;
      return run('zsh', '-f', '-c', script).split('\n').filter(Boolean);
    },
  };

  it.each(Object.entries(complete))('%s completes verbs, options and live objects', (_, offer) => {
    expect(offer('rpmsgctl ')).toEqual(expect.arrayContaining(['list', 'send', 'sim']));
    expect(offer('rpmsgctl sim ')).toEqual(expect.arrayContaining(['reset', 'kill']));
    expect(offer('rpmsgctl send --t')).toEqual(expect.arrayContaining(['--to', '--try']));
    expect(offer('rpmsgctl send ')).toContain('cm40/vdev0');
    expect(offer('rpmsgctl send cm40/vdev0 ')).toContain('echo');
  });

  it.each(Object.entries(complete))('%s asks on the bus that the line names', (_, offer) => {
    offer('rpmsgctl --bus session send ');
    expect(readFileSync(join(bin, 'asked'), 'utf8')).toMatch(/^--bus session complete/);
  });

  it.each(Object.entries(complete))('%s never obeys a name that a remote chose', (_, offer) => {
    const offered = offer('rpmsgctl send cm40/vdev0 ');
    expect(offered.some((word) => word.includes('touch'))).toBe(true);
    expect(existsSync(marker)).toBe(false);
  });
});
