// SPDX-License-Identifier: Apache-2.0
// head_ is released with the records before it, tail_ with the reads before it. A record that does
// not fit before the end of the buffer starts the next lap, and lap_end_ says where the consumer
// must skip.
#include "link/spsc_bytes.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace rpmsg {

SpscBytes::SpscBytes(uint32_t capacity_bytes)
    : capacity_(capacity_bytes), buffer_(std::make_unique<uint64_t[]>(capacity_bytes / 8)) {
  assert(std::has_single_bit(capacity_bytes));
  assert(capacity_bytes >= 64 && capacity_bytes <= 1u << 30);
}

uint8_t* SpscBytes::reserve(uint32_t bytes) {
  assert(bytes > 0 && bytes % kAlignment == 0);
  if (bytes > capacity_) return nullptr;
  const uint64_t head = head_.load(std::memory_order_relaxed);
  const uint64_t next_lap = lap(head) + capacity_;
  const uint64_t at = head + bytes <= next_lap ? head : next_lap;
  const uint64_t end = at + bytes;
  if (end - known_tail_ > capacity_) {
    known_tail_ = tail_.load(std::memory_order_acquire);
    if (end - known_tail_ > capacity_) return nullptr;
  }
  reserved_at_ = at;
  reserved_bytes_ = bytes;
  return reinterpret_cast<uint8_t*>(buffer_.get()) + offset(at);
}

void SpscBytes::commit() {
  assert(reserved_bytes_ > 0);
  const uint64_t head = head_.load(std::memory_order_relaxed);
  const uint64_t end = reserved_at_ + reserved_bytes_;
  // The value this replaces was for an earlier lap, which the consumer has left: `end` lies at most
  // one capacity beyond its tail.
  if (reserved_at_ != head) lap_end_.store(head, std::memory_order_relaxed);
  if (offset(end) == 0) lap_end_.store(end, std::memory_order_relaxed);
  reserved_bytes_ = 0;
  head_.store(end, std::memory_order_release);
}

uint32_t SpscBytes::free_bytes() {
  known_tail_ = tail_.load(std::memory_order_acquire);
  const uint64_t used = head_.load(std::memory_order_relaxed) - known_tail_;
  return static_cast<uint32_t>(capacity_ - used);
}

std::span<const uint8_t> SpscBytes::readable() {
  const uint64_t head = head_.load(std::memory_order_acquire);
  uint64_t tail = tail_.load(std::memory_order_relaxed);
  uint64_t end = head;
  if (lap(head) != lap(tail)) {
    end = lap_end_.load(std::memory_order_relaxed);
    if (end == tail) { // nothing left of this lap: skip to the next
      tail = lap(tail) + capacity_;
      tail_.store(tail, std::memory_order_release);
      end = head;
    }
  }
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(buffer_.get());
  return {bytes + offset(tail), static_cast<size_t>(end - tail)};
}

void SpscBytes::consume(uint32_t bytes) {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  assert(head_.load(std::memory_order_relaxed) - tail >= bytes);
  tail_.store(tail + bytes, std::memory_order_release);
}

} // namespace rpmsg
