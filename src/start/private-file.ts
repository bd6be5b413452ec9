// SPDX-License-Identifier: Apache-2.0
// Files that only this user can have written, and that are whole or not there.

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  promises,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

const fileMode = 0o600;
const othersMayWrite = 0o022;
const othersMayDoAnything = 0o077;

/** The content; undefined where it is not there, cannot be read, or others may have had a hand in it. */
export function readPrivateFile(path: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    if (!isOurs(statSync(dirname(path)), othersMayWrite)) return undefined;
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(fd);
    if (!found.isFile() || found.nlink !== 1 || !isOurs(found, othersMayDoAnything))
      return undefined;
    return readFileSync(fd);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function isOurs({ uid, mode }: { uid: number; mode: number }, forbidden: number): boolean {
  return uid === process.geteuid?.() && (mode & forbidden) === 0;
}

/**
 * Writes a file that a crash of the machine may cost, as all of a tmpfs. False where that cannot be:
 * nothing has changed then.
 */
export function writePrivateFile(path: string, content: string): boolean {
  const draft = draftOf(path);
  try {
    writeFileSync(draft, content, { mode: fileMode });
    renameSync(draft, path);
    return true;
  } catch {
    removeQuietly(draft);
    return false;
  }
}

/**
 * Writes a file that is whole after a crash of the machine too, in a folder that is made for it, without
 * blocking. Where that cannot be nothing has changed.
 */
export async function keepPrivateFile(path: string, content: Uint8Array): Promise<void> {
  const { mkdir, open, rename } = promises;
  const draft = draftOf(path);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await dropDrafts(path);
    const file = await open(draft, 'w', fileMode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch {
    removeQuietly(draft);
  }
}

/** Those of processes that died over them; one that still writes gives up. */
async function dropDrafts(path: string): Promise<void> {
  for (const name of await promises.readdir(dirname(path))) {
    if (name.startsWith(`${basename(path)}.`)) removeQuietly(join(dirname(path), name));
  }
}

/** Of this process alone: others may write the same file. */
function draftOf(path: string): string {
  return `${path}.${process.pid}`;
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not made.
  }
}
