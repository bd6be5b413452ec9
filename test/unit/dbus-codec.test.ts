// SPDX-License-Identifier: Apache-2.0
// The codec against bytes known to be right, against itself with random types, and against noise.

import { describe, expect, test } from 'vitest';
import { WireError } from '../../src/dbus/errors.ts';
import { Variant } from '../../src/dbus/message-model.ts';
import { isBasicType, parseSignature, Type, type TypeNode } from '../../src/dbus/signature.ts';
import { decodeBody } from '../../src/dbus/wire-reader.ts';
import { WireWriter } from '../../src/dbus/wire-writer.ts';
import { randomGenerator } from '../support/random.ts';

function encode(signature: string, values: readonly unknown[]): Buffer {
  const writer = new WireWriter();
  writer.begin();
  parseSignature(signature).forEach((type, i) => {
    writer.value(type, values[i]);
  });
  writer.commit();
  return Buffer.concat(writer.take());
}

/** Signature, values, little-endian bytes, big-endian bytes: written by hand from the specification. */
const GOLDEN: readonly [string, unknown[], string, string][] = [
  ['y', [255], 'ff', 'ff'],
  ['b', [true], '01000000', '00000001'],
  ['yn', [1, -2], '0100feff', '0100fffe'],
  ['yu', [1, 0x12345678], '0100000078563412', '0100000012345678'],
  ['i', [-1], 'ffffffff', 'ffffffff'],
  ['t', [2n ** 64n - 1n], 'ffffffffffffffff', 'ffffffffffffffff'],
  ['x', [-(2n ** 63n)], '0000000000000080', '8000000000000000'],
  ['d', [1.5], '000000000000f83f', '3ff8000000000000'],
  ['s', ['foo'], '03000000666f6f00', '00000003666f6f00'],
  ['s', ['é'], '02000000c3a900', '00000002c3a900'],
  ['o', ['/a'], '020000002f6100', '000000022f6100'],
  ['g', ['ay'], '02617900', '02617900'],
  ['v', [new Variant('u', 1)], '0175000001000000', '0175000000000001'],
  ['ay', [Buffer.from([1, 2])], '020000000102', '000000020102'],
  ['at', [[1n]], '08000000000000000100000000000000', '00000008000000000000000000000001'],
  ['at', [[]], '0000000000000000', '0000000000000000'],
  ['(yu)', [[1, 2]], '0100000002000000', '0100000000000002'],
  ['a{ub}', [new Map([[5, true]])], '08000000000000000500000001000000', ''],
];

describe('golden bytes', () => {
  test.each(GOLDEN)(
    "'%s' of %o is encoded as the specification says",
    (signature, values, little) => {
      expect(encode(signature, values).toString('hex')).toBe(little);
    },
  );

  test.each(GOLDEN.filter(([, , , big]) => big !== ''))(
    "'%s' of %o is decoded from either byte order",
    (signature, values, little, big) => {
      expect(decodeBody(signature, Buffer.from(little, 'hex'), true)).toEqual(values);
      expect(decodeBody(signature, Buffer.from(big, 'hex'), false)).toEqual(values);
    },
  );

  test('a dictionary of variants is laid out entry by entry on 8-byte boundaries', () => {
    const bytes = encode('a{sv}', [{ a: new Variant('y', 7), b: new Variant('u', 8) }]);
    expect(bytes.toString('hex')).toBe(
      '20000000000000000100000061000179000700000000000001000000620001750000000008000000',
    );
  });
});

