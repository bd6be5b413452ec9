// SPDX-License-Identifier: Apache-2.0
// Taking over a live ring without a crash in an operation; crashes are in queue_crash_test.cc.
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 4, .align = 16, .buffer_bytes = 64};

std::vector<uint8_t> copy_of(const SharedSpan& span) {
  const volatile uint8_t* from = span.at(0, span.size());
  return {from, from + span.size()};
}

/// A ring with two messages in flight, one taken and one returned but not taken.
RingMemory& live(RingMemory& memory, BufferUse use = BufferUse::remote_reads) {
  DriverQueue driver = memory.driver(use);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  const std::vector<uint8_t> header(16, 1);
  for (uint32_t owner = 1; owner <= 4; ++owner)
    REQUIRE(driver.post_message(header, {}, owner));
  DeviceBuffer buffer;
  UsedBuffer used;
  for (unsigned i = 0; i < 2; ++i) {
    REQUIRE(device.next(buffer) == DeviceQueue::Next::ready);
    device.put_used(buffer.id, 16);
  }
  REQUIRE(driver.peek(used) == DriverQueue::Peek::ready);
  driver.take(used);
  return memory;
}

bool can_resume(const RingMemory& memory, BufferUse use = BufferUse::remote_reads) {
  return memory.driver(use).resume();
}

QueueStateHeader& header_of(const RingMemory& memory) {
  return *queue_state_in(memory.state(), kGeometry).header;
}

} // namespace

TEST_CASE("resuming changes no byte of ring or buffers, however often") {
  RingMemory memory(kGeometry);
  live(memory);
  const auto ring = copy_of(memory.ring());
  const auto buffers = copy_of(memory.buffers());
  for (unsigned i = 0; i < 3; ++i)
    REQUIRE(can_resume(memory));
  CHECK(copy_of(memory.ring()) == ring);
  CHECK(copy_of(memory.buffers()) == buffers);
}

TEST_CASE("a resumed queue goes on where the last one stopped") {
  RingMemory memory(kGeometry);
  live(memory);
  DriverQueue driver = memory.driver(BufferUse::remote_reads);
  REQUIRE(driver.resume());
  CHECK(driver.posted_position() == 4);
  CHECK(driver.used_position() == 1);
  CHECK(driver.in_flight() == 3);
  UsedBuffer used;
  REQUIRE(driver.peek(used) == DriverQueue::Peek::ready);
  CHECK(used.owner == 2);
  driver.take(used);
  CHECK(driver.peek(used) == DriverQueue::Peek::nothing);
}

TEST_CASE("resuming repairs what a remote scribbled over the parts that it may only read") {
  RingMemory memory(kGeometry);
  live(memory);
  const auto ring = copy_of(memory.ring());
  const DeviceQueue device = memory.device();
  for (size_t i = 0; i < 4 * 16; ++i)
    device.descriptor(0)[i] = 0xAB;
  for (size_t i = 1; i < 6; ++i)
    device.avail()[i] = 0xABAB;
  REQUIRE(can_resume(memory));
  const auto after = copy_of(memory.ring());
  // Descriptor 0 is idle: it is written when it is posted next.
  CHECK(std::equal(ring.begin() + 16, ring.end(), after.begin() + 16));
}

TEST_CASE("a state of another geometry, use or layout version is refused") {
  RingMemory memory(kGeometry);
  CHECK_FALSE(can_resume(memory)); // blank
  live(memory);
  CHECK_FALSE(can_resume(memory, BufferUse::remote_writes));
  const QueueGeometry other{.num = 4, .align = 64, .buffer_bytes = 64};
  DriverQueue wrong(other, BufferUse::remote_reads, memory.ring(), memory.buffers(),
                    memory.state());
  CHECK_FALSE(wrong.resume());
  header_of(memory).layout = kQueueStateLayout + 1;
  CHECK_FALSE(can_resume(memory));
  header_of(memory).layout = kQueueStateLayout;
  CHECK(can_resume(memory));
}

TEST_CASE("a state that contradicts itself is refused, and the ring left alone") {
  using Damage = void (*)(QueueState&);
  const Damage damages[] = {
      [](QueueState& state) { state.header->used_position = 9; },
      [](QueueState& state) { state.header->avail_position += 1; },
      [](QueueState& state) { state.in_flight[1] = 0; },
      [](QueueState& state) { state.in_flight[1] = kGeometry.buffer_bytes + 1; },
      [](QueueState& state) { state.ids[0] = kGeometry.num; },
      [](QueueState& state) { state.header->fault = 200; },
      [](QueueState& state) { state.redo->armed = 2; },
      [](QueueState& state) {
        *state.redo = {1, RedoOperation::post, 5, kGeometry.num, 16, 0, kNoSlot, 0, 0, {}};
      },
      [](QueueState& state) {
        *state.redo = {1, RedoOperation::post, 9, 0, 16, 0, kNoSlot, 0, 0, {}};
      },
      [](QueueState& state) { *state.redo = {1, RedoOperation::take, 2, 1, 0, 0, 0, 0, 0, {}}; },
      [](QueueState& state) { *state.redo = {1, RedoOperation{7}, 2, 1, 0, 0, kNoSlot, 0, 0, {}}; },
  };
  unsigned number = 0;
  for (const Damage damage : damages) {
    CAPTURE(number++);
    RingMemory memory(kGeometry);
    QueueState state = queue_state_in(live(memory).state(), kGeometry);
    const auto ring = copy_of(memory.ring());
    damage(state);
    CHECK_FALSE(can_resume(memory));
    CHECK(copy_of(memory.ring()) == ring);
  }
}

TEST_CASE("the persistent layout is the one that every later version reads") {
  RingMemory memory(kGeometry);
  live(memory);
  const auto u32 = [&](size_t at) {
    uint32_t value;
    std::memcpy(&value, memory.state().data() + at, sizeof value);
    return value;
  };
  CHECK(u32(0) == 0x51535052);
  CHECK(u32(4) == (uint32_t{4} << 16 | 1)); // num, layout version
  CHECK(u32(8) == 16);                      // align
  CHECK(u32(12) == 64);                     // buffer bytes
  CHECK(u32(16) == 1);                      // remote reads
  CHECK(u32(20) == 0);                      // no fault
  CHECK(u32(32) == 4);                      // posted
  CHECK(u32(40) == 1);                      // used
  CHECK(u32(64) == 0);                      // not armed
  CHECK(u32(128) == 0);                     // in_flight[0]
  CHECK(u32(132) == 16);                    // in_flight[1]
  CHECK(u32(144 + 4 * 3) == 4);             // owner[3]
  CHECK(u32(160) == (uint32_t{1} << 16));   // ids[0], ids[1]
  CHECK(DriverQueue::state_bytes(kGeometry) == 168);
}
