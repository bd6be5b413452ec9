// SPDX-License-Identifier: Apache-2.0
// Reads who uses whom out of the sources: #include lines of native/, imports of src/.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { init, parse } from 'es-module-lexer';
import { transform } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** One use of another folder's file, or of a package. */
export interface Edge {
  /** The file that uses, from the root of the checkout. */
  readonly file: string;
  /** Its folder as the tables name it. */
  readonly from: string;
  /** The used folder, or the package's name. */
  readonly to: string;
  /** What exactly is used, as a path below native/ or src/. */
  readonly header: string;
  readonly typeOnly: boolean;
}

function filesBelow(folder: string, endings: RegExp): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, endings);
    return endings.test(entry.name) ? [path] : [];
  });
}

/** The folder of a path below native/ or src/, as the tables name it. */
function layerOf(path: string): string {
  for (const inner of ['platform/sim', 'platform/uio', 'dbus/objects']) {
    if (path.startsWith(`${inner}/`)) return inner;
  }
  const [first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
}

/** Every #include "..." of native/. A path that names no folder is one of the includer's own. */
export function nativeEdges(): Edge[] {
  return filesBelow('native', /\.(cc|h|c)$/).flatMap((file) => {
    const own = relative('native', file);
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map(([, written = '']) => {
      const header = written.includes('/') ? normalize(written) : join(dirname(own), written);
      return { file, from: layerOf(own), to: layerOf(header), header, typeOnly: false };
    });
  });
}

/** The specifiers that a TypeScript source imports at run time, and those of any kind. */
async function specifiersOf(text: string): Promise<{ all: string[]; atRunTime: Set<string> }> {
  await init;
  const read = async (source: string): Promise<string[]> => {
    const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };
    const { code } = await transform(source, { loader: 'ts', tsconfigRaw });
    const [imports] = parse(code);
    return imports.map(({ n }) => n).filter((name) => name !== undefined);
  };
  // esbuild drops `import type`; without the word it is kept.
  const untyped = text.replace(/^(import type (?!=)|export type (?=[{*]))/gm, (words) =>
    words.replace(' type', ''),
  );
  return { all: await read(untyped), atRunTime: new Set(await read(text)) };
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

/** What one file of src/ uses: other folders, and packages; of Node itself nothing is said. */
async function usesOf(file: string): Promise<{ folders: Edge[]; externals: Edge[] }> {
  const own = relative('src', file);
  const text = readFileSync(join(root, file), 'utf8');
  const { all, atRunTime } = await specifiersOf(text);
  const from = layerOf(own);
  const folders: Edge[] = [];
  const externals: Edge[] = [];
  for (const specifier of all) {
    const typeOnly = !atRunTime.has(specifier);
    if (specifier.startsWith('.')) {
      const header = join(dirname(own), specifier);
      // What lies outside src/ is the bus's interface files and package.json.
      if (!header.startsWith('..')) {
        folders.push({ file, from, to: layerOf(header), header, typeOnly });
      }
    } else if (!specifier.startsWith('node:')) {
      externals.push({ file, from, to: packageOf(specifier), header: specifier, typeOnly });
    }
  }
  for (const name of ['sd-notify', 'rpmsgd.node']) {
    // Loaded through require, where no import statement shows it.
    if (new RegExp(`['"][^'"]*${name.replace('.', '\\.')}['"]`).test(text)) {
      externals.push({ file, from, to: name.replace('rpmsgd', ''), header: name, typeOnly: false });
    }
  }
  return { folders, externals };
}

/** Every import of src/: of another folder's file, and of a package or the addon. */
export async function sourceEdges(): Promise<{ folders: Edge[]; externals: Edge[] }> {
  const files = filesBelow('src', /(?<!\.d)\.ts$/);
  const uses = await Promise.all(files.map(usesOf));
  return {
    folders: uses.flatMap(({ folders }) => folders),
    externals: uses.flatMap(({ externals }) => externals),
  };
}
