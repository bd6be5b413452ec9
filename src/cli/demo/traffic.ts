// SPDX-License-Identifier: Apache-2.0
// Counts what went each way.

export class Traffic {
  sentMessages = 0;
  sentBytes = 0;
  receivedMessages = 0;
  receivedBytes = 0;

  sent(bytes: number): void {
    this.sentMessages += 1;
    this.sentBytes += bytes;
  }

  received(bytes: number): void {
    this.receivedMessages += 1;
    this.receivedBytes += bytes;
  }
}
