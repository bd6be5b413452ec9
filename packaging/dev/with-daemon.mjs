// SPDX-License-Identifier: Apache-2.0
// `npm run --silent with-daemon -- [OPTION...] [--] COMMAND...`: starts simulated SoCs, a private
// bus and the daemon, waits until every channel is there, runs COMMAND with
// DBUS_SYSTEM_BUS_ADDRESS and RPMSG_SOC_SOCKET (of the first SoC) set, stops everything, exits with
// COMMAND's status.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { buildProduct } from './build.mjs';
import { abortOnSignals, firmwareChannels, firmwareCommand, nxpChannels, Scene } from './scene.mjs';
import { setup } from './setup.mjs';

const usage = `Usage: npm run --silent with-daemon -- [options] [--] COMMAND [ARGUMENT...]
Runs COMMAND beside a simulated SoC, a private bus and a daemon that serves them.

  --config FILE  another set-up than one remote cm40 with two vdevs (rpmsgd.toml; sockets are
                 chosen here, whatever FILE says)
  --firmware OPTIONS
                 added to the command line of each rpmsg-firmware, as --nxp
  --verbose      show the daemon's log on standard error
  --no-build     use what was built before
  --help         print this and exit
`;

/** Takes an option and its value off the front of `args`; false when COMMAND begins there. */
function takeOption(args, options) {
  const flags = { '--verbose': 'show', '--no-build': 'noBuild', '--help': 'help' };
  const [first] = args;
  const values = { '--config': 'configFile', '--firmware': 'firmwareOptions' };
  if (Object.hasOwn(values, first)) [, options[values[first]]] = args.splice(0, 2);
  else if (Object.hasOwn(flags, first)) options[flags[args.shift()]] = true;
  else return false;
  return true;
}

function parse(all) {
  const options = {};
  const args = [...all];
  while (args.length > 0 && takeOption(args, options));
  if (args[0] === '--') args.shift();
  else if (args[0]?.startsWith('--')) throw new Error(`unknown option ${args[0]}\n${usage}`);
  if (args.length === 0 && !options.help) throw new Error(`COMMAND is missing\n${usage}`);
  return { ...options, command: args };
}

/** Standard output belongs to COMMAND: what set-up and build say is shown only if they fail. */
async function quietly(work) {
  const said = [];
  const { log } = console;
  console.log = (...words) => void said.push(words.join(' '));
  try {
    await work();
  } catch (error) {
    console.error(said.join('\n'));
    throw error;
  } finally {
    console.log = log;
  }
}

async function prepare() {
  await setup('demo');
  await buildProduct();
}

/** Ctrl-C reaches COMMAND by itself, and may mean to it what it likes; the rest is passed on. */
function passSignals(child) {
  const pass = (signal) => child.kill(signal);
  process.on('SIGTERM', pass);
  process.on('SIGHUP', pass);
}

function runCommand([command, ...args], { address, config }) {
  return new Promise((resolve) => {
    const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address };
    const socket = config.remote?.[0]?.socket;
    if (socket !== undefined) env.RPMSG_SOC_SOCKET = socket;
    const child = spawn(command, args, { env, stdio: 'inherit' });
    passSignals(child);
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(error.code === 'ENOENT' ? 127 : 126);
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** What can be waited for: firmware that is told what to announce may leave some out. */
function channelsOf(firmwareOptions) {
  if (/--(app|quiet|hold)\b/.test(firmwareOptions)) return [];
  return firmwareOptions.includes('--nxp')
    ? [...firmwareChannels, ...nxpChannels]
    : firmwareChannels;
}

/** Resolves with COMMAND's status; 70 if COMMAND was content but the daemon did not end well. */
async function withDaemon(options) {
  const signal = abortOnSignals();
  const { firmwareOptions = '' } = options;
  const firmware = ({ vdevs }) => firmwareCommand(vdevs, firmwareOptions);
  const scene = await Scene.start({ ...options, firmware, signal });
  let status = 1;
  try {
    await scene.waitForChannels(channelsOf(firmwareOptions));
    if (!signal.aborted) status = await runCommand(options.command, scene);
  } finally {
    const result = await scene.stop();
    if (result?.code !== 0) {
      console.error(scene.daemon.failure().message);
      status ||= 70;
    }
  }
  return status;
}

async function main(args) {
  const options = parse(args);
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (!options.noBuild) await quietly(prepare);
  return await withDaemon(options);
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
