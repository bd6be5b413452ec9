// SPDX-License-Identifier: Apache-2.0
// What a successor must know of one remote: whose rings these are, which life of the remote they
// belong to and how far it has come. Plain data in persistent memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rpmsg {

constexpr uint32_t kRemoteRecordMagic = 0x52535052; // "RPSR" in little-endian memory
constexpr uint32_t kRemoteRecordLayout = 1;

/// How far the present life has come.
enum class RemotePhase : uint32_t {
  none = 0,      // no life has begun
  resetting = 1, // a new life begins: its rings are not complete, or are those of the former
  waiting = 2,   // the rings are complete and nobody has used them
  attached = 3,  // the remote works on them, and every doorbell of its start was acknowledged
};

/// At offset 0 of a remote's state. Stable format, 256 bytes, host byte order.
struct RemoteRecord {
  uint32_t magic; // 0 while the block is being made
  uint32_t layout;
  uint32_t phase; // RemotePhase
  uint32_t generation;
  uint32_t reset_count;
  uint32_t former_generation;  // before the reset that is going on, or was the last
  uint32_t former_reset_count; // the same
  uint32_t flag_was_clear;     // 1: the remote's ready flag was seen clear in this life
  uint32_t offered;            // 1: in this life the remote was told about its rings
  uint32_t vdevs;
  uint32_t slots;         // of each vdev's arena
  uint32_t in_doubt;      // 1: SCFW is being asked, and forgets a reset as it tells of it
  uint64_t configuration; // hash of what places rings and buffers
  uint8_t boot_id[16];    // all zero: not known
  uint8_t board_id[16];
  uint32_t driven_vdevs; // bit n: vdev n was shown DRIVER_OK in its resource table in this life
  uint32_t reserved_word;
  uint64_t reserved[20];
};
static_assert(sizeof(RemoteRecord) == 256 && offsetof(RemoteRecord, configuration) == 48);
static_assert(offsetof(RemoteRecord, driven_vdevs) == 88);

RemotePhase phase_of(const RemoteRecord& record);
void store_phase(RemoteRecord& record, RemotePhase phase);

/// From here on, whatever happens to this process, the rings are laid out anew before they are used
/// again. Stored before the evidence of the reset is acknowledged, which cannot be seen again. A
/// second call before the reset is over changes nothing.
void begin_reset(RemoteRecord& record);

/// Counts the reset that began: generation + 1, and reset_count + 1 unless it is the first life.
/// Absolute values: counting it again, as a successor does, counts it once.
void count_reset(RemoteRecord& record);

/// The generation that the reset which is going on leads to, or the present one.
uint32_t coming_generation(const RemoteRecord& record);

} // namespace rpmsg
