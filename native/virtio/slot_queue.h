// SPDX-License-Identifier: Apache-2.0
// Messages that wait, oldest first: a list through their arena, so that a queue takes no memory of
// its own however much it may hold.
#pragma once

#include <cassert>
#include <cstdint>

#include "virtio/slot_arena.h"

namespace rpmsg {

/// The link thread's. A slot is in one queue at most, and leaves it before it is released.
class SlotQueue {
public:
  /// `arena` outlives it. More than `capacity` are never in it.
  SlotQueue(SlotArena& arena, uint32_t capacity) : arena_(&arena), capacity_(capacity) {}

  uint32_t size() const { return count_; }
  uint32_t capacity() const { return capacity_; }
  void raise_capacity(uint32_t capacity) {
    if (capacity > capacity_) capacity_ = capacity;
  }

  /// The oldest; only if there is one.
  uint32_t front() const {
    assert(count_ > 0);
    return first_;
  }
  /// What follows a slot that is in the queue and not its last.
  uint32_t after(uint32_t slot) const { return arena_->link(slot); }

  void push(uint32_t slot) {
    assert(count_ < capacity_);
    if (count_ == 0) {
      first_ = slot;
    } else {
      arena_->link(last_) = slot;
    }
    if (handed_over_ == count_) fresh_ = slot;
    last_ = slot;
    ++count_;
  }

  /// Takes the oldest out.
  uint32_t pop() {
    const uint32_t slot = front();
    first_ = arena_->link(slot);
    --count_;
    if (handed_over_ > 0) {
      --handed_over_;
    } else {
      fresh_ = first_;
    }
    return slot;
  }

  /// How many of the oldest JavaScript has a copy of.
  uint32_t handed_over() const { return handed_over_; }
  bool has_fresh() const { return handed_over_ < count_; }
  /// The oldest that JavaScript has no copy of; only if there is one.
  uint32_t fresh() const {
    assert(has_fresh());
    return fresh_;
  }
  /// JavaScript has a copy of fresh() now.
  void hand_over() {
    fresh_ = arena_->link(fresh());
    ++handed_over_;
  }
  /// What JavaScript has a copy of is as if it had none.
  void take_back() {
    fresh_ = first_;
    handed_over_ = 0;
  }

private:
  SlotArena* arena_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  uint32_t handed_over_ = 0;
  // Each is of use only where the counts say that there is such a slot.
  uint32_t first_ = 0;
  uint32_t last_ = 0;
  uint32_t fresh_ = 0;
};

} // namespace rpmsg
