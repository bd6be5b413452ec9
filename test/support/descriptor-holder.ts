// SPDX-License-Identifier: Apache-2.0
// A service with a descriptor store, bundled and run by tests. Its first life stores descriptor 10 under
// the names given, one after the other; each later one reads a packet from the last one it inherits,
// answers it, and removes all when the packet was `three`. READY comes last; it tells what happens.

import { closeSync, readlinkSync, readSync, writeSync } from 'node:fs';
import { notify } from '../../src/addon/system.ts';
import { DescriptorStore } from '../../src/systemd/descriptor-store.ts';
import { takeManagerEnvironment } from '../../src/systemd/environment.ts';

const firstFd = 10;
const manager = takeManagerEnvironment();
const store = new DescriptorStore(manager);
const tell = (text: string) => writeSync(1, `HOLDER ${text}\n`);

function answer(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch (error) {
    tell(`cannot answer: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function serve(inherited: ReadonlyMap<string, number>): void {
  const names = [...inherited.keys()];
  const fd = inherited.get(names.at(-1) ?? '') ?? -1;
  tell(`inherited ${names.join(' ')}, a ${readlinkSync(`/proc/self/fd/${fd}`).split(':')[0]}`);
  const packet = Buffer.alloc(64);
  const text = packet.toString('utf8', 0, readSync(fd, packet));
  tell(`read ${text}`);
  answer(fd, `${text} read`);
  if (text !== 'three') return;
  for (const [name, each] of inherited) {
    store.remove(name);
    closeSync(each);
  }
}

const inherited = store.inherited();
const [, , how, ...names] = process.argv;
if (inherited.size > 0) serve(inherited);
else for (const name of names) tell(`stored ${name} ${await store.store(name, firstFd)}`);
if (how === 'die-stored' && inherited.size === 0) process.kill(process.pid, 'SIGKILL');
notify(manager.notifySocket ?? '', 'READY=1');
setInterval(() => {}, 1e9);
