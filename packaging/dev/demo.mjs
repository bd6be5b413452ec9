// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: sets up, builds, starts a simulated SoC, a private bus and the daemon, and shows
// live traffic until Ctrl-C; `-- --for SECONDS` ends by itself.

import { buildProduct } from './build.mjs';
import { abortOnSignals, clientLibrary, firmwareCommand, Scene } from './scene.mjs';
import { setup } from './setup.mjs';

const usage = `Usage: npm run demo [-- OPTIONS]
Shows live traffic between a simulated M core and a D-Bus client. Ctrl-C ends it.

  --for SECONDS  end after so long
  --no-build     use what was built before
  --help         print this and exit
`;

function parse(args) {
  const options = { noBuild: false, forMs: undefined, help: false };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--help') options.help = true;
    else if (args[i] === '--no-build') options.noBuild = true;
    else if (args[i] === '--for' && Number(args[i + 1]) > 0) options.forMs = args[++i] * 1000;
    else throw new Error(`${args.slice(i).join(' ')}: this is not understood\n${usage}`);
  }
  return options;
}

async function main(args) {
  const { help, forMs, noBuild } = parse(args);
  if (help) {
    process.stdout.write(usage);
    return;
  }
  if (!noBuild) {
    await setup('demo');
    await buildProduct();
  }
  const signal = abortOnSignals();
  console.log('== demo: one simulated i.MX8QXP, remote cm40, two vdevs; Ctrl-C ends it');
  const firmware = ({ vdevs }) => firmwareCommand(vdevs, '--nxp');
  await show(await Scene.start({ firmware, signal }), signal, forMs);
}

/** Aborts with `signal`, or when the time is over. */
function withTimeout(signal, timeoutMs) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  setTimeout(abort, timeoutMs).unref();
  return controller.signal;
}

/** Runs the client; both it and the daemon must end well. */
async function show(scene, ended, forMs) {
  let failure;
  try {
    await scene.waitForChannels();
    const { address } = scene;
    console.log(`== try: DBUS_SYSTEM_BUS_ADDRESS=${address} busctl --system tree org.rpmsg`);
    console.log(`==  or: dist/rpmsgctl.js --bus ${address} nxp rtc get`);
    const colour = process.stdout.isTTY === true;
    const signal = forMs === undefined ? ended : withTimeout(ended, forMs);
    await clientLibrary().runDemo({ address, colour, signal, print: console.log });
  } catch (error) {
    failure = error;
  }
  const result = await scene.stop();
  if (failure !== undefined) throw failure;
  if (result?.code !== 0) throw scene.daemon.failure();
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