describe('values dbus-next cannot carry', () => {
  test('dictionaries may have keys of any basic type', () => {
    for (const [signature, map] of [
      ['a{us}', new Map([[1, 'x']])],
      ['a{ts}', new Map([[2n ** 63n, 'x']])],
      ['a{bs}', new Map([[true, 'x']])],
      ['a{ds}', new Map([[0.5, 'x']])],
    ] as const) {
      expect(decodeBody(signature, encode(signature, [map]), true)).toEqual([map]);
    }
    expect(decodeBody('a{us}', encode('a{us}', [{ 1: 'x' }]), true)).toEqual([new Map([[1, 'x']])]);
  });

  test('NaN and the infinities are doubles', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(decodeBody('ad', encode('ad', [values]), true)).toEqual([values]);
  });

  test('64-bit integers keep their whole range, and an unsafe number is refused', () => {
    const range = [-(2n ** 63n), 2n ** 63n - 1n];
    expect(decodeBody('ax', encode('ax', [range]), true)).toEqual([range]);
    expect(encode('t', [5])).toEqual(encode('t', [5n]));
    expect(() => encode('t', [2 ** 60])).toThrow(WireError);
    expect(() => encode('t', [2n ** 64n])).toThrow(/'t'/);
    expect(() => encode('x', [2n ** 63n])).toThrow(WireError);
  });

  test('the key __proto__ is a key like any other', () => {
    const sent = Object.create(null) as Record<string, number>;
    Object.defineProperty(sent, '__proto__', { value: 1, enumerable: true });
    const [table] = decodeBody('a{su}', encode('a{su}', [sent]), true);
    expect(Object.keys(table as object)).toEqual(['__proto__']);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('values that do not fit their type', () => {
  test.each([
    ['y', 256],
    ['y', -1],
    ['y', 1.5],
    ['n', 40000],
    ['u', -1],
    ['u', '1'],
    ['b', 1],
    ['s', 5],
    ['s', 'a\0b'],
    ['o', 'not/a/path'],
    ['o', '/a/'],
    ['g', 'a'],
    ['v', 5],
    ['as', 'text'],
    ['(uu)', [1]],
    ['a{sv}', null],
    ['h', -1],
  ])("'%s' refuses %o", (signature, value) => {
    expect(() => encode(signature, [value])).toThrow(WireError);
  });

  test.each(['a', '(', '()', '{sv}', 'a{vs}', 'a{s}', 'a{sss}', 'z', '(u', 'u)', 'a'.repeat(40)])(
    "'%s' is not a signature",
    (signature) => {
      expect(() => parseSignature(signature)).toThrow(WireError);
    },
  );
});

describe('hostile bytes', () => {
  test.each([
    ['a boolean of 2', 'b', '02000000'],
    ['a string longer than the body', 's', 'ffffffff6100'],
    ['a string without its zero', 's', '0100000061ff'],
    ['a string with a zero inside', 's', '0300000061006100'],
    ['an invalid object path', 'o', '010000006100'],
    ['an invalid signature', 'g', '017a00'],
    ['a descriptor that did not come', 'h', '00000000'],
    ['an array longer than the body', 'au', '0000004001000000'],
    ['an array of 128 MiB', 'ay', '00000008'],
    ['an array that ends inside an element', 'au', '0600000001000000020000'],
    ['bytes after the last value', 'y', '0101'],
    ['a body that is missing', 'u', ''],
    ['a variant of two types', 'v', '0275750001000000'],
  ])('%s is refused', (_what, signature, hex) => {
    expect(() => decodeBody(signature, Buffer.from(hex, 'hex'), true)).toThrow(WireError);
  });

  test('variants nested without end are refused before the stack is', () => {
    const nested = Buffer.concat([Buffer.from('017600'.repeat(20_000), 'hex')]);
    expect(() => decodeBody('v', nested, true)).toThrow(/nested/);
  });

  test('many signatures leave the cache bounded', () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 20_000; i++) {
      parseSignature([...i.toString(2)].map((bit) => (bit === '1' ? 'u' : 's')).join(''));
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('noise throws WireError and nothing else, whatever the signature', () => {
    const random = randomGenerator(4711);
    for (let round = 0; round < 20_000; round++) {
      const signature = randomSignature(random, 3);
      const bytes = Buffer.from(Array.from({ length: random(120) }, () => noise(random)));
      expect(outcome(signature, bytes, random(2) === 0)).toMatch(/^(decoded|WireError)$/);
    }
  });
});

describe('round trips', () => {
  test('random values of random types come back equal', () => {
    const random = randomGenerator(99);
    for (let round = 0; round < 5_000; round++) {
      const signature = randomSignature(random, 4);
      const values = parseSignature(signature).map((type) => randomValue(random, type, 0));
      expect(decodeBody(signature, encode(signature, values), true)).toEqual(values);
    }
  });

  test('a message longer than a block is written whole, and the block before it stays', () => {
    const writer = new WireWriter();
    writer.begin();
    writer.string('first');
    writer.commit();
    writer.begin();
    writer.value(parseSignature('ay')[0] as TypeNode, Buffer.alloc(300_000, 7));
    writer.commit();
    const bytes = Buffer.concat(writer.take());
    expect(bytes.length).toBe(4 + 6 + 4 + 300_000);
    expect(decodeBody('s', bytes.subarray(0, 10), true)).toEqual(['first']);
    const [long] = decodeBody('ay', bytes.subarray(10), true) as [Buffer];
    expect(long.equals(Buffer.alloc(300_000, 7))).toBe(true);
  });
});

type Random = (below: number) => number;

/** Mostly small, so that lengths are believable. */
function noise(random: Random): number {
  return random(4) === 0 ? random(256) : random(9);
}

function outcome(signature: string, bytes: Buffer, littleEndian: boolean): string {
  try {
    decodeBody(signature, bytes, littleEndian);
    return 'decoded';
  } catch (error) {
    return error instanceof WireError ? error.name : String(error);
  }
}

function randomSignature(random: Random, depth: number): string {
  return Array.from({ length: random(4) }, () => randomType(random, depth)).join('');
}

function randomType(random: Random, depth: number): string {
  const basics = 'ybnqiuxtdsog';
  const basic = () => basics[random(basics.length)] as string;
  if (depth === 0 || random(3) > 0) return random(8) === 0 ? 'v' : basic();
  switch (random(3)) {
    case 0:
      return `a${randomType(random, depth - 1)}`;
    case 1:
      return `(${basic()}${randomType(random, depth - 1)})`;
    default:
      return `a{${basic()}${randomType(random, depth - 1)}}`;
  }
}

function randomValue(random: Random, type: TypeNode, depth: number): unknown {
  const big = () => (BigInt(random(2 ** 31)) << 32n) | BigInt(random(2 ** 31));
  const text = () => ['', 'a', 'héllo', '𝄞', 'x'.repeat(random(300))][random(5)] as string;
  const children = type.children;
  switch (type.code) {
    case Type.byte:
      return random(256);
    case Type.boolean:
      return random(2) === 1;
    case Type.int16:
      return random(65536) - 32768;
    case Type.uint16:
      return random(65536);
    case Type.int32:
      return random(2 ** 31) - 2 ** 30;
    case Type.uint32:
      return random(2 ** 31) * 2;
    case Type.int64:
      return big() - 2n ** 62n;
    case Type.uint64:
      return big();
    case Type.double:
      return random(1000) / 7;
    case Type.string:
      return text();
    case Type.objectPath:
      return ['/', '/a', '/a/b_1'][random(3)];
    case Type.signature:
      return ['', 'a{sv}', 'uu'][random(3)];
    case Type.variant: {
      const signature = depth > 3 ? 'u' : randomType(random, 2);
      const inner = parseSignature(signature)[0] as TypeNode;
      return new Variant(signature, randomValue(random, inner, depth + 1));
    }
    case Type.array:
      return randomArray(random, children[0] as TypeNode, depth);
    default:
      return children.map((child) => randomValue(random, child, depth + 1));
  }
}

function randomArray(random: Random, element: TypeNode, depth: number): unknown {
  const length = random(5);
  const value = (type: TypeNode) => randomValue(random, type, depth + 1);
  if (element.code === Type.byte) return Buffer.alloc(length, random(256));
  if (element.code !== Type.dictEntry) return Array.from({ length }, () => value(element));
  const [keyType, valueType] = element.children as [TypeNode, TypeNode];
  const map = new Map(Array.from({ length }, () => [value(keyType), value(valueType)]));
  const textual = [Type.string, Type.objectPath, Type.signature] as number[];
  expect(isBasicType(keyType)).toBe(true);
  return textual.includes(keyType.code) ? Object.fromEntries(map) : map;
}
