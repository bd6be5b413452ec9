// SPDX-License-Identifier: Apache-2.0
// Interface files compiled into text and tables, and joined to code.

import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { compileInterfaceXml, esbuildPlugins } from '../../packaging/dev/interface-xml.mjs';
import { defineInterface, type InterfaceHandlers } from '../../src/dbus/index.ts';
import { standardInterfaces } from '../../src/dbus/standard-interfaces.ts';

const wrap = (inner: string, attributes = '') =>
  `<node><interface name="a.b.C"${attributes}>${inner}</interface></node>`;

describe('compiling an interface file', () => {
  test('yields methods, signals and properties with types and annotations', () => {
    const { spec } = compileInterfaceXml(
      wrap(`<method name="Do"><arg name="x" type="a{sv}"/><arg type="o" direction="out"/>
              <annotation name="n" value="v"/></method>
            <signal name="Done"><arg name="y" type="t"/></signal>
            <property name="P" type="u" access="read"/>`),
    );
    expect(spec).toEqual({
      name: 'a.b.C',
      methods: {
        Do: {
          in: [{ name: 'x', type: 'a{sv}' }],
          out: [{ name: 'arg0', type: 'o' }],
          annotations: { n: 'v' },
        },
      },
      signals: { Done: { args: [{ name: 'y', type: 't' }], annotations: {} } },
      properties: { P: { type: 'u', access: 'read', emitsChanged: 'true', annotations: {} } },
    });
  });

  test('inherits EmitsChangedSignal from the interface', () => {
    const emits = (value: string) =>
      `<annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="${value}"/>`;
    const { spec } = compileInterfaceXml(
      wrap(`${emits('false')}<property name="A" type="u" access="read"/>
            <property name="B" type="u" access="read">${emits('const')}</property>`),
    );
    expect(spec.properties['A']?.emitsChanged).toBe('false');
    expect(spec.properties['B']?.emitsChanged).toBe('const');
  });

  test('keeps the text without comments', () => {
    const { xml } = compileInterfaceXml(wrap('<!-- a > b -->\n\n    <method name="Do"/>\n'));
    expect(xml).toBe(' <interface name="a.b.C">\n  <method name="Do"/>\n </interface>\n');
  });

  test.each([
    ['<method name="Do"', /f\.xml:1/],
    [wrap('<method name="1x"/>'), /method '1x' is no name/],
    [wrap('<method name="A"/><method name="A"/>'), /method A is there twice/],
    [wrap('<method name="A"><arg name="x" type="a{vs}"/></method>'), /argument x: type 'a\{vs\}'/],
    [wrap('<method name="A"><arg type="uu"/></method>'), /type 'uu'/],
    [wrap('<method name="A"><arg type="u" direction="up"/></method>'), /direction 'up'/],
    [wrap('<property name="P" type="u" access="often"/>'), /access 'often'/],
    ['<node><interface name="one"/></node>', /'one' is not an interface name/],
    ['<node/>', /has 0 <interface> elements/],
  ])('%s is refused, naming the file and the element', (text, message) => {
    expect(() => compileInterfaceXml(text, 'f.xml')).toThrow(message);
    expect(() => compileInterfaceXml(text, 'f.xml')).toThrow(/f\.xml/);
  });

  test('the tables of the standard interfaces agree with their text', () => {
    for (const { definition } of standardInterfaces.values()) {
      expect(compileInterfaceXml(`<node>${definition.xml}</node>`).spec).toEqual(definition.spec);
    }
  });
});

describe('joining an interface to its code', () => {
  const definition = compileInterfaceXml(
    wrap(`<method name="Do"/><method name="Raw"><arg name="x" type="s"/></method>
          <property name="P" type="u" access="readwrite"/>`),
  );
  const complete = {
    methods: { Do: () => undefined, Raw: () => undefined },
    properties: { P: () => 1 },
    setters: { P: () => undefined },
  };

  test.each<[string, InterfaceHandlers<object>, RegExp]>([
    ['a method without code', { ...complete, methods: { Do: () => 0 } }, /method Raw has no code/],
    [
      'code without a method',
      { ...complete, methods: { ...complete.methods, More: () => 0 } },
      /method More is not in the XML/,
    ],
    ['a property without code', { ...complete, properties: {} }, /property P has no code/],
    ['a property without a setter', { ...complete, setters: {} }, /setter P has no code/],
    [
      'a raw method that takes no bytes',
      { ...complete, methods: { Do: () => 0 }, rawMethods: { Raw: () => undefined } },
      /a raw method takes 'ay', not 's'/,
    ],
    ['a limit for nothing', { ...complete, maxBodyBytes: { X: 1 } }, /maxBodyBytes X is not/],
  ])('%s is refused when the program starts', (_what, handlers, message) => {
    expect(() => defineInterface(definition, handlers)).toThrow(message);
  });
});

test('the bundled bus layer carries nothing of dbus-next that is not used', async () => {
  const { metafile } = await build({
    entryPoints: ['src/dbus/index.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    plugins: esbuildPlugins,
    logLevel: 'silent',
  });
  const modules = Object.keys(metafile.inputs).filter((path) => path.includes('node_modules'));
  expect(modules.filter((path) => !path.includes('node_modules/dbus-next/'))).toEqual([]);
});
