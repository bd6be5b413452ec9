// SPDX-License-Identifier: Apache-2.0
// What the running daemon finds in its directory, and which of it still counts.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dropOtherStates } from '../../src/daemon/runtime-dir.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-runtime-'));
  for (const name of ['cm40.state', 'm4_2dtwo.state', 'objects.jsonl', 'rpmsgd.lock']) {
    writeFileSync(join(directory, name), '');
  }
});

afterEach(() => rmSync(directory, { recursive: true }));

it('keeps the state of a remote that is left out for a while', () => {
  for (const remotes of [[], ['cm40'], ['m4-two', 'cm40']]) dropOtherStates(directory, remotes);
  expect(readdirSync(directory)).toContain('cm40.state');
  expect(readdirSync(directory)).toContain('m4_2dtwo.state');
});

it('forgets the state of a remote that is configured by another name', () => {
  dropOtherStates(directory, ['other', 'm4-two']);
  expect(readdirSync(directory).sort()).toEqual(['m4_2dtwo.state', 'objects.jsonl', 'rpmsgd.lock']);
});
