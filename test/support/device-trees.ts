// SPDX-License-Identifier: Apache-2.0
// Device trees for tests: sources compiled by dtc, and blobs unpacked into directories as the kernel
// shows them (Devicetree Specification 0.4 §5).

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const treesFolder = fileURLToPath(new URL('../unit/devicetree/', import.meta.url));

/** Compiles a source in any state: what is wrong with some is what is tested. */
export function compile(source: string, folder: string): string {
  const blob = join(folder, `${basename(source)}.dtb`);
  execFileSync('dtc', ['-q', '-f', '-@', '-I', 'dts', '-O', 'dtb', '-o', blob, source]);
  return blob;
}

export const overlaysFolder = fileURLToPath(new URL('../../packaging/overlays/', import.meta.url));

/** Compiles an overlay that is installed; what dtc has to say about it is an error. */
function compileOverlay(name: string, folder: string): string {
  const blob = join(folder, `${name}.dtbo`);
  const args = ['-@', '-I', 'dts', '-O', 'dtb', '-o', blob, join(overlaysFolder, name)];
  const { status, stderr } = spawnSync('dtc', args, { encoding: 'utf8' });
  if (status !== 0 || stderr !== '') throw new Error(`${name}: ${stderr}`);
  return blob;
}

/** The blob of a board's base tree with overlays applied. */
export function applyOverlays(board: string, names: readonly string[], folder: string): string {
  const base = compile(join(treesFolder, `bases/${board}.dts`), folder);
  if (names.length === 0) return base;
  const result = join(folder, `${board}.merged.dtb`);
  const overlays = names.map((name) => compileOverlay(name, folder));
  execFileSync('fdtoverlay', ['-i', base, '-o', result, ...overlays]);
  return result;
}

/** A tree that can be changed, its properties in bytes. */
export interface MutableNode {
  readonly properties: Record<string, Uint8Array>;
  readonly children: Record<string, MutableNode>;
}

const tokens = { begin: 1, end: 2, property: 3, last: 9 };
const aligned = (at: number) => Math.ceil(at / 4) * 4;

/** The tree in a blob of dtc, which has no empty tokens. */
export function parseBlob(bytes: Buffer): MutableNode {
  const names = bytes.readUInt32BE(12);
  const text = (at: number) => bytes.toString('latin1', at, bytes.indexOf(0, at));
  const root: MutableNode = { properties: {}, children: {} };
  const open: MutableNode[] = [root];
  for (let at = bytes.readUInt32BE(8); bytes.readUInt32BE(at) !== tokens.last; ) {
    const token = bytes.readUInt32BE(at);
    const node = open.at(-1) ?? root;
    at += 4;
    if (token === tokens.end) open.pop();
    if (token === tokens.begin) {
      const name = text(at);
      const child: MutableNode = { properties: {}, children: {} };
      node.children[name] = child;
      open.push(child);
      at = aligned(at + name.length + 1);
    }
    if (token === tokens.property) {
      const length = bytes.readUInt32BE(at);
      const name = text(names + bytes.readUInt32BE(at + 4));
      node.properties[name] = bytes.subarray(at + 8, at + 8 + length);
      at = aligned(at + 8 + length);
    }
  }
  return root.children[''] ?? root;
}

/** Unpacks a blob into `directory`, which it makes. */
export function unpack(blob: string, directory: string): string {
  const write = (node: MutableNode, path: string) => {
    mkdirSync(path, { recursive: true });
    for (const [name, value] of Object.entries(node.properties)) {
      writeFileSync(join(path, name), value);
    }
    for (const [name, child] of Object.entries(node.children)) write(child, join(path, name));
  };
  write(parseBlob(readFileSync(blob)), directory);
  return directory;
}

/** The tree of a source in the folder of trees, unpacked. */
export function unpackSource(name: string, folder: string): string {
  return unpack(compile(join(treesFolder, name), folder), join(folder, `${basename(name)}.tree`));
}
