// SPDX-License-Identifier: Apache-2.0
// The code against dbus/*.xml: types, change flags, option keys, counter keys, error names.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileInterfaceXml } from '../../packaging/dev/interface-xml.mjs';
import { ErrorName } from '../../src/dbus/index.ts';
import { busErrorNames } from '../../src/dbus/objects/error-table.ts';
import { features } from '../../src/dbus/objects/manager.ts';
import { optionTypes } from '../../src/dbus/objects/options.ts';
import { parseSingleType } from '../../src/dbus/signature.ts';
import { WireWriter } from '../../src/dbus/wire-writer.ts';
import { devicePath, echoPath, Harness } from './support/objects-harness.ts';

const folder = new URL('../../dbus/', import.meta.url);
const texts = new Map(
  readdirSync(folder)
    .filter((file) => /^org\.rpmsg\.\w+\.xml$/.test(file))
    .map((file) => [file.slice(0, -4), readFileSync(new URL(file, folder), 'utf8')]),
);
const specs = [...texts].map(([, text]) => compileInterfaceXml(text).spec);

const objectOf: Record<string, string> = {
  'org.rpmsg.Manager': '/org/rpmsg',
  'org.rpmsg.Remote': '/org/rpmsg/cm40',
  'org.rpmsg.Device': devicePath,
  'org.rpmsg.Channel': echoPath,
  'org.rpmsg.Endpoint': echoPath,
};

/** The comment right before an element. */
function commentOf(iface: string, kind: string, member: string): string {
  const text = texts.get(iface) ?? '';
  const at = text.indexOf(`<${kind} name="${member}"`);
  const start = text.lastIndexOf('<!--', at);
  const between = text.slice(text.indexOf('-->', start) + 3, at);
  return between.trim() === '' ? text.slice(start, at) : '';
}

/** The lines below `heading:` that say "key: …" or "key (type): …". */
function documented(comment: string, heading: string): Map<string, string> {
  const lines = comment.split('\n');
  const start = lines.findIndex((line) => line.trim() === `${heading}:`);
  const keys = new Map<string, string>();
  for (const line of start < 0 ? [] : lines.slice(start + 1)) {
    const key = /^ {8}(\w+)(?: \((\w+)\))?: /.exec(line);
    if (key !== null) keys.set(key[1] ?? '', key[2] ?? '');
    else if (!/^ {10}/.test(line)) break;
  }
  return keys;
}

describe.each(specs)('$name', ({ name, methods, signals, properties }) => {
  it('has values of the documented types', () => {
    const harness = Harness.up();
    for (const [property, { type }] of Object.entries(properties)) {
      const value = harness.get(objectOf[name] ?? '', name, property);
      expect(() => new WireWriter().value(parseSingleType(type), value), property).not.toThrow();
    }
  });

  it('documents the errors of every method', () => {
    for (const method of Object.keys(methods)) {
      expect(commentOf(name, 'method', method), method).toMatch(/Errors: /);
    }
  });

  it('documents every signal', () => {
    for (const signal of Object.keys(signals)) {
      expect(commentOf(name, 'signal', signal).length, signal).toBeGreaterThan(20);
    }
  });

  it('accepts exactly the options that are documented', () => {
    for (const [method, { in: args }] of Object.entries(methods)) {
      const isInTable = Object.hasOwn(optionTypes, method);
      expect(
        args.some(({ type }) => type === 'a{sv}'),
        method,
      ).toBe(isInTable);
      if (!isInTable) continue;
      const accepted = Object.entries(optionTypes[method as keyof typeof optionTypes]);
      const comment = commentOf(name, 'method', method);
      expect([...documented(comment, 'Options')].sort(), method).toEqual(accepted.sort());
      if (accepted.length === 0) expect(comment, method).toContain('Options: none');
    }
  });

  it('has exactly the keys that are documented', () => {
    const harness = Harness.up();
    for (const [property, { type }] of Object.entries(properties)) {
      if (!type.startsWith('a{s')) continue;
      const value = harness.get(objectOf[name] ?? '', name, property) as object;
      const keys = [...documented(commentOf(name, 'property', property), 'Keys').keys()];
      expect(keys.sort(), property).toEqual(Object.keys(value).sort());
    }
  });

  it('gives every property a change flag of its own', () => {
    const flags = Object.values(properties).map(
      ({ annotations }) => annotations['org.freedesktop.DBus.Property.EmitsChangedSignal'],
    );
    expect(flags).not.toContain(undefined);
  });

  it('keeps counters out of GetManagedObjects and out of change signals', () => {
    const { Stats } = properties;
    if (Stats === undefined) return;
    expect(Stats.emitsChanged).toBe('false');
    expect(Stats.annotations['org.rpmsg.OmitFromManagedObjects']).toBe('true');
  });
});

describe('error names', () => {
  const all = [...texts.values()].join('\n');
  const own = new Set([...all.matchAll(/\bError\.([A-Z]\w+)/g)].map(([, name]) => name));
  const standard = new Set([...all.matchAll(/\bDBus\.([A-Z]\w+)/g)].map(([, name]) => name));
  const used = new Set<string>(Object.values(busErrorNames));

  it('that are documented are all used, and the other way round', () => {
    own.delete('X');
    const names = [...own].filter(
      (name) => !standard.has(name) || used.has(`org.rpmsg.Error.${name}`),
    );
    expect(names.filter((name) => !used.has(`org.rpmsg.Error.${name}`))).toEqual([]);
    const ours = [...used].filter((name) => name.startsWith('org.rpmsg.Error.'));
    expect(ours.filter((name) => !own.has(name.slice('org.rpmsg.Error.'.length)))).toEqual([]);
  });

  it('of the standard kind exist', () => {
    const known = new Set<string>(Object.values(ErrorName));
    for (const name of ['Error', 'Property', 'Peer', 'X', 'ObjectManager']) standard.delete(name);
    const wrong = [...standard].filter((name) => !known.has(`org.freedesktop.DBus.Error.${name}`));
    expect(wrong).toEqual([]);
  });
});

describe('features', () => {
  it('are sorted and documented', () => {
    expect([...features].sort()).toEqual(features);
    const comment = commentOf('org.rpmsg.Manager', 'property', 'Features');
    for (const feature of features) expect(comment).toContain(`"${feature}"`);
  });
});
