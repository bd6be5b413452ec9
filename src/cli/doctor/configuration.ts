// SPDX-License-Identifier: Apache-2.0
// Which remotes the files and the device tree of a machine describe.

import {
  type Config,
  ConfigError,
  configDirectories,
  liveTree,
  loadConfig,
  lookedFor,
  problemLine,
} from '../../config/index.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Machine } from './machine.ts';

export interface ConfigurationLook {
  /** Undefined when it is refused. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

const check = 'configuration';

export function lookAtConfiguration(machine: Machine): ConfigurationLook {
  const directories = configDirectories.map((directory) => machine.path(directory));
  const deviceTree = machine.exists(liveTree) ? machine.path(liveTree) : undefined;
  try {
    const config = loadConfig({ directories, deviceTree, liveTree: false });
    return { config, findings: [summary(config, machine)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const remedy = 'rpmsgd refuses to start like this; correct it, then run rpmsgd --print-config';
    const findings = error.problems.map((problem) => fail(check, problemLine(problem), remedy));
    return { config: undefined, findings };
  }
}

function summary({ remotes, files, deviceTree }: Config, machine: Machine): Finding {
  const read = [...(deviceTree === undefined ? [] : [deviceTree]), ...files].join(', ');
  if (remotes.length > 0) {
    const each = remotes.map(({ name, soc, setup }) => {
      const vdevs = `${setup.vdevs} vdev${setup.vdevs > 1 ? 's' : ''}`;
      return `${name} (${setup.platform.kind}, ${soc}, ${vdevs})`;
    });
    return ok(check, `${each.join(', ')}; from ${read}`);
  }
  const tree =
    deviceTree === undefined
      ? `there is no device tree in ${machine.path(liveTree)}`
      : `${deviceTree} has not ${lookedFor}`;
  return warn(
    check,
    `no remote: none in files of ${configDirectories.join(', ')}, and ${tree}`,
    "apply your board's overlay of /usr/share/rpmsgd/overlays, or describe a remote in /etc/rpmsg/rpmsgd.toml",
  );
}
