// SPDX-License-Identifier: Apache-2.0
// The attach protocol of the simulated SoC and the shared memory of its Messaging Unit, as C11 and
// C++20 structs. Everything is little-endian and fixed width; README.md beside this file says the
// same in prose and is the place to start.
#ifndef RPMSG_SIM_PROTOCOL_H
#define RPMSG_SIM_PROTOCOL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define RPMSG_SIM_MAGIC 0x434F5352u // the bytes 'R' 'S' 'O' 'C'
#define RPMSG_SIM_VERSION 1u
#define RPMSG_SIM_CORE_NAME_BYTES 32
#define RPMSG_SIM_REASON_BYTES 192
#define RPMSG_SIM_MAX_SEGMENTS 8
#define RPMSG_SIM_MU_CHANNELS 4
#define RPMSG_SIM_HELLO_TIMEOUT_MS 8000

enum rpmsg_sim_role {
  RPMSG_SIM_ROLE_HOST = 1,
  RPMSG_SIM_ROLE_FIRMWARE = 2,
  RPMSG_SIM_ROLE_SCU = 3, // the client of SCFW's own MU; core RPMSG_SIM_SCU_CORE
};

#define RPMSG_SIM_SCU_CORE "scu"

enum rpmsg_sim_status {
  RPMSG_SIM_OK = 0,
  RPMSG_SIM_BAD_HELLO = 1,    // a length, magic, role, core or reserved that is not as told
  RPMSG_SIM_BAD_VERSION = 2,  // the reply's version field says what this SoC speaks
  RPMSG_SIM_UNKNOWN_CORE = 3, // the reason lists the cores there are, or says: no SCFW
  RPMSG_SIM_BUSY = 4,         // the core already has one of that role
};

enum rpmsg_sim_mu_generation {
  RPMSG_SIM_MU_V1 = 1,
  RPMSG_SIM_MU_IMX7ULP = 2,
  RPMSG_SIM_MU_V2 = 3,
};

// The order of the descriptors that come with a reply of status RPMSG_SIM_OK.
enum rpmsg_sim_descriptor {
  RPMSG_SIM_FD_DDR = 0,            // memfd, sealed against resizing: the reserved DDR
  RPMSG_SIM_FD_MU = 1,             // memfd, sealed against resizing: struct rpmsg_sim_mu
  RPMSG_SIM_FD_OWN_INTERRUPT = 2,  // eventfd, non-blocking: poll and read it
  RPMSG_SIM_FD_PEER_INTERRUPT = 3, // eventfd, non-blocking: add 1 to it in raise(peer)
  RPMSG_SIM_FD_COUNT = 4,
};

// The first and only message a client sends: one SOCK_SEQPACKET record of exactly this size.
struct rpmsg_sim_hello {
  uint32_t magic;
  uint32_t version;
  uint32_t role; // enum rpmsg_sim_role
  uint32_t reserved;
  char core[RPMSG_SIM_CORE_NAME_BYTES]; // zero padded, at least one zero
};

// Memory at [physical, physical + length) is [offset, offset + length) of descriptor `fd`.
struct rpmsg_sim_segment {
  uint64_t physical; // page aligned; physical + length <= 4 GiB
  uint64_t length;   // page aligned, not 0
  uint64_t offset;   // page aligned
  uint32_t fd;       // index into the descriptors of this reply
  uint32_t reserved;
};

// The only message a client receives. With a status other than RPMSG_SIM_OK, `reason` is a sentence
// for a person, no descriptor comes, the rest is zero and the SoC closes the connection.
struct rpmsg_sim_reply {
  uint32_t magic;
  uint32_t version;
  uint32_t status;        // enum rpmsg_sim_status
  uint32_t mu_generation; // enum rpmsg_sim_mu_generation
  uint32_t side;          // which side of the MU the client is: 0 = A, 1 = B
  uint32_t max_vdevs;     // how many vdevs the SoC's RPMsg-Lite port can address; 0 for an SCU
  uint32_t word_mask;     // the firmware sends ((vq & word_mask) << 16); 0 for an SCU
  uint32_t segment_count; // 0 for an SCU, and vring_base and buffer_base, too
  uint8_t board_id[16];   // random, new for each life of rpmsg-soc
  char soc[16];           // e.g. "imx8qxp", zero terminated
  uint64_t vring_base;    // vring0 of vdev 0; vdev k is at + k * 0x10000, its vring1 at + 0x8000
  uint64_t buffer_base;   // where the host's buffers conventionally are; descriptors say the truth
  uint64_t mu_length;     // bytes to map from RPMSG_SIM_FD_MU at offset 0
  uint64_t reserved;
  char reason[RPMSG_SIM_REASON_BYTES]; // UTF-8, zero terminated, empty when the status is OK
  struct rpmsg_sim_segment segments[RPMSG_SIM_MAX_SEGMENTS];
};

// One transmit/receive register pair, one word deep. Written by one side, read by the other.
struct rpmsg_sim_channel {
  uint32_t data;
  uint32_t full; // 0: TE = 1 for the writer, RF = 0 for the reader; 1: the reverse
};

