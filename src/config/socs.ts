// SPDX-License-Identifier: Apache-2.0
// The board table: what is known of each SoC before anything is asked or configured. Register layout
// of its MU, how many vdevs its M core firmware can address, where the SDK's firmware expects the
// rings of each core, by which names device trees call it. Addresses are the host's view.

export interface SocCore {
  /** Where the core's firmware looks for vdev 0's rings. */
  readonly vringBase: number;
  /** Where this daemon puts the buffers unless told otherwise; firmware learns it from descriptors. */
  readonly bufferBase: number;
  /** Registers of the MU that RPMsg-Lite's port uses, on Linux' side; undefined where not known. */
  readonly muBase: number | undefined;
}

/** A MU by which SCFW can be called, and the resource by which SCFW knows it. */
export interface ScuMu {
  readonly base: number;
  readonly resource: number;
  /** imx-scu calls through this one: two callers on one MU corrupt each other's calls. */
  readonly isKernels: boolean;
}

export interface Soc {
  readonly muGeneration: 'v1' | 'imx7ulp' | 'v2';
  /** Links that the A core has in the RPMsg-Lite port of this SoC (rpmsg_platform.h), 8 at most. */
  readonly maxVdevs: number;
  /** What its M cores are called in the compatibles of remoteproc: `fsl,imx8mm-cm4`. */
  readonly remoteproc: string;
  /** What an open MU needs that a UIO driver does not switch on by itself. */
  readonly muNeeds: 'power-domain' | 'clock';
  /** Empty: there is no SCFW. */
  readonly scuMus: readonly ScuMu[];
  readonly cores: Readonly<Record<string, SocCore>>;
}

/** The bus API and the attach protocol number vdevs 0..7. */
export const maxVdevs = 8;

function at(vringBase: number, bufferBase: number, muBase?: number): SocCore {
  return { vringBase, bufferBase, muBase };
}

/** LSIO's MU0 to MU4 are wired to SCFW; their resources follow each other as their registers do. */
const lsioScuMus: readonly ScuMu[] = [0, 1, 2, 3, 4].map((index) => ({
  base: 0x5d1b0000 + index * 0x10000,
  resource: 213 + index,
  isKernels: index === 1,
}));
const lsioMu5 = 0x5d200000;
const lsioMu6 = 0x5d210000;
const imx8mMu = 0x30aa0000;
const imx93Mu1 = 0x44230000;

const scfw = { muGeneration: 'v1', muNeeds: 'power-domain', scuMus: lsioScuMus } as const;
const v1 = { muGeneration: 'v1', muNeeds: 'clock', scuMus: [] } as const;
const v2 = { muGeneration: 'v2', muNeeds: 'clock', scuMus: [] } as const;

/** These ports send (vq & 7) << 16 in a word, which is four vdevs; others have room for more than 8. */
const threeBits = 4;
/** These ports send the queue's number alone. */
const queueAlone = 1;

export const socs: Readonly<Record<string, Soc>> = {
  imx6sx: {
    ...v1,
    remoteproc: 'cm4',
    maxVdevs: queueAlone,
    cores: { m4: at(0x8fff0000, 0x8f400000) },
  },
  imx7d: {
    ...v1,
    remoteproc: 'cm4',
    maxVdevs: queueAlone,
    cores: { m4: at(0x8fff0000, 0x8f400000) },
  },
  imx7ulp: {
    ...v1,
    muGeneration: 'imx7ulp',
    remoteproc: 'cm4',
    maxVdevs,
    cores: { m4: at(0x9ff00000, 0x9f400000) },
  },
  imx8qxp: {
    ...scfw,
    remoteproc: 'cm4',
    maxVdevs,
    cores: { cm40: at(0x90000000, 0x90400000, lsioMu5) },
  },
  imx8dxl: {
    ...scfw,
    remoteproc: 'cm4',
    maxVdevs,
    cores: { cm40: at(0x90000000, 0x90400000, lsioMu5) },
  },
  imx8qm: {
    ...scfw,
    remoteproc: 'cm4',
    maxVdevs: threeBits,
    cores: {
      cm40: at(0x90000000, 0x90400000, lsioMu5),
      cm41: at(0x90100000, 0x90600000, lsioMu6),
    },
  },
  imx8mq: {
    ...v1,
    remoteproc: 'cm4',
    maxVdevs,
    cores: { m4: at(0xb8000000, 0xb8400000, imx8mMu) },
  },
  imx8mm: {
    ...v1,
    remoteproc: 'cm4',
    maxVdevs,
    cores: { m4: at(0xb8000000, 0xb8400000, imx8mMu) },
  },
  imx8mn: {
    ...v1,
    remoteproc: 'cm7',
    maxVdevs,
    cores: { m7: at(0x55000000, 0x55800000, imx8mMu) },
  },
  imx8mp: {
    ...v1,
    remoteproc: 'cm7',
    maxVdevs,
    cores: { m7: at(0x55000000, 0x55800000, imx8mMu) },
  },
  imx8ulp: {
    ...v2,
    remoteproc: 'cm33',
    maxVdevs: threeBits,
    cores: { m33: at(0xaff00000, 0xa8400000) },
  },
  imx93: {
    ...v2,
    remoteproc: 'cm33',
    maxVdevs: threeBits,
    cores: { m33: at(0xa4000000, 0xa4400000, imx93Mu1) },
  },
  imx95: {
    ...v2,
    remoteproc: 'cm7',
    maxVdevs: threeBits,
    cores: { m7: at(0x88000000, 0x88400000) },
  },
};

export function hasScfw(soc: string): boolean {
  return Object.hasOwn(socs, soc) && (socs[soc]?.scuMus.length ?? 0) > 0;
}
