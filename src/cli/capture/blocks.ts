// SPDX-License-Identifier: Apache-2.0
// The blocks of a pcapng file as it comes (draft-ietf-opsawg-pcapng): cut apart, and counted.

const headBytes = 12; // type, length, and the length once more at the end
const mostBytes = 1 << 20;
const blockType = { interface: 1, statistics: 5, packet: 6 } as const;
const optionCode = { end: 0, packetDropCount: 4, interfaceDrops: 5 } as const;

export interface Block {
  readonly bytes: Buffer;
  /** A packet with bytes of its own: not a comment alone. */
  readonly isMessage: boolean;
}

/** Whole blocks out of pieces of any size, and what they say has passed. Little-endian, as hosts are. */
export class BlockReader {
  /** Messages so far, and those that the daemon could not pass on. */
  messages = 0;
  #rest: Buffer = Buffer.alloc(0);
  /** By interface: told by packets, and by statistics. */
  readonly #dropped = new Map<number, { packets: number; statistics: number }>();

  get dropped(): number {
    let sum = 0;
    for (const { packets, statistics } of this.#dropped.values())
      sum += Math.max(packets, statistics);
    return sum;
  }

  /** Those that are complete with this piece. @throws Error when it is no pcapng. */
  *push(piece: Buffer): Generator<Block> {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUInt32LE(4);
      if (length < headBytes || length % 4 !== 0 || length > mostBytes) {
        throw new Error(`the daemon sent a block of ${length} bytes, which is no pcapng`);
      }
      if (this.#rest.length < length) return;
      const bytes = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      yield { bytes, isMessage: this.#count(bytes) };
    }
  }

  #count(block: Buffer): boolean {
    const type = block.readUInt32LE(0);
    if (type !== blockType.packet && type !== blockType.statistics) return false;
    const index = block.readUInt32LE(8);
    const dropped = this.#dropped.get(index) ?? { packets: 0, statistics: 0 };
    this.#dropped.set(index, dropped);
    if (type === blockType.statistics) {
      dropped.statistics = optionOf(block, 20, optionCode.interfaceDrops) ?? dropped.statistics;
      return false;
    }
    const capturedBytes = block.readUInt32LE(20);
    const options = 28 + Math.ceil(capturedBytes / 4) * 4;
    dropped.packets += optionOf(block, options, optionCode.packetDropCount) ?? 0;
    if (capturedBytes > 0) this.messages += 1;
    return capturedBytes > 0;
  }
}

/** The 64-bit number that an option has, of those that begin at `at`. */
function optionOf(block: Buffer, at: number, wanted: number): number | undefined {
  for (let next = at; next + 4 <= block.length - 4; ) {
    const code = block.readUInt16LE(next);
    const length = block.readUInt16LE(next + 2);
    if (code === optionCode.end) return undefined;
    if (code === wanted && length === 8 && next + 12 <= block.length) {
      return Number(block.readBigUInt64LE(next + 4));
    }
    next += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}
