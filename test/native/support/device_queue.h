// SPDX-License-Identifier: Apache-2.0
// The remote's side of one split virtqueue, for tests: its own ring code, written from virtio 1.2
// §2.7 and sharing no offset with native/virtio. Correct by itself, and lies on command.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "memory/shared_span.h"

namespace rpmsg::test {

/// A buffer that the driver made available.
struct DeviceBuffer {
  uint16_t id = 0;
  bool is_writable = false;
  uint64_t address = 0; // as in the descriptor
  uint32_t length_bytes = 0;
};

class DeviceQueue {
public:
  /// `buffers` is the only memory that descriptors may point into.
  DeviceQueue(uint16_t num, uint32_t align, SharedSpan ring, SharedSpan buffers);

  /// As if `index` buffers had been taken and returned before.
  void start_at(uint16_t index);

  enum class Next : uint8_t { nothing, ready, malformed };

  /// The next available buffer. Malformed: a head or a chain that no driver of ours would write.
  Next next(DeviceBuffer& out);
  std::vector<uint8_t> read(const DeviceBuffer& buffer) const;
  void write(const DeviceBuffer& buffer, std::span<const uint8_t> bytes);
  /// Returns a buffer, in any order.
  void put_used(uint32_t id, uint32_t length_bytes);

  uint16_t available() const; // how many buffers next() would return now
  bool wants_interrupt() const;
  void set_no_notify(bool wanted);

  // Lies.
  void set_used_entry(uint16_t position, uint32_t id, uint32_t length_bytes);
  void set_used_index(uint16_t index);
  uint16_t used_index() const { return used_index_; }

  // Where things are, for tests that scribble or look.
  volatile uint8_t* descriptor(uint16_t id) const;
  volatile uint16_t* avail() const;
  volatile uint8_t* used() const;

private:
  bool walk(uint16_t head, DeviceBuffer& out) const;

  uint16_t num_;
  size_t avail_at_;
  size_t used_at_;
  SharedSpan ring_;
  SharedSpan buffers_;
  uint16_t avail_index_ = 0;
  uint16_t used_index_ = 0;
};

} // namespace rpmsg::test
