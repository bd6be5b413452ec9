// SPDX-License-Identifier: Apache-2.0
// The rules that keep a hostile or broken remote from harming the host, one test or more a rule.
// Rules 2 and 13 have more in hostile_peer_reads_test.cc and memory_copy_test.cc; rule 9 is
// queue_stress_test.cc and packaging/dev/check-barriers.mjs.
#include <doctest/doctest.h>

#include <string>

#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 4, .align = 16, .buffer_bytes = 64};
using Peek = DriverQueue::Peek;

/// A queue with all buffers given to the device, which holds `held`.
struct Side {
  explicit Side(BufferUse how = BufferUse::remote_writes) : use(how), driver(memory.driver(how)) {
    driver.start_fresh();
    const std::vector<uint8_t> message(20, 7);
    const auto post = [&] {
      return how == BufferUse::remote_writes ? driver.post_empty()
                                             : driver.post_message(message, {}, 5);
    };
    while (post())
      continue;
    take_available();
  }
  void take_available() {
    DeviceBuffer buffer;
    while (device.next(buffer) == DeviceQueue::Next::ready)
      held.push_back(buffer);
  }
  Peek peek() { return driver.peek(used); }
  Peek peek_after(uint32_t id, uint32_t length_bytes) {
    device.put_used(id, length_bytes);
    return peek();
  }
  bool is_poisoned_by(RingFault fault, uint64_t value) {
    return driver.poisoned() && driver.fault() == fault && driver.fault_value() == value;
  }

  RingMemory memory{kGeometry};
  BufferUse use;
  DriverQueue driver;
  DeviceQueue device = memory.device();
  std::vector<DeviceBuffer> held;
  UsedBuffer used;
};

} // namespace

TEST_CASE("rule 1: what a remote scribbles over descriptors and avail changes nothing here") {
  Side side;
  for (size_t i = 0; i < 4 * 16; ++i)
    side.device.descriptor(0)[i] = 0xFF;
  for (size_t i = 0; i < 6; ++i)
    side.device.avail()[i] = 0xFFFF;
  REQUIRE(side.peek_after(2, 64) == Peek::ready);
  side.driver.take(side.used);
  REQUIRE(side.driver.post_empty());
  CHECK(side.device.avail()[1] == 5);         // avail.idx goes on from ours
  CHECK(side.device.avail()[2 + 4 % 4] == 2); // its entry
  const auto* address = reinterpret_cast<volatile uint64_t*>(side.device.descriptor(2));
  CHECK(*address == side.memory.buffers().physical() + 2 * 64);
  CHECK_FALSE(side.driver.poisoned());
}

TEST_CASE("rule 3: a used index beyond what is in flight poisons, and the value is kept") {
  Side side;
  side.device.set_used_index(5);
  CHECK(side.peek() == Peek::fault);
  CHECK(side.is_poisoned_by(RingFault::used_index_jump, 5));
}

TEST_CASE("rule 3: a used index that runs backwards poisons") {
  Side side;
  REQUIRE(side.peek_after(0, 64) == Peek::ready);
  side.driver.take(side.used);
  side.device.set_used_index(0);
  CHECK(side.peek() == Peek::fault);
  CHECK(side.is_poisoned_by(RingFault::used_index_jump, 0));
}

TEST_CASE("rule 3: used entries without anything in flight poison") {
  const RingMemory memory(kGeometry);
  DriverQueue driver = memory.driver(BufferUse::remote_reads);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  device.put_used(0, 0);
  UsedBuffer used;
  CHECK(driver.peek(used) == Peek::fault);
  CHECK(driver.fault() == RingFault::used_index_jump);
}

TEST_CASE("rule 4: an id is compared with all its 32 bits") {
  for (const uint32_t id : {4u, 0x10000u, 0x10003u, 0x80000000u, 0xFFFFFFFFu}) {
    CAPTURE(id);
    Side side;
    CHECK(side.peek_after(id, 64) == Peek::fault);
    CHECK(side.is_poisoned_by(RingFault::used_id_out_of_range, id));
  }
}

TEST_CASE("rule 4: a buffer that was returned twice poisons") {
  Side side;
  REQUIRE(side.peek_after(1, 64) == Peek::ready);
  side.driver.take(side.used);
  CHECK(side.peek_after(1, 64) == Peek::fault);
  CHECK(side.is_poisoned_by(RingFault::used_id_not_in_flight, 1));
}

