// SPDX-License-Identifier: Apache-2.0
// The control socket of rpmsg-soc, as a client: a line of words out, a line of JSON back
// (native/sim/README.md, "The control socket").

import { connect, type Socket } from 'node:net';
import { CliStatus, RpmsgctlError } from './errors.ts';

const answerTimeoutMs = 5000;

/** Of rpmsg-simulator.service. */
const packagedSocket = '/run/rpmsg-sim/soc.sock';

/** Where boards listen: the option's value, else the variable that firmware is given, else ours. */
export function socketPath(option: string | boolean | undefined): string {
  if (typeof option === 'string') return option;
  return process.env['RPMSG_SOC_SOCKET'] ?? packagedSocket;
}

/**
 * Sends one request to the board that listens at `path` (its attach socket, or the control socket
 * itself) and resolves with its answer. Rejects with RpmsgctlError: no board there, not permitted,
 * no answer, or the board's own sentence if it said no.
 */
export async function askBoard(
  path: string,
  words: readonly string[],
): Promise<Record<string, unknown>> {
  const socket = await connectControl(path);
  try {
    socket.write(`${words.join(' ')}\n`);
    const answer = JSON.parse(await readLine(socket)) as Record<string, unknown>;
    if (answer['ok'] === true) return answer;
    throw new RpmsgctlError(CliStatus.failure, String(answer['error']));
  } finally {
    socket.destroy();
  }
}

async function connectControl(path: string): Promise<Socket> {
  const control = `${path}.control`;
  try {
    return await connectTo(control);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainConnect(error, control);
  }
  try {
    return await connectTo(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // An attach socket is there, of another type: the board has its control socket elsewhere.
    throw explainConnect(error, code === 'EPROTOTYPE' || code === 'ENOENT' ? control : path);
  }
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

function explainConnect(error: unknown, path: string): RpmsgctlError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    const rule = 'only root and the user who runs rpmsg-soc may control it';
    return new RpmsgctlError(CliStatus.noPermission, `${path}: permission denied: ${rule}`);
  }
  const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EPROTOTYPE';
  const reason = isAbsent ? 'no simulated SoC listens there' : message;
  const advice = 'start rpmsg-soc, or name its socket with --socket';
  return new RpmsgctlError(CliStatus.unavailable, `${path}: ${reason}: ${advice}`);
}

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = (reason: string) => reject(new RpmsgctlError(CliStatus.unavailable, reason));
    const timer = setTimeout(
      () => fail(`the simulated SoC did not answer within ${answerTimeoutMs} ms`),
      answerTimeoutMs,
    );
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      clearTimeout(timer);
      resolve(text.slice(0, end));
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      fail('the simulated SoC hung up without an answer');
    });
  });
}
