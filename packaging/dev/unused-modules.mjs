// SPDX-License-Identifier: Apache-2.0
// For esbuild: what packages load without need. It is replaced by as much as loading takes, which
// keeps it out of the bundle, and out of the start-up time and the memory of the daemon.

import { dirname, sep } from 'node:path';

/** A package's folder → what it asks for → the module that it gets. */
const unused = {
  // Proxies, exported objects, integers beyond BigInt, other transports: src/dbus has its own or none.
  'dbus-next': {
    xml2js: 'module.exports = { Builder: class {} };',
    jsbi: 'module.exports = {};',
    x11: 'module.exports = {};',
    usocket: 'module.exports = {};',
    'event-stream': 'module.exports = {};',
    long: 'module.exports = {};',
    '@nornagon/put': 'module.exports = {};',
    './service/handlers': 'module.exports = () => false;',
    './service/object': 'module.exports = class {};',
    './client/proxy-object': 'module.exports = class {};',
  },
  // Files, threads and redaction: src/util/log.ts writes by itself, and says what is in an entry.
  pino: {
    'node:os': "module.exports = { hostname: () => '' };",
    worker_threads: 'module.exports = { isMainThread: true };',
    'sonic-boom': 'module.exports = class {};',
    'on-exit-leak-free': 'module.exports = {};',
    '@pinojs/redact': 'module.exports = {};',
    './transport': 'module.exports = () => {};',
    './lib/transport': 'module.exports = () => {};',
    './lib/multistream': 'module.exports = () => {};',
  },
};

/** The package that a file belongs to, if it is one of those above. */
function packageOf(file) {
  const folders = dirname(file).split(sep);
  const name = folders[folders.lastIndexOf('node_modules') + 1];
  return unused[name] && [name, unused[name]];
}

export const unusedModules = {
  name: 'unused-modules',
  setup(build) {
    const names = Object.values(unused).flatMap(Object.keys);
    const filter = new RegExp(`^(?:${names.join('|')})$`);
    build.onResolve({ filter }, ({ path, importer }) => {
      const [name, modules] = packageOf(importer) ?? [];
      const contents = modules?.[path];
      return contents && { path: `${name}/${path}`, namespace: 'unused', pluginData: contents };
    });
    build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ pluginData }) => ({
      contents: pluginData,
      loader: 'js',
    }));
  },
};
