// SPDX-License-Identifier: Apache-2.0
// What stands behind the head of a packet: fields one after the other, packed, little-endian.

/** What a number stands for, for people. */
export type Meaning = 'number' | 'hex' | 'switch' | 'time' | Readonly<Record<number, string>>;

export interface Field {
  readonly name: string;
  readonly bytes: 1 | 2 | 4;
  readonly meaning: Meaning;
  /** The least and the greatest value that makes sense; without it any that fits. */
  readonly range?: readonly [number, number];
}

/** Bytes between fields that nobody looks at: zero when they are sent. */
export interface Gap {
  readonly gapBytes: number;
}

const field =
  (bytes: 1 | 2 | 4) =>
  (name: string, meaning: Meaning = 'number', range?: readonly [number, number]): Field => {
    return { name, bytes, meaning, ...(range === undefined ? {} : { range }) };
  };
export const u8 = field(1);
export const u16 = field(2);
export const u32 = field(4);
export const gap = (gapBytes: number): Gap => ({ gapBytes });

/** A field and where it is in the packet, the head counted. */
export interface PlacedField extends Field {
  readonly offset: number;
}

/** How a packet is laid out. Sizes are those of whole packets, head included. */
export interface Layout {
  readonly fields: readonly PlacedField[];
  /** As it is sent; of `data` nothing is in it. */
  readonly sizeBytes: number;
  /** A shorter packet down to this size is sound, and has the fields that fit. */
  readonly leastBytes: number;
  readonly data: DataLayout | undefined;
}

/** Bytes at the end, as many as a field says. */
export interface DataLayout {
  /** The field that counts them. */
  readonly lengthField: string;
  readonly mostBytes: number;
  /** So many are always sent; packets with more of them have no padding. */
  readonly paddedBytes: number;
}

export interface LayoutOptions {
  readonly leastBytes?: number;
  readonly data?: DataLayout;
}

const firstOffset = 10;

/** @throws Error where the table itself is wrong: the fields do not end at `sizeBytes` */
export function layout(
  sizeBytes: number,
  parts: readonly (Field | Gap)[],
  { leastBytes = sizeBytes, data }: LayoutOptions = {},
): Layout {
  let offset = firstOffset;
  const fields: PlacedField[] = [];
  for (const part of parts) {
    if ('gapBytes' in part) {
      offset += part.gapBytes;
    } else {
      fields.push({ ...part, offset });
      offset += part.bytes;
    }
  }
  if (offset !== sizeBytes) throw new Error(`the fields end at ${offset}, not at ${sizeBytes}`);
  return { fields, sizeBytes, leastBytes, data };
}

/** The largest number that a field holds. */
export function largest({ bytes }: Field): number {
  return 2 ** (8 * bytes) - 1;
}

/** A value in words: its name, a time, or the number. */
export function valueText({ meaning }: Field, value: number): string {
  if (typeof meaning === 'object') return meaning[value] ?? String(value);
  switch (meaning) {
    case 'hex':
      return `0x${value.toString(16)}`;
    case 'switch':
      return value === 0 ? 'off' : value === 1 ? 'on' : String(value);
    case 'time':
      return `${new Date(value * 1000).toISOString().slice(0, 19)}Z`;
    default:
      return String(value);
  }
}
