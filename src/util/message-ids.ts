// SPDX-License-Identifier: Apache-2.0
// MESSAGE_IDs of the journal, by the message that is logged. What they mean is in
// systemd/rpmsgd.catalog; an id never changes.

export const messageIds: Readonly<Record<string, string>> = {
  'remote state': '3ceaaf30814248ea91d93080f9b439fc',
  'vdev state': '9dfb369bab134faea27655daa05f1119',
  'configuration reloaded': '6301bbfca0c5454e8ff9bb510944fe0c',
  'the configuration is not reloaded': '6fced11d2bd841e6847a8387cdde8d51',
  'cannot start': '3a124c647e024f05b7c1dce27f7695f5',
  'the watchdog is not fed': '66080f174c9648e29cbd0ba3a1a6bcde',
  'bug: please report this': 'b120a366f0bb49cf82f2dc05873f9bd0',
  'the board behind this remote is gone': '78b7d0ac84774ce08e4cda11b43c589b',
  'no remote configured: describe one in /etc/rpmsg/rpmsgd.toml or the device tree, then restart':
    '2330fcf1562a44b888668d77e827062c',
};