TEST_CASE("rule 4: a buffer that was never posted poisons") {
  const RingMemory memory(kGeometry);
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  REQUIRE(driver.post_empty());
  device.put_used(3, 64);
  UsedBuffer used;
  CHECK(driver.peek(used) == Peek::fault);
  CHECK(driver.fault() == RingFault::used_id_not_in_flight);
}

TEST_CASE("rule 5: a length beyond what was posted poisons, in both directions") {
  for (const uint32_t length : {65u, 0x10000u + 32, 0xFFFFFFFFu}) {
    CAPTURE(length);
    Side receiving;
    CHECK(receiving.peek_after(0, length) == Peek::fault);
    CHECK(receiving.is_poisoned_by(RingFault::used_length_too_long, length));
  }
  Side sending(BufferUse::remote_reads);
  CHECK(sending.peek_after(0, 21) == Peek::fault); // 20 were posted
  CHECK(sending.is_poisoned_by(RingFault::used_length_too_long, 21));
}

TEST_CASE("rule 5: a received length without room for a header poisons, 16 bytes do not") {
  Side too_short;
  CHECK(too_short.peek_after(0, 15) == Peek::fault);
  CHECK(too_short.is_poisoned_by(RingFault::used_length_too_short, 15));
  Side side;
  CHECK(side.peek_after(0, 16) == Peek::ready);
  Side sending(BufferUse::remote_reads);
  CHECK(sending.peek_after(0, 0) == Peek::ready); // a reader need not say how much it read
}

TEST_CASE("rule 6: what was copied out stays as it is when the remote rewrites the buffer") {
  Side side;
  side.device.write(side.held[0], std::vector<uint8_t>(64, 1));
  REQUIRE(side.peek_after(side.held[0].id, 64) == Peek::ready);
  std::vector<uint8_t> copy(64);
  side.driver.copy_out(side.used, 0, copy);
  side.device.write(side.held[0], std::vector<uint8_t>(64, 2));
  CHECK(copy == std::vector<uint8_t>(64, 1));
}

TEST_CASE("rule 7: a message is read from the buffer of its id, whatever its descriptor says now") {
  Side side;
  side.device.write(side.held[1], std::vector<uint8_t>(64, 0x11));
  auto* address = reinterpret_cast<volatile uint64_t*>(side.device.descriptor(side.held[1].id));
  *address = 0xDEAD0000;
  REQUIRE(side.peek_after(side.held[1].id, 64) == Peek::ready);
  std::vector<uint8_t> copy(48);
  side.driver.copy_out(side.used, 16, copy);
  CHECK(copy == std::vector<uint8_t>(48, 0x11));
}

TEST_CASE("rule 8: the test device refuses heads, chains and ranges that no driver may post") {
  struct Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
  };
  const uint64_t base = 0x90400000;
  const auto verdict = [](uint16_t head, const Descriptor& one, uint16_t index = 1) {
    const RingMemory memory(kGeometry);
    memory.driver(BufferUse::remote_writes).start_fresh();
    DeviceQueue device = memory.device();
    *reinterpret_cast<volatile uint64_t*>(device.descriptor(0)) = one.address;
    *reinterpret_cast<volatile uint32_t*>(device.descriptor(0) + 8) = one.length;
    *reinterpret_cast<volatile uint16_t*>(device.descriptor(0) + 12) = one.flags;
    *reinterpret_cast<volatile uint16_t*>(device.descriptor(0) + 14) = one.next;
    device.avail()[2] = head;
    device.avail()[1] = index;
    DeviceBuffer buffer;
    return device.next(buffer);
  };
  using Next = DeviceQueue::Next;
  CHECK(verdict(0, {base, 64, 2, 0}) == Next::ready);
  CHECK(verdict(0, {base, 64, 3, 1}) == Next::ready);         // a chain of two
  CHECK(verdict(4, {base, 64, 2, 0}) == Next::malformed);     // head
  CHECK(verdict(0, {base, 64, 3, 4}) == Next::malformed);     // next
  CHECK(verdict(0, {base, 64, 3, 0}) == Next::malformed);     // a loop
  CHECK(verdict(0, {base, 64, 6, 0}) == Next::malformed);     // indirect
  CHECK(verdict(0, {base - 1, 64, 2, 0}) == Next::malformed); // range
  CHECK(verdict(0, {base, 0xFFFFFFFF, 2, 0}) == Next::malformed);
  CHECK(verdict(0, {base, 4096, 3, 1}) == Next::malformed);  // total length
  CHECK(verdict(0, {base, 64, 2, 0}, 5) == Next::malformed); // more than there are
}

