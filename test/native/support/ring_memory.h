// SPDX-License-Identifier: Apache-2.0
// The memory of one queue for tests: ring, buffers, persistent state and slots, shared with child
// processes, each followed by a page that nobody may touch.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "memory/shared_span.h"
#include "support/device_queue.h"
#include "virtio/driver_queue.h"

namespace rpmsg::test {

/// Zeroed pages that survive a fork, the end of the usable part against a forbidden page.
class GuardedPages {
public:
  explicit GuardedPages(size_t size_bytes) : size_((size_bytes + kPage - 1) / kPage * kPage) {
    base_ = mmap(nullptr, size_ + kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) std::abort();
    if (mprotect(data() + size_, kPage, PROT_NONE) != 0) std::abort();
  }
  ~GuardedPages() { munmap(base_, size_ + kPage); }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  static constexpr size_t kPage = 4096;
  std::byte* data() const { return static_cast<std::byte*>(base_); }
  size_t size() const { return size_; }

private:
  void* base_ = nullptr;
  size_t size_;
};

constexpr uint32_t kTestSlots = 8;

class RingMemory {
public:
  explicit RingMemory(const QueueGeometry& shape)
      : geometry(shape), ring_pages_(DriverQueue::ring_bytes(shape)),
        buffer_pages_(size_t{shape.num} * shape.buffer_bytes),
        state_pages_(DriverQueue::state_bytes(shape)),
        arena_pages_(SlotArena::state_bytes(kTestSlots, shape.buffer_bytes)) {}

  SharedSpan ring() const { return {ring_pages_.data(), ring_pages_.size(), 0x90000000}; }
  SharedSpan buffers() const { return {buffer_pages_.data(), buffer_pages_.size(), 0x90400000}; }
  std::span<std::byte> state() const { return {state_pages_.data(), state_pages_.size()}; }
  std::span<std::byte> slots() const { return {arena_pages_.data(), arena_pages_.size()}; }

  DriverQueue driver(BufferUse use) const { return {geometry, use, ring(), buffers(), state()}; }
  SlotArena arena() const { return {slots(), kTestSlots, geometry.buffer_bytes}; }
  DeviceQueue device() const { return {geometry.num, geometry.align, ring(), buffers()}; }

  const QueueGeometry geometry;

private:
  GuardedPages ring_pages_;
  GuardedPages buffer_pages_;
  GuardedPages state_pages_;
  GuardedPages arena_pages_;
};

} // namespace rpmsg::test
