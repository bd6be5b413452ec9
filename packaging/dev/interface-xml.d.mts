// SPDX-License-Identifier: Apache-2.0
// Types of interface-xml.mjs, for the tests that use it.

import type { CompiledXml } from '../../src/dbus/interface-definition.ts';

export function compileInterfaceXml(text: string, file?: string): CompiledXml;
export const esbuildPlugin: import('esbuild').Plugin;
export const esbuildPlugins: import('esbuild').Plugin[];
export const vitePlugin: import('vite').Plugin;
