// SPDX-License-Identifier: Apache-2.0
// How a message is printed.

export type Printing = 'raw' | 'lines' | 'screen' | 'hex' | 'json';

/** What is written for one message. */
export function printed(message: Buffer, printing: Printing): Buffer {
  switch (printing) {
    case 'raw':
      return message;
    case 'lines':
      return Buffer.concat([message, Buffer.from('\n')]);
    case 'screen':
      return Buffer.from(onScreen(message));
    case 'hex':
      return Buffer.from(`${message.toString('hex')}\n`);
    case 'json':
      return Buffer.from(`${JSON.stringify({ data: [...message] })}\n`);
  }
}

// Everything a terminal could obey; it may break lines and tabulate.
const controls = /[^\P{Cc}\n\t]/gu;

/** Readable text that leaves the terminal as it is. A message that ends its own line ends it once. */
function onScreen(message: Buffer): string {
  const text = message.toString('utf8').replaceAll(controls, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return text.endsWith('\n') ? text : `${text}\n`;
}
