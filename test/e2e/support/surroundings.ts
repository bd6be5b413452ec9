// SPDX-License-Identifier: Apache-2.0
// What packaging/dev/e2e.mjs prepared: roots, packages, and room to work in.

export interface Surroundings {
  /** The Debian 12 root of this machine's architecture; never written to. */
  readonly root: string;
  /** The same for arm64. */
  readonly arm64Root: string;
  /** The directory with the packages of both architectures. */
  readonly packages: string;
  /** The directory with the programs of this folder. */
  readonly helpers: string;
  /** A tmpfs that goes when the run ends. */
  readonly scratch: string;
  /** A control group (version 2) that goes when the run ends. */
  readonly cgroup: string;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this by npm run test:e2e`);
  return value;
}

export function surroundings(): Surroundings {
  return {
    root: required('RPMSGD_E2E_ROOT'),
    arm64Root: required('RPMSGD_E2E_ARM64_ROOT'),
    packages: required('RPMSGD_E2E_PACKAGES'),
    helpers: required('RPMSGD_E2E_HELPERS'),
    scratch: required('RPMSGD_E2E_SCRATCH'),
    cgroup: required('RPMSGD_E2E_CGROUP'),
  };
}
