// SPDX-License-Identifier: Apache-2.0
// What is known of each SoC: register layout of its MU, how many vdevs its M core firmware can
// address, and where the SDK's firmware expects the rings of each core.

export interface SocCore {
  /** Where the core's firmware looks for vdev 0's rings. */
  readonly vringBase: number;
  /** Where this daemon puts the buffers unless told otherwise; firmware learns it from descriptors. */
  readonly bufferBase: number;
}

export interface Soc {
  readonly muGeneration: 'v1' | 'imx7ulp' | 'v2';
  /** Links that the A core has in the RPMsg-Lite port of this SoC (rpmsg_platform.h), 8 at most. */
  readonly maxVdevs: number;
  readonly cores: Readonly<Record<string, SocCore>>;
}

/** The bus API and the attach protocol number vdevs 0..7. */
export const maxVdevs = 8;

function at(vringBase: number, bufferBase: number): SocCore {
  return { vringBase, bufferBase };
}

export const socs: Readonly<Record<string, Soc>> = {
  imx6sx: { muGeneration: 'v1', maxVdevs: 1, cores: { m4: at(0x8fff0000, 0x8f400000) } },
  imx7d: { muGeneration: 'v1', maxVdevs: 1, cores: { m4: at(0x8fff0000, 0x8f400000) } },
  imx7ulp: { muGeneration: 'imx7ulp', maxVdevs, cores: { m4: at(0x9ff00000, 0x9f400000) } },
  imx8qxp: { muGeneration: 'v1', maxVdevs, cores: { cm40: at(0x90000000, 0x90400000) } },
  imx8dxl: { muGeneration: 'v1', maxVdevs, cores: { cm40: at(0x90000000, 0x90400000) } },
  imx8qm: {
    muGeneration: 'v1',
    maxVdevs: 4,
    cores: { cm40: at(0x90000000, 0x90400000), cm41: at(0x90100000, 0x90600000) },
  },
  imx8mq: { muGeneration: 'v1', maxVdevs, cores: { m4: at(0xb8000000, 0xb8400000) } },
  imx8mm: { muGeneration: 'v1', maxVdevs, cores: { m4: at(0xb8000000, 0xb8400000) } },
  imx8mn: { muGeneration: 'v1', maxVdevs, cores: { m7: at(0x55000000, 0x55800000) } },
  imx8mp: { muGeneration: 'v1', maxVdevs, cores: { m7: at(0x55000000, 0x55800000) } },
  imx8ulp: { muGeneration: 'v2', maxVdevs: 4, cores: { m33: at(0xaff00000, 0xa8400000) } },
  imx93: { muGeneration: 'v2', maxVdevs: 4, cores: { m33: at(0xa4000000, 0xa4400000) } },
  imx95: { muGeneration: 'v2', maxVdevs: 4, cores: { m7: at(0x88000000, 0x88400000) } },
};
