// SPDX-License-Identifier: Apache-2.0
// Where a bus listens: D-Bus addresses (specification, "Server Addresses"), 'system', 'session'.

const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
const FORM = "use 'system', 'session', 'unix:path=/socket' or 'unix:abstract=name'";

/**
 * The sockets an address names, in the order to try them, as node:net takes them: an abstract name
 * starts with a zero byte.
 * @throws Error saying what is wrong with the address
 */
export function socketPaths(address: string, env: NodeJS.ProcessEnv = process.env): string[] {
  return resolve(address, env)
    .split(';')
    .filter((entry) => entry !== '')
    .map(socketPath);
}

function resolve(address: string, env: NodeJS.ProcessEnv): string {
  if (address === 'system') return env['DBUS_SYSTEM_BUS_ADDRESS'] || SYSTEM_BUS;
  if (address !== 'session') {
    if (address === '') throw new Error(`the bus address is empty: ${FORM}`);
    return address;
  }
  if (env['DBUS_SESSION_BUS_ADDRESS']) return env['DBUS_SESSION_BUS_ADDRESS'];
  if (env['XDG_RUNTIME_DIR']) return `unix:path=${env['XDG_RUNTIME_DIR']}/bus`;
  throw new Error('no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set');
}

function socketPath(entry: string): string {
  const colon = entry.indexOf(':');
  if (entry.slice(0, colon) !== 'unix') {
    throw new Error(`bus address '${entry}' is not a unix socket: ${FORM}`);
  }
  for (const pair of entry.slice(colon + 1).split(',')) {
    const [key, value = ''] = pair.split('=', 2);
    if (value === '') continue;
    if (key === 'path') return decodeValue(value, entry);
    if (key === 'abstract') return `\0${decodeValue(value, entry)}`;
    if (key === 'runtime') return `${process.env['XDG_RUNTIME_DIR'] ?? ''}/bus`;
  }
  throw new Error(`bus address '${entry}' has neither path= nor abstract=: ${FORM}`);
}

function decodeValue(value: string, entry: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error(`bus address '${entry}' has a % without two hexadecimal digits`);
  }
}
