// SPDX-License-Identifier: Apache-2.0
// x86 hides a missing barrier and an access that Device memory forbids. This compiles for arm64 what
// touches memory or registers that a remote shares, and reads the machine code: each barrier is
// there, in its place; copies, ring fields and registers are plain aligned accesses of one register;
// and where rings and registers are served nothing is an exclusive or an atomic access.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(fileURLToPath(import.meta.url)), '../../native');
const compiler = process.env.AARCH64_CXX ?? 'aarch64-linux-gnu-g++';
const objdump = process.env.AARCH64_OBJDUMP ?? 'aarch64-linux-gnu-objdump';

// Each wrapper pins down one function between an earlier and a later access of its caller.
const wrappers = `
#include "memory/barrier.h"
#include "virtio/ring_access.h"
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
void store16(const SharedSpan* ring, uint16_t value) { ring_store<uint16_t>(*ring, 6, value); }
void store32(const SharedSpan* ring, uint32_t value) { ring_store<uint32_t>(*ring, 12, value); }
void store64(const SharedSpan* ring, uint64_t value) { ring_store<uint64_t>(*ring, 16, value); }
uint32_t load32(const SharedSpan* ring) { return ring_load_u32(*ring, 12); }
}
`;

// What memory sees, in order: instruction names as objdump spells them.
const sequences = {
  publish: ['str w', 'dmb oshst', 'strh w'],
  consume: ['ldrh w', 'dmb oshld', 'ldr w'],
  reenable: ['strh w', 'dmb osh', 'ldrh w'],
  dekker: ['str w', 'dmb oshst', 'strh w', 'dmb osh', 'ldrh w'],
  kick: ['str w', 'dsb st', 'str w'],
  // Where the ring is mapped, then its field.
  store16: ['ldr x', 'strh w'],
  store32: ['ldr x', 'str w'],
  store64: ['ldr x', 'str x'],
  load32: ['ldr x', 'ldr w'],
};

// A register of a UIO mapping: whether the device is there, where it is mapped, then one access.
const registers = {
  'rpmsg::UioRegisterWindow::read32': ['ldrb w', 'ldr x', 'ldr w'],
  'rpmsg::UioRegisterWindow::write32': ['ldrb w', 'ldr x', 'str w'],
};

// What has to come before what else; the last step nowhere earlier.
const orders = [
  {
    source: 'platform/uio/uio_interrupt.cc',
    name: 'rpmsg::UioInterrupt::unmask',
    steps: [/^dsb st$/, /CALL26 write$/],
    why: 'what acknowledged the source has reached it before the line is unmasked',
  },
  {
    source: 'mu/mu.cc',
    name: 'rpmsg::Mu::transmit',
    steps: [/^dsb st$/, /^(blr|br) /],
    why: 'the rings are there before the word',
  },
  {
    source: 'mu/mu.cc',
    name: 'rpmsg::Mu::receive',
    steps: [/^blr /, /^blr /, /^dmb oshld$/],
    why: 'the ring is read after the word',
  },
];

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

function find(functions, name) {
  return [...functions].find(([symbol]) => symbol.startsWith(`${name}(`))?.[1] ?? [];
}

function checkRegisters() {
  const functions = disassemble(join(native, 'platform/uio/uio_register_window.cc'));
  for (const [name, expected] of Object.entries(registers)) {
    const found = memoryOperations(find(functions, name));
    const isRight = found.join('; ') === expected.join('; ');
    check(name, isRight, `expected "${expected.join('; ')}", found "${found.join('; ')}"`);
  }
}

function checkOrders() {
  for (const { source, name, steps, why } of orders) {
    const text = find(disassemble(join(native, source)), name);
    let at = -1;
    for (const step of steps) at = at < -1 ? at : after(text, at, step);
    const isRight = at >= 0 && text.findIndex((line) => steps.at(-1).test(line)) === at;
    check(`${name}: ${why}`, isRight, `found "${text.join('; ')}"`);
  }
}

/** The first line after `at` that matches; -2 if none does. */
function after(text, at, pattern) {
  const found = text.findIndex((line, index) => index > at && pattern.test(line));
  return found < 0 ? -2 : found;
}

// Undefined on Device memory, and what std::atomic would use.
const atomic = /^(ldx|stx|ldax|stlx|cas|swp|ldadd|ldset|ldclr|ldeor)\w* |aarch64_(cas|swp|ld)/;

function checkAtomics() {
  for (const folder of ['memory', 'virtio', 'mu']) {
    for (const file of readdirSync(join(native, folder)).filter((name) => name.endsWith('.cc'))) {
      const lines = [...disassemble(join(native, folder, file)).values()].flat();
      const found = lines.filter((line) => atomic.test(line));
      check(`${folder}/${file} has no atomic access`, found.length === 0, found.join('; '));
      check(`${folder}/${file} has code`, lines.length > 0, 'nothing was disassembled');
    }
  }
}

try {
  checkSequences();
  checkRegisters();
  checkOrders();
  checkAtomics();
  checkCopies();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
for (const failure of failures) console.error(`check-barriers: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