// What one side drives. Every field is an atomic u32; README.md gives the steps of each access.
struct rpmsg_sim_direction {
  struct rpmsg_sim_channel channel[RPMSG_SIM_MU_CHANNELS];
  uint32_t gip;      // bit n: the driving side's GIRn and the other side's GIPn, the same thing
  uint32_t fn;       // bits 2:0: the flags shown to the other side
  uint32_t overruns; // how often the driving side wrote a TR that was full: its driver's bugs
  uint32_t reserved[5];
};

// What belongs to one side's processor: interrupt enables (bit n = channel n) and the line's mask.
struct rpmsg_sim_side {
  uint32_t tie;
  uint32_t rie;
  uint32_t gie;
  uint32_t unmasked; // 1: the next raise() of a level that is up writes the eventfd and stores 0
  uint32_t reserved[12];
};

struct rpmsg_sim_mu {
  uint32_t magic;
  uint32_t version;
  uint32_t reserved[14];
  struct rpmsg_sim_side side[2];      // index 0 = A, 1 = B
  struct rpmsg_sim_direction from[2]; // from[0]: driven by A, read by B; from[1]: the reverse
};

#define RPMSG_SIM_AT(type, field, offset)                                                          \
  static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define RPMSG_SIM_SIZE(type, size) static_assert(sizeof(struct type) == (size), #type)

RPMSG_SIM_AT(rpmsg_sim_hello, magic, 0);
RPMSG_SIM_AT(rpmsg_sim_hello, version, 4);
RPMSG_SIM_AT(rpmsg_sim_hello, role, 8);
RPMSG_SIM_AT(rpmsg_sim_hello, reserved, 12);
RPMSG_SIM_AT(rpmsg_sim_hello, core, 16);
RPMSG_SIM_SIZE(rpmsg_sim_hello, 48);

RPMSG_SIM_AT(rpmsg_sim_segment, physical, 0);
RPMSG_SIM_AT(rpmsg_sim_segment, length, 8);
RPMSG_SIM_AT(rpmsg_sim_segment, offset, 16);
RPMSG_SIM_AT(rpmsg_sim_segment, fd, 24);
RPMSG_SIM_AT(rpmsg_sim_segment, reserved, 28);
RPMSG_SIM_SIZE(rpmsg_sim_segment, 32);

RPMSG_SIM_AT(rpmsg_sim_reply, magic, 0);
RPMSG_SIM_AT(rpmsg_sim_reply, version, 4);
RPMSG_SIM_AT(rpmsg_sim_reply, status, 8);
RPMSG_SIM_AT(rpmsg_sim_reply, mu_generation, 12);
RPMSG_SIM_AT(rpmsg_sim_reply, side, 16);
RPMSG_SIM_AT(rpmsg_sim_reply, max_vdevs, 20);
RPMSG_SIM_AT(rpmsg_sim_reply, word_mask, 24);
RPMSG_SIM_AT(rpmsg_sim_reply, segment_count, 28);
RPMSG_SIM_AT(rpmsg_sim_reply, board_id, 32);
RPMSG_SIM_AT(rpmsg_sim_reply, soc, 48);
RPMSG_SIM_AT(rpmsg_sim_reply, vring_base, 64);
RPMSG_SIM_AT(rpmsg_sim_reply, buffer_base, 72);
RPMSG_SIM_AT(rpmsg_sim_reply, mu_length, 80);
RPMSG_SIM_AT(rpmsg_sim_reply, reserved, 88);
RPMSG_SIM_AT(rpmsg_sim_reply, reason, 96);
RPMSG_SIM_AT(rpmsg_sim_reply, segments, 288);
RPMSG_SIM_SIZE(rpmsg_sim_reply, 544);

RPMSG_SIM_AT(rpmsg_sim_channel, data, 0);
RPMSG_SIM_AT(rpmsg_sim_channel, full, 4);
RPMSG_SIM_SIZE(rpmsg_sim_channel, 8);

RPMSG_SIM_AT(rpmsg_sim_direction, channel, 0);
RPMSG_SIM_AT(rpmsg_sim_direction, gip, 32);
RPMSG_SIM_AT(rpmsg_sim_direction, fn, 36);
RPMSG_SIM_AT(rpmsg_sim_direction, overruns, 40);
RPMSG_SIM_AT(rpmsg_sim_direction, reserved, 44);
RPMSG_SIM_SIZE(rpmsg_sim_direction, 64);

RPMSG_SIM_AT(rpmsg_sim_side, tie, 0);
RPMSG_SIM_AT(rpmsg_sim_side, rie, 4);
RPMSG_SIM_AT(rpmsg_sim_side, gie, 8);
RPMSG_SIM_AT(rpmsg_sim_side, unmasked, 12);
RPMSG_SIM_AT(rpmsg_sim_side, reserved, 16);
RPMSG_SIM_SIZE(rpmsg_sim_side, 64);

RPMSG_SIM_AT(rpmsg_sim_mu, magic, 0);
RPMSG_SIM_AT(rpmsg_sim_mu, version, 4);
RPMSG_SIM_AT(rpmsg_sim_mu, reserved, 8);
RPMSG_SIM_AT(rpmsg_sim_mu, side, 64);
RPMSG_SIM_AT(rpmsg_sim_mu, from, 192);
RPMSG_SIM_SIZE(rpmsg_sim_mu, 320);

#undef RPMSG_SIM_AT
#undef RPMSG_SIM_SIZE

#endif
