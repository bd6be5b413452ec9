// SPDX-License-Identifier: Apache-2.0
// Compiles a D-Bus interface XML file into a module: its text for introspection, its tables for
// dispatch. Used by the build (esbuild), the tests (vite), and whoever wants the tables in Node.

import { readFileSync } from 'node:fs';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { unusedModules } from './unused-modules.mjs';

const ANNOTATION_EMITS = 'org.freedesktop.DBus.Property.EmitsChangedSignal';
const INTERFACE_NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/;
const MEMBER_NAME = /^[A-Za-z_]\w*$/;
const BASIC_TYPES = 'ybnqiuxtdsogh';
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  isArray: (name) =>
    ['interface', 'method', 'signal', 'property', 'arg', 'annotation'].includes(name),
});

/** One complete type from the start of `text`; returns what is left, or undefined. */
function skipType(text, inArray = false) {
  const first = text[0];
  if (first === undefined) return undefined;
  if (BASIC_TYPES.includes(first) || first === 'v') return text.slice(1);
  if (first === 'a') return skipType(text.slice(1), true);
  if (first === '(') return skipMembers(text, ')');
  return first === '{' && inArray && BASIC_TYPES.includes(text[1] ?? ' ')
    ? skipMembers(text, '}')
    : undefined;
}

function skipMembers(text, close) {
  let rest = text.slice(1);
  let count = 0;
  while (rest !== undefined && rest[0] !== close) {
    rest = skipType(rest);
    count++;
  }
  const wrongCount = close === '}' ? count !== 2 : count === 0;
  return rest === undefined || wrongCount ? undefined : rest.slice(1);
}

function annotations(element) {
  return Object.fromEntries((element.annotation ?? []).map(({ name, value }) => [name, value]));
}

function checkType(type, where) {
  if (typeof type !== 'string' || skipType(type) !== '') {
    throw new Error(`${where}: type '${type}' is not one complete D-Bus type`);
  }
  return type;
}

function argument(element, index, where) {
  const name = element.name ?? `arg${index}`;
  return { name, type: checkType(element.type, `${where} argument ${name}`) };
}

function method(element, where) {
  const args = element.arg ?? [];
  const pick = (direction) =>
    args
      .filter((arg) => (arg.direction ?? 'in') === direction)
      .map((arg, index) => argument(arg, index, where));
  for (const { direction = 'in' } of args) {
    if (direction !== 'in' && direction !== 'out') {
      throw new Error(`${where}: direction '${direction}' is neither 'in' nor 'out'`);
    }
  }
  return { in: pick('in'), out: pick('out'), annotations: annotations(element) };
}

function signal(element, where) {
  const args = (element.arg ?? []).map((arg, index) => argument(arg, index, where));
  return { args, annotations: annotations(element) };
}

function property(element, where, inherited) {
  const notes = annotations(element);
  const emitsChanged = notes[ANNOTATION_EMITS] ?? inherited;
  if (!['true', 'false', 'invalidates', 'const'].includes(emitsChanged)) {
    throw new Error(`${where}: EmitsChangedSignal '${emitsChanged}' is not a known value`);
  }
  if (!['read', 'write', 'readwrite'].includes(element.access)) {
    throw new Error(`${where}: access '${element.access}' is not read, write or readwrite`);
  }
  const type = checkType(element.type, where);
  return { type, access: element.access, emitsChanged, annotations: notes };
}

function members(elements, kind, where, build) {
  const table = {};
  for (const element of elements ?? []) {
    const name = element.name;
    if (!MEMBER_NAME.test(name ?? '')) throw new Error(`${where}: ${kind} '${name}' is no name`);
    if (Object.hasOwn(table, name)) throw new Error(`${where}: ${kind} ${name} is there twice`);
    table[name] = build(element, `${where}: ${kind} ${name}`);
  }
  return table;
}

/** The `<interface>` element alone, without comments and blank lines, indented by one space. */
function interfaceText(text) {
  const bare = text.replace(/<!--[\s\S]*?-->/g, '');
  const start = bare.search(/<interface[\s>]/);
  const end = bare.indexOf('</interface>');
  const lines = bare.slice(start, end + '</interface>'.length).split('\n');
  return `${lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => (/^<\/?interface/.test(line) ? ` ${line}` : `  ${line}`))
    .join('\n')}\n`;
}

/**
 * Compiles the text of one interface file.
 * @param {string} text
 * @param {string} [file] named in errors
 * @returns {{xml: string, spec: import('../../src/dbus/interface-definition.ts').InterfaceSpec}}
 * @throws {Error} naming file, element and rule
 */
export function compileInterfaceXml(text, file = 'interface XML') {
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw new Error(`${file}:${valid.err.line}: ${valid.err.msg}`);
  const document = parser.parse(text);
  const found = document.node?.interface ?? document.interface ?? [];
  if (found.length !== 1) {
    throw new Error(`${file}: has ${found.length} <interface> elements; exactly one is expected`);
  }
  const [element] = found;
  if (!INTERFACE_NAME.test(element.name ?? '')) {
    throw new Error(`${file}: '${element.name}' is not an interface name`);
  }
  const inherited = annotations(element)[ANNOTATION_EMITS] ?? 'true';
  const where = `${file}: ${element.name}`;
  const spec = {
    name: element.name,
    methods: members(element.method, 'method', where, method),
    signals: members(element.signal, 'signal', where, signal),
    properties: members(element.property, 'property', where, (property_, at) =>
      property(property_, at, inherited),
    ),
  };
  return { xml: interfaceText(text), spec };
}

function moduleOf(file) {
  const compiled = compileInterfaceXml(readFileSync(file, 'utf8'), file);
  return `export default ${JSON.stringify(compiled)};\n`;
}

/** For esbuild: `import definition from './some.xml'`. */
export const esbuildPlugin = {
  name: 'dbus-interface-xml',
  setup(build) {
    build.onLoad({ filter: /\.xml$/ }, ({ path }) => ({ contents: moduleOf(path), loader: 'js' }));
  },
};

/** For vite and vitest: the same. */
export const vitePlugin = {
  name: 'dbus-interface-xml',
  enforce: 'pre',
  load(id) {
    const path = id.split('?')[0];
    return path.endsWith('.xml') ? moduleOf(path) : null;
  },
};

/** Every esbuild plugin that bundling src/ needs. */
export const esbuildPlugins = [esbuildPlugin, unusedModules];
