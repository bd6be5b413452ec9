// SPDX-License-Identifier: Apache-2.0
// A remote without firmware: attaches as one core, maps what it is given and lets a test write
// rings and MU at will, well or badly. It shares no ring code with the product.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "platform/sim/mu_wires.h"
#include "sim/protocol.h"

namespace rpmsg::test {

class HandRemote {
public:
  HandRemote(const std::string& socket, const std::string& core);
  HandRemote(const HandRemote&) = delete;
  HandRemote& operator=(const HandRemote&) = delete;
  ~HandRemote();

  MuWires& mu() { return *mu_; }
  /// Rings the doorbell by which a remote says that its stack is ready, and forgets its positions,
  /// as firmware that starts again does.
  void ready();
  /// Takes the word that waits, if there is one.
  void take_word();
  /// Writes a word if the last one was taken.
  bool word(uint32_t value);

  /// One 16-bit field of vring `ring` (0 or 1) of a vdev.
  volatile uint16_t& u16(uint32_t vdev, uint32_t ring, uint32_t offset);
  /// All bytes of a vdev's two rings, and of the descriptors' buffers.
  volatile uint8_t* rings(uint32_t vdev) { return at(reply_.vring_base + vdev * 0x10000, 0x10000); }
  volatile uint8_t* buffers(uint32_t vdev) {
    return at(reply_.buffer_base + vdev * 0x40000, 0x40000);
  }
  /// Any memory of the board.
  volatile uint8_t* memory(uint64_t physical, uint64_t length) { return at(physical, length); }
  uint16_t avail_index(uint32_t vdev, uint32_t ring) { return u16(vdev, ring, 0x1002); }

  /// Writes a used entry at the shared used index and moves that by one. No word.
  void put_used(uint32_t vdev, uint32_t ring, uint32_t id, uint32_t length);
  void set_used_index(uint32_t vdev, uint32_t ring, uint16_t value);
  /// Takes the next buffer of vring0 and fills header and payload, the header's length as told;
  /// its descriptor, or nothing when the host has posted none. Return it with put_used().
  std::optional<uint32_t> fill(uint32_t vdev, uint32_t src, uint32_t dst,
                               const std::vector<uint8_t>& payload, uint16_t header_length);
  /// A sound message and its word. False when no buffer was posted.
  bool say(uint32_t vdev, uint32_t src, uint32_t dst, const std::vector<uint8_t>& payload);
  /// Takes and returns the next message of vring1, checked against its descriptor; its payload, or
  /// nothing when there is none.
  std::optional<std::vector<uint8_t>> hear(uint32_t vdev);

private:
  volatile uint8_t* at(uint64_t physical, uint64_t length);
  volatile uint8_t* find(uint64_t physical, uint64_t length);
  void attach(const std::string& socket, const std::string& core);

  UniqueFd socket_;
  rpmsg_sim_reply reply_ = {};
  std::array<UniqueFd, RPMSG_SIM_FD_COUNT> descriptors_;
  std::array<void*, RPMSG_SIM_MAX_SEGMENTS> bases_ = {};
  void* wires_ = nullptr;
  std::optional<MuWires> mu_;
  std::array<uint16_t, 8> taken_ = {}; // of vring0's avail ring
  std::array<uint16_t, 8> heard_ = {}; // of vring1's
};

} // namespace rpmsg::test
