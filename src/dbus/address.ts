// SPDX-License-Identifier: Apache-2.0
// Where a bus listens: D-Bus addresses (specification, "Server Addresses"), 'system', 'session'.

const SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket';
const FORM =
  "use 'system', 'session', 'unix:path=/socket', 'unix:abstract=name' or 'tcp:host=name,port=number'";

/** As node:net takes it; an abstract name is a path that starts with a zero byte. */
export type SocketAddress =
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

/**
 * The sockets an address names, in the order to try them.
 * @throws Error saying what is wrong with the address
 */
export function socketAddresses(
  address: string,
  env: NodeJS.ProcessEnv = process.env,
): SocketAddress[] {
  return resolve(address, env)
    .split(';')
    .filter((entry) => entry !== '')
    .map(socketAddress);
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

function socketAddress(entry: string): SocketAddress {
  const colon = entry.indexOf(':');
  const values = new Map<string, string>();
  for (const pair of entry.slice(colon + 1).split(',')) {
    const [key = '', value = ''] = pair.split('=', 2);
    if (value !== '') values.set(key, decodeValue(value, entry));
  }
  switch (entry.slice(0, colon)) {
    case 'unix':
      return { path: unixPath(values, entry) };
    case 'tcp':
      return tcpAddress(values, entry);
    default:
      throw new Error(`bus address '${entry}' is neither unix: nor tcp: ${FORM}`);
  }
}

function unixPath(values: ReadonlyMap<string, string>, entry: string): string {
  const path = values.get('path');
  const name = values.get('abstract');
  if (path !== undefined) return path;
  if (name !== undefined) return `\0${name}`;
  if (values.has('runtime')) return `${process.env['XDG_RUNTIME_DIR'] ?? ''}/bus`;
  throw new Error(`bus address '${entry}' has neither path= nor abstract=: ${FORM}`);
}

function tcpAddress(values: ReadonlyMap<string, string>, entry: string): SocketAddress {
  const host = values.get('host');
  const port = Number(values.get('port'));
  if (host !== undefined && Number.isInteger(port) && port > 0 && port < 65_536) {
    return { host, port };
  }
  throw new Error(`bus address '${entry}' has no host= and port= of 1 to 65535: ${FORM}`);
}

function decodeValue(value: string, entry: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Error(`bus address '${entry}' has a % without two hexadecimal digits`);
  }
}
