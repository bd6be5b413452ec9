// SPDX-License-Identifier: Apache-2.0
// Man pages and completions against the programs' own help, the configuration's schema and the
// interface files.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { compileInterfaceXml } from '../../packaging/dev/interface-xml.mjs';
import { busManPage } from '../../packaging/dev/man-bus.mjs';
import { helpOf, helpOfAll } from '../../src/cli/help.ts';
import { simVerbs } from '../../src/cli/sim.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { fileSchema } from '../../src/config/schema.ts';
import { defaultLimits } from '../../src/config/types.ts';
import { helpText } from '../../src/daemon/options.ts';
import { filesBelow } from './support/files.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** roff as plain text. */
function textOf(page: string): string {
  return page
    .replace(/\\f[A-Z]|\\&/g, '')
    .replace(/\\-/g, '-')
    .replace(/\\e/g, '\\')
    .replace(/\\\(dq/g, '"');
}

/** The options that a page describes: those that stand first below a .TP. */
function describedOptions(page: string): string[] {
  const items = [...textOf(page).matchAll(/^\.TP\n\.\w+ (.*)$/gm)].map(([, item = '']) => item);
  return [...new Set(items.flatMap((item) => item.match(/--[a-z-]+/g) ?? []))].sort();
}

/** The options that a help text lists, each at the start of its line or after a comma there. */
function listedOptions(help: string): string[] {
  const lines = help.split('\n').filter((line) => /^ {2}--/.test(line));
  const words = lines.flatMap(
    (line) =>
      line
        .trim()
        .split(/ {2,}/)[0]
        ?.match(/--[a-z-]+/g) ?? [],
  );
  return [...new Set(words)].sort();
}

/** What rpmsgctl --help and the help of each verb say. */
const shownVerbs = verbs.filter(({ isHidden }) => isHidden !== true);
const rpmsgctlHelp = [helpOfAll(verbs), ...shownVerbs.map(helpOf)].join('');

/** A native program's help, out of the string that it prints. */
function nativeHelp(path: string): string {
  const source = read(path);
  const [literal = ''] = /kHelp\[\] =\n([\s\S]*?);\n/.exec(source)?.slice(1) ?? [];
  return [...literal.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .map(([, text = '']) => text.replace(/\\n/g, '\n').replace(/\\"/g, '"'))
    .join('');
}

const programs = [
  { name: 'rpmsgd', section: 8, help: helpText },
  { name: 'rpmsgctl', section: 1, help: rpmsgctlHelp },
  { name: 'rpmsg-soc', section: 1, help: nativeHelp('native/sim/soc/options.cc') },
  { name: 'rpmsg-firmware', section: 1, help: nativeHelp('native/sim/firmware/options.cc') },
];

describe.each(programs)('$name', ({ name, section, help }) => {
  const page = read(`packaging/man/${name}.${section}`);
  const options = listedOptions(help);

  it('has a help text with options in it', () => {
    expect(options).toContain('--help');
    expect(options.length).toBeGreaterThan(2);
  });

  it('describes every option in its page, and no other', () => {
    expect(describedOptions(page)).toEqual(options);
  });

  it('completes every option, and no other', () => {
    const completion = read(`packaging/completions/${name}`);
    const lists = [...completion.matchAll(/(?:local options=|\[\w+\]=)'([^']*)'/g)];
    const words = lists.flatMap(([, list = '']) => list.split(/\s+/));
    expect([...new Set(words)].sort()).toEqual(options);
  });
});

it('describes every verb of rpmsgctl, and no other', () => {
  const page = read('packaging/man/rpmsgctl.1');
  const [, section = ''] = /\n\.SH VERBS\n([\s\S]*?)\n\.SH /.exec(page) ?? [];
  const names = shownVerbs.map(({ name }) => name);
  const described = [...section.matchAll(/^\.TP\n\.BI? (\S+)/gm)].map(([, name = '']) => name);
  expect(described.map(textOf)).toEqual(names);
});

it('describes every verb of rpmsgctl sim, and no other', () => {
  const page = read('packaging/man/rpmsgctl.1').replaceAll('\\-', '-');
  const [, section = ''] = /\n\.SH "SIMULATED SOC"\n([\s\S]*?)\n\.SH /.exec(page) ?? [];
  const names = simVerbs.map(({ name }) => name);
  expect([...section.matchAll(/^\.TP\n\.BI? (\S+)/gm)].map(([, name]) => name)).toEqual(names);
});

it.each(programs.slice(0, 2))('explains every exit status of $name', ({ name, section, help }) => {
  const [, statuses = ''] = /Exit status:([\s\S]*?)\.\n/.exec(help) ?? [];
  const listed = [...statuses.matchAll(/(?:^|[,\n]) ?(\d+) /g)].map(([, status]) => status);
  const page = read(`packaging/man/${name}.${section}`);
  const [, text = ''] = /\n\.SH "EXIT STATUS"\n([\s\S]*?)\n\.SH /.exec(page) ?? [];
  expect([...text.matchAll(/^\.B (\d+)$/gm)].map(([, status]) => status)).toEqual(listed);
});

describe('rpmsgd.toml(5)', () => {
  const page = read('packaging/man/rpmsgd.toml.5');
  const sections = new Map(
    [...page.matchAll(/\n\.SH "(\[+[a-z._]+\]+)"\n([\s\S]*?)(?=\n\.SH )/g)].map(
      ([, name = '', text = '']) => [
        name,
        [...text.matchAll(/^\.TP\n\.B (\S+)$/gm)].map(([, key]) => key),
      ],
    ),
  );

  /** Looks through optional(), array() and pipe(). */
  function entriesOf(schema: v.GenericSchema): Record<string, v.GenericSchema> | undefined {
    const inner = schema as { wrapped?: v.GenericSchema; item?: v.GenericSchema; entries?: never };
    if (inner.wrapped !== undefined) return entriesOf(inner.wrapped);
    if (inner.item !== undefined) return entriesOf(inner.item);
    return inner.entries;
  }
  const file = entriesOf(fileSchema) ?? {};
  const remote = entriesOf(file['remote'] as v.GenericSchema) ?? {};

  it.each([
    ['[limits]', file['limits']],
    ['[link]', file['link']],
    ['[log]', file['log']],
    ['[device_tree]', file['device_tree']],
    ['[[remote]]', file['remote']],
    ['[[remote.endpoint]]', remote['endpoint']],
    ['[[channel]]', file['channel']],
  ])('describes every key of %s in the order of the schema', (name, schema) => {
    const keys = Object.keys(entriesOf(schema as v.GenericSchema) ?? {});
    const own = keys.filter((key) => key !== 'endpoint');
    expect(sections.get(name)).toEqual(own);
  });

  it('has a section for each table, and no other', () => {
    const tables = ['channel', 'device_tree', 'limits', 'link', 'log', 'remote'];
    expect(Object.keys(file).sort()).toEqual(tables);
    expect(sections.size).toBe(7);
  });

  it('says the defaults that hold', () => {
    const [, limits = ''] = /\n\.SH "\[limits\]"\n([\s\S]*?)\n\.SH /.exec(page) ?? [];
    const said = [...limits.matchAll(/\(default (\d+)/g)].map(([, value]) => Number(value));
    expect(said).toEqual(Object.values(defaultLimits));
  });
});

describe('org.rpmsg(5)', () => {
  const page = textOf(busManPage());

  it.each(
    filesBelow(new URL('dbus/', root), /\/org\.rpmsg\.\w+\.xml$/).map((url) => [
      url.pathname.split('/').at(-1) ?? '',
      url,
    ]),
  )('describes every member of %s', (_name, url) => {
    const { spec } = compileInterfaceXml(readFileSync(url, 'utf8'));
    expect(page).toContain(`INTERFACE ${spec.name.toUpperCase()}`);
    for (const name of Object.keys(spec.methods)) expect(page).toContain(`\n${name}(`);
    for (const name of Object.keys(spec.signals)) expect(page).toContain(`\nsignal ${name}(`);
    for (const name of Object.keys(spec.properties)) {
      expect(page).toMatch(new RegExp(`\\nproperty ${name} `));
    }
  });
});

it('completes as bash reads it', () => {
  for (const { name } of programs) {
    const path = fileURLToPath(new URL(`packaging/completions/${name}`, root));
    const script = `. ${path}; COMP_WORDS=(${name} --h); COMP_CWORD=1; _${name.replace('-', '_')}; echo "\${COMPREPLY[*]}"`;
    const output = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(output).toContain('--help');
  }
});
