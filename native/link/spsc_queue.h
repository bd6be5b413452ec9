// SPDX-License-Identifier: Apache-2.0
// A queue of plain values between one producer and one consumer thread, in private memory.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace rpmsg {

template<class T>
class SpscQueue {
  static_assert(std::is_trivially_copyable_v<T>);

public:
  /// A power of two. The only allocation.
  explicit SpscQueue(uint32_t capacity)
      : capacity_(capacity), values_(std::make_unique<T[]>(capacity)) {
    assert(std::has_single_bit(capacity) && capacity <= 1u << 31);
  }
  SpscQueue(const SpscQueue&) = delete;
  SpscQueue& operator=(const SpscQueue&) = delete;

  uint32_t capacity() const { return capacity_; }

  /// The producer. False, and nothing changed, when the queue is full.
  bool push(const T& value) {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head - known_tail_ == capacity_) {
      known_tail_ = tail_.load(std::memory_order_acquire);
      if (head - known_tail_ == capacity_) return false;
    }
    values_[head & (capacity_ - 1)] = value;
    head_.store(head + 1, std::memory_order_release); // pairs with pop's acquire
    return true;
  }

  /// The consumer: a mark behind everything that was pushed before this call, and whether all that
  /// is before a mark, no more than 2^31 values old, has been popped.
  uint32_t mark() const { return head_.load(std::memory_order_acquire); }
  bool is_popped(uint32_t mark) const {
    return static_cast<int32_t>(tail_.load(std::memory_order_relaxed) - mark) >= 0;
  }

  /// The consumer. False, and `value` unchanged, when the queue is empty.
  bool pop(T& value) {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == known_head_) {
      known_head_ = head_.load(std::memory_order_acquire);
      if (tail == known_head_) return false;
    }
    value = values_[tail & (capacity_ - 1)];
    tail_.store(tail + 1,
                std::memory_order_release); // the place is free: pairs with push's acquire
    return true;
  }

private:
  // Both count up for ever; their difference stays right when they wrap at 2^32.
  const uint32_t capacity_;
  const std::unique_ptr<T[]> values_;
  alignas(64) std::atomic<uint32_t> head_{0}; // written by the producer
  uint32_t known_tail_ = 0;
  alignas(64) std::atomic<uint32_t> tail_{0}; // written by the consumer
  uint32_t known_head_ = 0;
};

} // namespace rpmsg