TEST_CASE("rule 10: suppression flags never stop a message") {
  Side side;
  side.device.set_no_notify(true);
  REQUIRE(side.peek_after(0, 64) == Peek::ready);
  side.driver.take(side.used);
  REQUIRE(side.driver.post_empty());
  CHECK_FALSE(side.driver.remote_wants_kick());
  side.device.set_no_notify(false);
  side.driver.set_interrupts(false);
  CHECK_FALSE(side.device.wants_interrupt());
  REQUIRE(side.peek_after(1, 64) == Peek::ready); // a remote that ignores NO_INTERRUPT, too
  side.driver.take(side.used);
  REQUIRE(side.driver.post_empty());
  CHECK(side.driver.remote_wants_kick());
}

TEST_CASE("rule 10: re-enabling interrupts tells of an entry that slipped in before") {
  Side side;
  side.driver.set_interrupts(false);
  CHECK_FALSE(side.driver.set_interrupts(true));
  side.driver.set_interrupts(false);
  side.device.put_used(0, 64);
  CHECK(side.driver.set_interrupts(true));
  CHECK(side.device.wants_interrupt());
}

TEST_CASE("rule 11: without new posts a remote can make work for as many looks as buffers") {
  Side side;
  unsigned taken = 0;
  for (uint32_t i = 0; i < 100 && side.peek_after(i % 4, 64) == Peek::ready; ++i) {
    side.driver.take(side.used);
    ++taken;
  }
  CHECK(taken == kGeometry.num);
  CHECK(side.driver.poisoned());
}

TEST_CASE("rule 12: a poisoned queue refuses everything until it is started fresh") {
  Side side;
  REQUIRE(side.peek_after(0, 64) == Peek::ready);
  side.driver.take(side.used);
  REQUIRE(side.peek_after(77, 64) == Peek::fault);
  side.device.set_used_entry(1, 1, 64); // the remote mends it: too late
  CHECK(side.peek() == Peek::fault);
  CHECK_FALSE(side.driver.post_empty());
  CHECK(side.is_poisoned_by(RingFault::used_id_out_of_range, 77));
  CHECK(std::string(ring_fault_name(side.driver.fault())) == "used_id_out_of_range");
  side.driver.start_fresh();
  CHECK_FALSE(side.driver.poisoned());
  CHECK(side.driver.fault_value() == 0);
  CHECK(side.driver.post_empty());
  CHECK(side.peek() == Peek::nothing);
}

TEST_CASE("rule 12: the first violation stays the one that is reported") {
  Side side;
  REQUIRE(side.peek_after(77, 64) == Peek::fault);
  side.device.set_used_index(4000);
  CHECK(side.peek() == Peek::fault);
  CHECK(side.is_poisoned_by(RingFault::used_id_out_of_range, 77));
}

TEST_CASE("rule 12: poison outlives the process") {
  Side side;
  REQUIRE(side.peek_after(77, 64) == Peek::fault);
  DriverQueue next = side.memory.driver(BufferUse::remote_writes);
  REQUIRE(next.resume());
  CHECK(next.fault() == RingFault::used_id_out_of_range);
  CHECK_FALSE(next.post_empty());
}

TEST_CASE("rule 12: a poisoned sender posts nothing, and says so") {
  Side side(BufferUse::remote_reads);
  REQUIRE(side.peek_after(0, 20) == Peek::ready);
  side.driver.take(side.used);
  REQUIRE(side.driver.idle_buffers() == 1);
  REQUIRE(side.peek_after(0, 20) == Peek::fault);
  const std::vector<uint8_t> message(20, 7);
  CHECK_FALSE(side.driver.post_message(message, {}, 5));
  CHECK(side.driver.posted_position() == 4);
}

TEST_CASE("rule 12: a bad message in a sound ring poisons nothing") {
  Side side;
  side.device.write(side.held[0], std::vector<uint8_t>(64, 0xFF)); // every header field absurd
  REQUIRE(side.peek_after(side.held[0].id, 64) == Peek::ready);
  side.driver.take(side.used);
  CHECK(side.driver.post_empty());
  CHECK_FALSE(side.driver.poisoned());
}
