// SPDX-License-Identifier: Apache-2.0
// One daemon after the other over the same directory, each over a fake link: what a test of a restart
// does to both.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Resume } from '../../../src/addon/types.ts';
import { changes, ObjectStore } from '../../../src/state/object-store.ts';
import {
  devicePath,
  echoPath,
  Harness,
  type HarnessOptions,
  options,
  tick,
} from './objects-harness.ts';

export const any = 0xffffffff;
export const channelIface = 'org.rpmsg.Channel';
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rpmsgd-restore-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const logger = { warn: () => {}, error: () => {} };

export function openStore(boot = 'boot'): ObjectStore {
  return ObjectStore.open(directory, logger, boot);
}

export interface Death extends HarnessOptions {
  readonly resume?: Resume;
  readonly generation?: number;
  readonly bus?: string;
  readonly left?: readonly string[];
  readonly inherited?: Map<string, number>;
}

/** The first daemon, on bus "a". */
export function begin(given: HarnessOptions = {}): Harness {
  const store = openStore();
  store.commit(changes.bus('a'));
  return Harness.up(given, { store });
}

/** Kills a daemon that has done what it had begun, and starts the next one. */
export async function next(harness: Harness, death: Death = {}): Promise<Harness> {
  await tick();
  const { resume = 'resumed', generation, bus = 'a', left = [], inherited, ...given } = death;
  const link = harness.link.restart(resume, generation);
  return await Harness.after(
    { link, store: openStore(), bus, ...(inherited && { inherited }) },
    given,
    left,
  );
}

/** Stops a daemon in order. */
export async function stop(harness: Harness): Promise<void> {
  const stopped = harness.service.stop();
  for (let turn = 0; turn < 3; turn++) {
    harness.link.flush();
    await tick();
  }
  await stopped;
}

export function create(
  harness: Harness,
  src = any,
  dst = any,
  given = {},
  who = {},
): Promise<unknown> {
  const args = ['mine', src, dst, given];
  return harness.call(devicePath, 'org.rpmsg.Device', 'CreateEndpoint', args, who);
}

export function open(harness: Harness): Promise<string> {
  return harness.call(echoPath, channelIface, 'Open', [{}]) as Promise<string>;
}

export function paths(harness: Harness): string[] {
  return [...harness.tree.objects.keys()].sort();
}

export function arrive(harness: Harness, local: number, count: number): void {
  for (let n = 0; n < count; n++) harness.link.receive(0, local, 30, `${n}`);
  harness.link.flush();
}

/** The numbers of what a Receive yields. */
export async function receive(harness: Harness, path: string, max = 100): Promise<number[]> {
  const answer = await harness.endpoint(path, 'Receive', [max, 0]);
  return (answer as [unknown[][], unknown])[0].map(([seq]) => seq as number);
}

/** The numbers of what a subscriber was sent. */
export function sentTo(harness: Harness, to: string): unknown[] {
  return harness.tree.signals
    .filter((signal) => signal.member === 'MessageReceived' && signal.to === to)
    .map(({ args }) => args[0]);
}

/** Options of Subscribe. */
export function manual(window: number) {
  return options({ ack: ['s', 'manual'], window: ['u', window] });
}
