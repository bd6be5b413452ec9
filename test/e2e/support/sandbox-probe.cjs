// SPDX-License-Identifier: Apache-2.0
// Tries what a process in the sandbox of rpmsgd.service must and must not be able to do, and prints
// one JSON object: attempt to `done`, an error's code, or a program's exit status.

const { spawnSync } = require('node:child_process');
const dgram = require('node:dgram');
const fs = require('node:fs');
const net = require('node:net');

const outcomes = {};

function attempt(what, work) {
  try {
    outcomes[what] = work() ?? 'done';
  } catch (error) {
    outcomes[what] = error.code ?? String(error);
  }
}

function write(directory) {
  const path = `${directory}/sandbox-probe`;
  fs.writeFileSync(path, 'x');
  fs.unlinkSync(path);
}

/** A program's exit status, as a string; what it cannot even start is its error's code. */
function status(...argv) {
  const { status: code, error } = spawnSync(argv[0], argv.slice(1), { stdio: 'ignore' });
  return error?.code ?? String(code);
}

function waitFor(what, emitter, good) {
  return new Promise((resolve) => {
    const done = (outcome) => {
      outcomes[what] = outcome;
      emitter.close?.();
      emitter.destroy?.();
      resolve();
    };
    emitter.once(good, () => done('done'));
    emitter.once('error', (error) => done(error.code));
  });
}

function tryPlaces() {
  for (const directory of ['/run/rpmsg', '/var/lib/rpmsg', '/tmp']) {
    attempt(`write ${directory}`, () => write(directory));
  }
  for (const directory of ['/etc/rpmsg', '/usr', '/var', '/run', '/home']) {
    attempt(`write ${directory}`, () => write(directory));
  }
  attempt('write a sysctl', () => fs.writeFileSync('/proc/sys/kernel/hostname', 'probe'));
  attempt('write a control group', () => fs.mkdirSync('/sys/fs/cgroup/probe'));
  attempt('read the shadow file', () => void fs.readFileSync('/etc/shadow'));
  // A terminal multiplexer's node: there, and open to everybody by its mode.
  attempt('open the device that is not UIO', () => fs.closeSync(fs.openSync('/dev/net/tun', 'r+')));
  attempt('open kernel messages', () => fs.closeSync(fs.openSync('/dev/kmsg', 'r')));
  attempt('see another process', () => void fs.readFileSync('/proc/1/cmdline'));
}

async function tryNetwork() {
  await waitFor('connect to the bus', net.connect('/run/dbus/system_bus_socket'), 'connect');
  const server = net.createServer();
  const listening = waitFor('listen on TCP', server, 'listening');
  server.listen(0, '127.0.0.1');
  await listening;
  await waitFor('connect by TCP', net.connect(9, '127.0.0.1'), 'connect');
  await new Promise((resolve) => {
    const done = (error) => {
      outcomes['send UDP'] ??= error?.code ?? 'done';
      resolve();
    };
    try {
      const socket = dgram.createSocket('udp4').once('error', done).unref();
      socket.send('x', 9, '127.0.0.1', done);
    } catch (error) {
      done(error);
    }
  });
}

function tryPrivileges() {
  attempt('make a set-user-ID file', () => {
    fs.writeFileSync('/tmp/set-user-id', 'x');
    fs.chmodSync('/tmp/set-user-id', 0o4755);
  });
  const suid = ['/usr/bin/su', '-c', 'true', 'root'];
  outcomes['run a set-user-ID program as root'] = status(...suid);
  outcomes['make a user namespace'] = status('unshare', '--user', 'true');
  outcomes['mount a file system'] = status('mount', '-t', 'tmpfs', 'tmpfs', '/tmp');
  outcomes['take a real-time priority'] = status('chrt', '--fifo', '1', 'true');
  outcomes['set the clock'] = status('date', '--set=@1');
  outcomes['set the host name'] = status('hostname', 'probe');
  attempt('become root', () => process.setuid(0));
}

async function main() {
  tryPlaces();
  await tryNetwork();
  tryPrivileges();
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
}

main();
