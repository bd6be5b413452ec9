// SPDX-License-Identifier: Apache-2.0
// A service manager that does not read must not stop the main loop.

import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Child } from '../../packaging/dev/child.mjs';
import type { NativeAddon } from '../../src/addon/native.ts';
import { compileHelper } from '../support/bus-process.ts';

const build = process.env['RPMSG_BUILD'] ?? fileURLToPath(new URL('../../build', import.meta.url));

it('gives up a datagram that nobody makes room for', async () => {
  const { notify } = createRequire(import.meta.url)(join(build, 'rpmsgd.node')) as NativeAddon;
  const directory = mkdtempSync(join(tmpdir(), 'rpmsgd-notify-'));
  const socket = join(directory, 'notify');
  const ear = new Child('notify-listener', compileHelper('notify-listener'), [socket]);
  try {
    await ear.said(/^LISTENING$/m);
    expect(notify(socket, 'STATUS=heard')).toBe(0);
    ear.kill('SIGSTOP');
    const most = 100_000;
    let sent = 0;
    while (sent < most && notify(socket, 'WATCHDOG=1') === 0) sent++;
    expect(sent).toBeLessThan(most);
    expect(notify(socket, 'WATCHDOG=1')).toBe(-11);
  } finally {
    await ear.stop('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
