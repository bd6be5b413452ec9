// SPDX-License-Identifier: Apache-2.0
// Queues through one arena: order, the part that was handed over, and what is taken back.
#include <doctest/doctest.h>

#include <vector>

#include "support/ring_memory.h"
#include "virtio/slot_queue.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 2, .align = 16, .buffer_bytes = 72};

std::vector<uint32_t> drained(SlotQueue& queue) {
  std::vector<uint32_t> slots;
  while (queue.size() > 0)
    slots.push_back(queue.pop());
  return slots;
}

} // namespace

TEST_CASE("two queues through one arena each keep their own order") {
  const RingMemory memory(kGeometry);
  SlotArena arena = memory.arena();
  SlotQueue odd(arena, kTestSlots);
  SlotQueue even(arena, kTestSlots);
  for (uint32_t slot = 0; slot < kTestSlots; ++slot)
    (slot % 2 == 0 ? even : odd).push(kTestSlots - 1 - slot);
  uint32_t slot = even.front();
  for (uint32_t i = 1; i < even.size(); ++i) {
    CHECK(even.after(slot) == slot - 2);
    slot = even.after(slot);
  }
  const std::vector<uint32_t> first = drained(even);
  const std::vector<uint32_t> second = drained(odd);
  CHECK(first.size() + second.size() == kTestSlots);
  for (size_t i = 1; i < first.size(); ++i)
    CHECK(first[i] == first[i - 1] - 2);
  for (size_t i = 1; i < second.size(); ++i)
    CHECK(second[i] == second[i - 1] - 2);
}

TEST_CASE("what was handed over leaves first, and what was not is known at any time") {
  const RingMemory memory(kGeometry);
  SlotArena arena = memory.arena();
  SlotQueue queue(arena, kTestSlots);
  CHECK(!queue.has_fresh());
  queue.push(2);
  queue.push(0);
  CHECK(queue.fresh() == 2);
  queue.hand_over();
  CHECK(queue.fresh() == 0);
  queue.hand_over();
  CHECK(!queue.has_fresh());
  queue.push(1); // behind what was handed over
  CHECK(queue.fresh() == 1);
  CHECK(queue.handed_over() == 2);
  CHECK(queue.pop() == 2);
  CHECK(queue.handed_over() == 1);
  CHECK(queue.fresh() == 1);

  queue.take_back();
  CHECK(queue.handed_over() == 0);
  CHECK(queue.fresh() == 0);
  CHECK(queue.pop() == 0); // not handed over: what is fresh moves on with it
  CHECK(queue.fresh() == 1);
  CHECK(queue.pop() == 1);
  CHECK(!queue.has_fresh());
  queue.push(3); // into an emptied queue
  CHECK(queue.fresh() == 3);
  CHECK(queue.front() == 3);
}

TEST_CASE("a queue's capacity is only ever raised") {
  const RingMemory memory(kGeometry);
  SlotArena arena = memory.arena();
  SlotQueue queue(arena, 2);
  queue.raise_capacity(1);
  CHECK(queue.capacity() == 2);
  queue.raise_capacity(3);
  CHECK(queue.capacity() == 3);
}
