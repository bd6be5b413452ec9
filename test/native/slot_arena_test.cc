// SPDX-License-Identifier: Apache-2.0
// The arena by itself; how a slot is filled is in queue_crash_test.cc.
#include <doctest/doctest.h>

#include <set>

#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {
const QueueGeometry kGeometry{.num = 2, .align = 16, .buffer_bytes = 72};
}

TEST_CASE("an arena gives out each slot once and says when none is free") {
  const RingMemory memory(kGeometry);
  SlotArena arena = memory.arena();
  arena.clear();
  std::set<int32_t> seen;
  for (uint32_t i = 0; i < kTestSlots; ++i)
    seen.insert(arena.reserve());
  CHECK(seen.size() == kTestSlots);
  CHECK(*seen.begin() == 0);
  CHECK(arena.free_slots() == 0);
  CHECK(arena.reserve() == -1);
  arena.release(3);
  CHECK(arena.reserve() == 3);
}

TEST_CASE("slots do not overlap and lie inside the arena's memory") {
  const RingMemory memory(kGeometry);
  SlotArena arena = memory.arena();
  arena.clear();
  for (uint32_t slot = 0; slot < kTestSlots; ++slot) {
    for (uint8_t& byte : arena.bytes(slot))
      byte = static_cast<uint8_t>(slot + 1);
  }
  for (uint32_t slot = 0; slot < kTestSlots; ++slot) {
    REQUIRE(arena.bytes(slot).size() == kGeometry.buffer_bytes);
    for (const uint8_t byte : arena.bytes(slot))
      REQUIRE(byte == slot + 1);
    CHECK(arena.record(slot).state == SlotState::free);
  }
  CHECK(arena.rebuild());
}

TEST_CASE("a slot that was reserved but not filled is free after a crash, a filled one is not") {
  const RingMemory memory(kGeometry);
  {
    SlotArena arena = memory.arena();
    arena.clear();
    const auto filled = static_cast<uint32_t>(arena.reserve());
    (void)arena.reserve();
    SlotRecord record;
    record.length_bytes = 20;
    record.seq = 9;
    arena.prepare(filled, record);
    arena.mark_filled(filled);
  }
  SlotArena after = memory.arena();
  REQUIRE(after.rebuild());
  CHECK(after.free_slots() == kTestSlots - 1);
  CHECK(after.record(0).state == SlotState::filled);
  CHECK(after.record(0).seq == 9);
  after.release(0);
  CHECK(after.free_slots() == kTestSlots);
}

TEST_CASE("memory that is no arena of these sizes is refused, and then no slot is given out") {
  const RingMemory memory(kGeometry);
  SlotArena blank = memory.arena();
  CHECK_FALSE(blank.rebuild());
  CHECK(blank.reserve() == -1);
  blank.clear();
  CHECK_FALSE(SlotArena(memory.slots(), kTestSlots, kGeometry.buffer_bytes - 4).rebuild());
  CHECK_FALSE(SlotArena(memory.slots(), kTestSlots - 1, kGeometry.buffer_bytes).rebuild());
  SlotRecord too_long;
  const auto slot = static_cast<uint32_t>(blank.reserve());
  blank.prepare(slot, too_long);
  blank.mark_filled(slot);
  const_cast<SlotRecord&>(blank.record(slot)).length_bytes = kGeometry.buffer_bytes + 1;
  CHECK_FALSE(memory.arena().rebuild());
}
