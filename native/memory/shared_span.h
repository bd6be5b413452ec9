// SPDX-License-Identifier: Apache-2.0
// A window of memory that the remote can write at any moment: where it is mapped here, how long it
// is, and the physical address under which the remote knows it.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace rpmsg {

class SharedSpan {
public:
  SharedSpan() = default;
  SharedSpan(void* base, size_t size_bytes, uint64_t physical)
      : base_(static_cast<volatile uint8_t*>(base)), size_(size_bytes), physical_(physical) {}

  size_t size() const { return size_; }
  uint64_t physical() const { return physical_; }
  /// Offset and length must lie inside; callers pass constants and checked indices only.
  volatile uint8_t* at(size_t offset, size_t length) const {
    assert(offset <= size_ && length <= size_ - offset);
    (void)length;
    return base_ + offset;
  }
  SharedSpan sub(size_t offset, size_t length) const {
    return SharedSpan(const_cast<uint8_t*>(at(offset, length)), length, physical_ + offset);
  }
  explicit operator bool() const { return base_ != nullptr; }

private:
  volatile uint8_t* base_ = nullptr;
  size_t size_ = 0;
  uint64_t physical_ = 0;
};

} // namespace rpmsg
