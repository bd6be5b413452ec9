// SPDX-License-Identifier: Apache-2.0
// What the driver reads of shared memory, access by access: nothing that it wrote itself, and each
// field of the remote once.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/access_counter.h"
#include "support/ring_memory.h"

#ifdef RPMSG_CAN_COUNT_ACCESSES
using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 4, .align = 16, .buffer_bytes = 64};
const RingLayout kLayout = ring_layout(kGeometry);
using Access = AccessCounter::Access;

/// Runs `work` and returns its accesses to the whole mapping of a span.
template<class Work>
std::vector<Access> accesses_to(const SharedSpan& span, Work work) {
  AccessCounter counter(const_cast<uint8_t*>(span.at(0, span.size())), span.size());
  work();
  return counter.stop();
}

size_t loads_below(const std::vector<Access>& all, size_t end) {
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const Access& one) {
    return !one.is_store && one.offset < end;
  }));
}

size_t loads_at(const std::vector<Access>& all, size_t offset) {
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const Access& one) {
    return !one.is_store && one.offset == offset;
  }));
}

struct Receiving {
  Receiving() {
    driver.start_fresh();
    while (driver.post_empty())
      continue;
    DeviceBuffer buffer;
    REQUIRE(device.next(buffer) == DeviceQueue::Next::ready);
    device.put_used(buffer.id, 40);
  }
  RingMemory memory{kGeometry};
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  UsedBuffer used;
};

} // namespace

TEST_CASE("rule 1: nothing that the host writes into a ring is ever read back") {
  Receiving side;
  const std::vector<Access> all = accesses_to(side.memory.ring(), [&] {
    side.driver.start_fresh();
    while (side.driver.post_empty())
      continue;
    (void)side.driver.peek(side.used);
    side.driver.set_interrupts(true);
    (void)side.driver.resume();
  });
  CHECK(std::count_if(all.begin(), all.end(), [](const Access& one) { return one.is_store; }) > 40);
  CHECK(loads_below(all, kLayout.used_flags) == 0);
}

TEST_CASE("rule 1: the host never reads a buffer that only it may write") {
  const RingMemory memory(kGeometry);
  DriverQueue driver = memory.driver(BufferUse::remote_reads);
  driver.start_fresh();
  const std::vector<uint8_t> header(16, 1);
  const std::vector<Access> all =
      accesses_to(memory.buffers(), [&] { REQUIRE(driver.post_message(header, header, 1)); });
  CHECK(all.size() == 4); // 32 bytes, in words
  CHECK(loads_below(all, memory.buffers().size()) == 0);
}

TEST_CASE("rule 2: used index, id and length are each read once a message") {
  Receiving side;
  std::vector<uint8_t> bytes(40);
  const std::vector<Access> all = accesses_to(side.memory.ring(), [&] {
    (void)side.driver.peek(side.used);
    side.driver.copy_out(side.used, 0, bytes);
    side.driver.take(side.used);
  });
  CHECK(all.size() == 3);
  CHECK(loads_at(all, kLayout.used_index) == 1);
  CHECK(loads_at(all, kLayout.used_entry(0)) == 1);
  CHECK(loads_at(all, kLayout.used_entry(0) + 4) == 1);
}

TEST_CASE("rule 2: copying a message out reads each of its words once and nothing behind it") {
  Receiving side;
  REQUIRE(side.driver.peek(side.used) == DriverQueue::Peek::ready);
  std::vector<uint8_t> bytes(side.used.length_bytes);
  const std::vector<Access> all =
      accesses_to(side.memory.buffers(), [&] { side.driver.copy_out(side.used, 0, bytes); });
  CHECK(all.size() == 5); // 40 bytes
  for (size_t word = 0; word < 5; ++word)
    CHECK(loads_at(all, 8 * word) == 1);
}

TEST_CASE("rule 12: a poisoned queue does not touch the ring any more") {
  Receiving side;
  side.device.put_used(99, 40);
  REQUIRE(side.driver.peek(side.used) == DriverQueue::Peek::ready);
  side.driver.take(side.used);
  REQUIRE(side.driver.peek(side.used) == DriverQueue::Peek::fault);
  const std::vector<Access> all = accesses_to(side.memory.ring(), [&] {
    (void)side.driver.peek(side.used);
    (void)side.driver.post_empty();
  });
  CHECK(all.empty());
}
#endif
