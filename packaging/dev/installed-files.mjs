// SPDX-License-Identifier: Apache-2.0
// What is installed, and where: [source in the checkout or name in the build folder, path].

/** From systemd/ into the folder of units. */
export const units = ['rpmsgd.service', 'rpmsg.target', 'rpmsg-simulator.service'];

/** From systemd/ into the folder of a unit's drop-ins, below that of the units. */
export const dropIns = [['simulator.conf', 'rpmsgd.service.d/simulator.conf']];

const interfaces = [
  'org.rpmsg.Channel.xml',
  'org.rpmsg.Device.xml',
  'org.rpmsg.Endpoint.xml',
  'org.rpmsg.Manager.xml',
  'org.rpmsg.Remote.xml',
];

const overlays = [
  'imx8-scu-mu.dtso',
  'imx8mm-evk-rpmsg.dtso',
  'imx8mp-evk-rpmsg.dtso',
  'imx8mq-evk-rpmsg.dtso',
  'imx8qm-mek-rpmsg.dtso',
  'imx8qxp-mek-rpmsg.dtso',
  'imx93-evk-rpmsg.dtso',
];

const talks = ['README.md', 'talk.c', 'talk.py', 'talk.sh', 'talk.ts'];

const man = '/usr/share/man';
const examples = '/usr/share/doc/rpmsgd/examples';
const completions = '/usr/share/bash-completion/completions';

export const files = {
  native: [
    ['rpmsgd.node', '/usr/lib/rpmsgd/rpmsgd.node'],
    ['rpmsg-soc', '/usr/bin/rpmsg-soc'],
    ['rpmsg-firmware', '/usr/bin/rpmsg-firmware'],
  ],
  plain: [
    ['systemd/rpmsgd.sysusers.conf', '/usr/lib/sysusers.d/rpmsgd.conf'],
    ['systemd/rpmsg-simulator.sysusers.conf', '/usr/lib/sysusers.d/rpmsg-simulator.conf'],
    ['systemd/rpmsgd.tmpfiles.conf', '/usr/lib/tmpfiles.d/rpmsgd.conf'],
    ['systemd/60-rpmsgd.rules', '/usr/lib/udev/rules.d/60-rpmsgd.rules'],
    ['systemd/rpmsgd.catalog', '/usr/lib/systemd/catalog/rpmsgd.catalog'],
    ['systemd/realtime.conf', `${examples}/realtime.conf`],
    ['systemd/tty-group.conf', `${examples}/tty-group.conf`],
    ['packaging/rpmsgd.toml', `${examples}/rpmsgd.toml`],
    ...talks.map((name) => [`packaging/examples/${name}`, `${examples}/${name}`]),
    ['src/client/api.d.ts', '/usr/lib/rpmsgd/client.d.ts'],
    ['systemd/simulator.toml', '/usr/share/rpmsgd-simulator/simulator.toml'],
    ['dbus/org.rpmsg.conf', '/usr/share/dbus-1/system.d/org.rpmsg.conf'],
    ['dbus/org.rpmsg.service', '/usr/share/dbus-1/system-services/org.rpmsg.service'],
    ...interfaces.map((name) => [`dbus/${name}`, `/usr/share/dbus-1/interfaces/${name}`]),
    ...overlays.map((name) => [`packaging/overlays/${name}`, `/usr/share/rpmsgd/overlays/${name}`]),
    ['packaging/wireshark/rpmsg.lua', '/usr/share/rpmsgd/wireshark/rpmsg.lua'],
    ['packaging/doc/bring-up.md', '/usr/share/doc/rpmsgd/bring-up.md'],
    ['packaging/completions/rpmsgctl', `${completions}/rpmsgctl`],
    ['packaging/completions/_rpmsgctl', '/usr/share/zsh/vendor-completions/_rpmsgctl'],
    ['packaging/completions/rpmsgctl.fish', '/usr/share/fish/vendor_completions.d/rpmsgctl.fish'],
    ['packaging/completions/rpmsgd', `${completions}/rpmsgd`],
    ['packaging/completions/rpmsg-soc', `${completions}/rpmsg-soc`],
    ['packaging/completions/rpmsg-firmware', `${completions}/rpmsg-firmware`],
  ],
  man: [
    ['packaging/man/rpmsgd.8', `${man}/man8/rpmsgd.8`],
    ['packaging/man/rpmsgd.toml.5', `${man}/man5/rpmsgd.toml.5`],
    ['packaging/dev/man-bus.mjs', `${man}/man5/org.rpmsg.5`],
    ['packaging/man/rpmsgctl.1', `${man}/man1/rpmsgctl.1`],
    ['packaging/man/rpmsg-soc.1', `${man}/man1/rpmsg-soc.1`],
    ['packaging/man/rpmsg-firmware.1', `${man}/man1/rpmsg-firmware.1`],
  ],
  folders: ['/etc/rpmsg/rpmsgd.toml.d', '/usr/lib/rpmsg/rpmsgd.toml.d'],
};
