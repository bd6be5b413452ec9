// SPDX-License-Identifier: Apache-2.0
// The numbers of the SCFW API (i.MX8QM, 8QXP, 8DXL) that this project uses: frame, doorbells,
// services, functions, errors, interrupt groups and resources. Plain C11 and C++20, no types and no
// code, so that the host's client and the simulated SCFW share it and nothing else.
// Source: SCFW API RPC.
#ifndef RPMSG_SCFW_API_H
#define RPMSG_SCFW_API_H

// A message is 1 to SCFW_MAX_WORDS words. Word i goes through register i % 4, in order, each when
// that register is empty. The first word:
//   bits 7:0 version · 15:8 size in words, this one included · 23:16 service · 31:24 function
// Arguments follow packed little-endian: word 1 begins with the first one's lowest byte. A u64 is
// two words, the high one first. In an answer the service is SCFW_SVC_RETURN and the function byte
// holds the error (SCFW_ERR_*), or a boolean where a function says so below.
#define SCFW_RPC_VERSION 1u
#define SCFW_MAX_WORDS 8u
#define SCFW_MU_CHANNELS 4u
#define SCFW_WORD0(size, service, function)                                                        \
  (SCFW_RPC_VERSION | ((size)&0xFFu) << 8 | ((service)&0xFFu) << 16 | ((function)&0xFFu) << 24)
#define SCFW_VERSION_OF(word0) ((word0)&0xFFu)
#define SCFW_SIZE_OF(word0) ((word0) >> 8 & 0xFFu)
#define SCFW_SERVICE_OF(word0) ((word0) >> 16 & 0xFFu)
#define SCFW_FUNCTION_OF(word0) ((word0) >> 24 & 0xFFu)
#define SCFW_ERROR_OF(word0) SCFW_FUNCTION_OF(word0)

// Linux gives an answer this long.
#define SCFW_ANSWER_TIMEOUT_MS 30

// Doorbells: the general interrupt's number n of GIRn and GIPn, not a bit of a register.
// RST makes SCFW forget a half received request and an answer not yet sent whole. The client waits
// until its GIR3 reads 0, then drains all RR (words of an old answer may be in them), then sends.
#define SCFW_DOORBELL_SVC 3u  // SCFW to client: an enabled interrupt is pending; read STATUS
#define SCFW_DOORBELL_WAKE 2u // SCFW to client
#define SCFW_DOORBELL_BOOT 1u // SCFW to client
#define SCFW_DOORBELL_DBG 0u  // SCFW to client
#define SCFW_DOORBELL_RST 3u  // client to SCFW: reset the RPC of this MU

enum scfw_service {
  SCFW_SVC_RETURN = 1,
  SCFW_SVC_PM = 2,
  SCFW_SVC_RM = 3,
  SCFW_SVC_TIMER = 5,
  SCFW_SVC_PAD = 6,
  SCFW_SVC_MISC = 7,
  SCFW_SVC_IRQ = 8,
  SCFW_SVC_SECO = 9,
  SCFW_SVC_ABORT = 10,
};

enum scfw_error {
  SCFW_ERR_NONE = 0,
  SCFW_ERR_VERSION = 1,
  SCFW_ERR_CONFIG = 2,
  SCFW_ERR_PARM = 3,
  SCFW_ERR_NOACCESS = 4,
  SCFW_ERR_LOCKED = 5,
  SCFW_ERR_UNAVAILABLE = 6,
  SCFW_ERR_NOTFOUND = 7,
  SCFW_ERR_NOPOWER = 8,
  SCFW_ERR_IPC = 9,
  SCFW_ERR_BUSY = 10,
  SCFW_ERR_FAIL = 11,
};

// Arguments (after word 0) -> answer. "size n" counts words, word 0 included.
enum scfw_pm_function {
  SCFW_PM_REBOOT = 9,                // size 2: type u8 -> no answer at all
  SCFW_PM_RESET_REASON = 10,         // size 1 -> size 2: reason u8
  SCFW_PM_REBOOT_PARTITION = 12,     // size 2: partition u8, type u8 -> size 1
  SCFW_PM_IS_PARTITION_STARTED = 24, // size 2: partition u8 -> size 1: a boolean, not an error
  SCFW_PM_REBOOT_CONTINUE = 25,      // size 2: partition u8 -> size 1
};

enum scfw_rm_function {
  SCFW_RM_GET_PARTITION = 5,       // size 1 -> size 2: the caller's partition u8
  SCFW_RM_IS_RESOURCE_OWNED = 13,  // size 2: resource u16 -> size 1: a boolean, not an error
  SCFW_RM_GET_RESOURCE_OWNER = 33, // size 2: resource u16 -> size 2: partition u8
};

enum scfw_irq_function {
  SCFW_IRQ_ENABLE = 1, // size 3: mask u32, resource u16, group u8, enable u8 -> size 1
  SCFW_IRQ_STATUS = 2, // size 2: resource u16, group u8 -> size 2: status u32, cleared by reading
};

// Of the groups 5 to 8 bit n stands for partition n.
enum scfw_irq_group {
  SCFW_IRQ_GROUP_TEMP = 0,
  SCFW_IRQ_GROUP_WDOG = 1,
  SCFW_IRQ_GROUP_RTC = 2,
  SCFW_IRQ_GROUP_WAKE = 3,
  SCFW_IRQ_GROUP_SYSCTR = 4,
  SCFW_IRQ_GROUP_REBOOTED = 5, // the partition was reset; its CPU is about to be started
  SCFW_IRQ_GROUP_REBOOT = 6,   // the partition is about to be reset
  SCFW_IRQ_GROUP_OFFED = 7,
  SCFW_IRQ_GROUP_OFF = 8,
  SCFW_IRQ_GROUPS = 9,
};

enum scfw_reset_reason {
  SCFW_RESET_POR = 0,
  SCFW_RESET_JTAG = 1,
  SCFW_RESET_SW = 2,
  SCFW_RESET_WDOG = 3,
  SCFW_RESET_LOCKUP = 4,
};

enum scfw_reset_type {
  SCFW_RESET_TYPE_COLD = 0,
  SCFW_RESET_TYPE_WARM = 1,
  SCFW_RESET_TYPE_BOARD = 2,
};

#define SCFW_MAX_PARTITIONS 32u

// The MU that the caller uses is named in IRQ calls; a core's program is owned by its partition.
enum scfw_resource {
  SCFW_R_MU_0A = 213,
  SCFW_R_MU_1A = 214,
  SCFW_R_MU_2A = 215,
  SCFW_R_MU_3A = 216,
  SCFW_R_MU_4A = 217,
  SCFW_R_MU_5A = 218,
  SCFW_R_MU_6A = 219,
  SCFW_R_MU_5B = 227,
  SCFW_R_MU_6B = 228,
  SCFW_R_M4_0_PID0 = 278,
  SCFW_R_M4_0_MU_1A = 297,
  SCFW_R_M4_1_PID0 = 298,
  SCFW_R_M4_1_MU_1A = 317,
};

#endif
