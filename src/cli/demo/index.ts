// SPDX-License-Identifier: Apache-2.0
// What packaging/dev asks of the bus: waiting for a daemon to be ready, and the demo. A plain client
// of org.rpmsg, bundled as dist/demo.js.

export { runDemo } from './run.ts';
export { waitForChannels, waitForName } from './wait.ts';
