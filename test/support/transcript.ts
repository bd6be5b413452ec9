// SPDX-License-Identifier: Apache-2.0
// The ```console blocks of a document: commands and what they print.

export interface Step {
  readonly command: string;
  readonly output: string;
}

/** The commands of all ```console blocks, in order, each with what it printed. */
export function transcript(markdown: string): Step[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const end = text.indexOf('\n');
        return { command: text.slice(0, end), output: text.slice(end + 1) };
      }),
  );
}

/** What differs from run to run: spaces at ends of lines, and the time a message was received. */
export function stable(output: string): string {
  return output.replace(/ +$/gm, '').replace(/\b\d{10,}\b/g, 'TIME');
}
