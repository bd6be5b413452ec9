// SPDX-License-Identifier: Apache-2.0
// D-Bus interface files are imported as what packaging/dev/interface-xml.mjs compiles them to.

declare module '*.xml' {
  const definition: import('./interface-definition.ts').CompiledXml;
  export default definition;
}
