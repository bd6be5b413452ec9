// SPDX-License-Identifier: Apache-2.0
// x86 hides a missing barrier and an access that Device memory forbids. This compiles the functions
// of native/memory for arm64 and reads the machine code: each barrier is there, in its place, and
// the shared side of a copy sees plain aligned accesses of one register only.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(fileURLToPath(import.meta.url)), '../../native');
const compiler = process.env.AARCH64_CXX ?? 'aarch64-linux-gnu-g++';
const objdump = process.env.AARCH64_OBJDUMP ?? 'aarch64-linux-gnu-objdump';

// Each wrapper pins down one function between an earlier and a later access of its caller.
const wrappers = `
#include "memory/barrier.h"
using namespace rpmsg;
using Field = volatile uint16_t;
extern "C" {
void publish(volatile uint32_t* entry, Field* index) { *entry = 7; publish_index(index, 1); }
uint32_t consume(const Field* index, volatile uint32_t* entry) {
  return consume_index(index) + *entry;
}
uint16_t reenable(Field* flags, const Field* index) {
  return store_flags_then_look(flags, 1, index);
}
uint16_t dekker(volatile uint32_t* entry, Field* index, const Field* flags) {
  *entry = 7;
  return publish_then_look(index, 1, flags);
}
void kick(volatile uint32_t* entry, volatile uint32_t* mu) {
  *entry = 7;
  device_write_barrier();
  *mu = 1;
}
}
`;

// What memory sees, in order: instruction names as objdump spells them.
const sequences = {
  publish: ['str w', 'dmb oshst', 'strh w'],
  consume: ['ldrh w', 'dmb oshld', 'ldr w'],
  reenable: ['strh w', 'dmb osh', 'ldrh w'],
  dekker: ['str w', 'dmb oshst', 'strh w', 'dmb osh', 'ldrh w'],
  kick: ['str w', 'dsb st', 'str w'],
};

const scratch = mkdtempSync(join(tmpdir(), 'check-barriers-'));
let passed = 0;
const failures = [];

function check(what, isRight, detail) {
  if (isRight) passed += 1;
  else failures.push(`${what}: ${detail}`);
}

/** Compiles one source and returns, by function name, its instructions as "name operands". */
function disassemble(source) {
  const object = join(scratch, 'object.o');
  const flags = ['-std=c++20', '-O2', '-DNDEBUG', '-fno-exceptions', `-I${native}`];
  execFileSync(compiler, [...flags, '-c', source, '-o', object], { stdio: 'inherit' });
  const text = execFileSync(objdump, ['-dr', '--no-show-raw-insn', '-C', object], {
    encoding: 'utf8',
  });
  const functions = new Map();
  let current;
  for (const line of text.split('\n')) {
    const start = /^[0-9a-f]+ <(.*)>:$/.exec(line);
    if (start) {
      current = [];
      functions.set(start[1], current);
      continue;
    }
    const instruction = /^\s+[0-9a-f]+:\s+(.+)$/.exec(line);
    if (instruction && current) current.push(instruction[1].replace(/\s+/g, ' '));
  }
  return functions;
}

function memoryOperations(instructions) {
  return instructions
    .filter((text) => /^(ld|st|dmb|dsb)/.test(text))
    .map((text) => (/^d[ms]b/.test(text) ? text : text.replace(/^(\w+ [wxqv]).*$/, '$1')));
}

function checkSequences() {
  const source = join(scratch, 'barriers.cc');
  writeFileSync(source, wrappers);
  const functions = disassemble(source);
  for (const [name, expected] of Object.entries(sequences)) {
    const found = memoryOperations(functions.get(name) ?? []);
    const isRight = found.join('; ') === expected.join('; ');
    check(name, isRight, `expected "${expected.join('; ')}", found "${found.join('; ')}"`);
  }
}

// A pair, a vector or an exclusive may fault on Device memory, and libc may use any of them. A frame
// on the stack is private.
const forbidden = /^(ldp|stp|ldnp|stnp|ld[1-4]|st[1-4]|ldx|stx|ldax|stlx|cas|swp|ldadd|dc) /;

function checkCopies() {
  const functions = disassemble(join(native, 'memory/shared_copy.cc'));
  for (const name of ['copy_to_shared', 'copy_from_shared', 'zero_shared']) {
    const entry = [...functions].find(([symbol]) => symbol.startsWith(`rpmsg::${name}(`));
    check(`${name} exists`, entry !== undefined, 'no such function in the object file');
    if (!entry) continue;
    const text = entry[1].filter((line) => !line.includes('[sp'));
    const calls = text.filter((line) => /^(bl|blr|br) |R_AARCH64_(CALL26|JUMP26)/.test(line));
    check(`${name} calls nothing`, calls.length === 0, `found "${calls.join('; ')}"`);
    const wide = text.filter(
      (line) => forbidden.test(line) || /^(ldu?r|stu?r) [qdsv]\d/.test(line),
    );
    check(`${name} uses single registers`, wide.length === 0, `found "${wide.join('; ')}"`);
    const words = text.filter((line) => /^(ldr|str) x/.test(line));
    check(`${name} moves whole words`, words.length > 0, 'found no 64-bit load or store');
  }
}

try {
  checkSequences();
  checkCopies();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
for (const failure of failures) console.error(`check-barriers: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
