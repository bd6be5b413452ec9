// SPDX-License-Identifier: Apache-2.0
// What is wrong with a device tree: always a node, mostly a property, and a rule.

export class DeviceTreeError extends Error {
  /** Path from the root, `/` itself for the root. */
  readonly node: string;
  /** Empty: the node as such. */
  readonly property: string;
  readonly rule: string;

  constructor(node: string, property: string, rule: string) {
    super(property === '' ? `${node}: ${rule}` : `${node}: ${property}: ${rule}`);
    this.name = 'DeviceTreeError';
    this.node = node;
    this.property = property;
    this.rule = rule;
  }
}
