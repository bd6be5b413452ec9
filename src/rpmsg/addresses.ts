// SPDX-License-Identifier: Apache-2.0
// The local addresses of one vdev: who may have which.

import { RpmsgdError } from '../util/errors.ts';
import { nameServiceAddress } from './name-service.ts';

/** RPMSG_ADDR_ANY: "any free one" as a source, no address at all as a destination. */
export const anyAddress = 0xffffffff;
/** As in Linux, addresses that nobody asked for by number start here. */
export const firstDynamicAddress = 1024;

/** An address for a person. */
export function printAddress(address: number): string {
  return address < firstDynamicAddress ? String(address) : `0x${address.toString(16)}`;
}

export class AddressSpace {
  readonly #taken = new Set<number>();
  /** No dynamic address below this one is free. */
  #lowest = firstDynamicAddress;

  /** The lowest free address from 1024 up. */
  allocate(): number {
    while (this.#taken.has(this.#lowest)) this.#lowest++;
    if (this.#lowest >= anyAddress) {
      throw new RpmsgdError('quota_exceeded', 'no address is free on this vdev');
    }
    const address = this.#lowest++;
    this.#taken.add(address);
    return address;
  }

  /** Throws RpmsgdError address_in_use when somebody, or the name service, has it. */
  claim(address: number): void {
    if (address === nameServiceAddress) {
      throw new RpmsgdError(
        'address_in_use',
        `address ${nameServiceAddress} is the name service's; choose another, or 0xffffffff for a free one`,
      );
    }
    if (this.#taken.has(address)) {
      throw new RpmsgdError(
        'address_in_use',
        `address ${printAddress(address)} has an endpoint already; choose another, or 0xffffffff for a free one`,
      );
    }
    if (address >= anyAddress || address < 0) {
      throw new RpmsgdError('invalid_argument', `${address} is no address: 0 to 0xfffffffe are`);
    }
    this.#taken.add(address);
  }

  release(address: number): void {
    if (this.#taken.delete(address) && address >= firstDynamicAddress) {
      this.#lowest = Math.min(this.#lowest, address);
    }
  }
}
