// SPDX-License-Identifier: Apache-2.0
// Offsets that both ends must agree on, and what a post puts there.
#include <doctest/doctest.h>

#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

TEST_CASE("a ring of 256 aligned to 4096 has the layout of i.MX firmware") {
  const RingLayout layout = ring_layout({});
  CHECK(layout.avail_flags == 0x1000);
  CHECK(layout.avail_index == 0x1002);
  CHECK(layout.avail_ring == 0x1004);
  CHECK(layout.used_flags == 0x2000);
  CHECK(layout.used_index == 0x2002);
  CHECK(layout.used_ring == 0x2004);
  CHECK(layout.total_bytes == 0x2806);
}

TEST_CASE("a small ring aligned to 16 leaves room for the event index before the used ring") {
  const RingLayout layout = ring_layout({.num = 2, .align = 16, .buffer_bytes = 512});
  CHECK(layout.avail_flags == 32);
  CHECK(layout.used_flags == 48); // 32 + 4 + 2 × 2 + 2 = 42, aligned
}

TEST_CASE("geometries that a split ring cannot have are refused") {
  CHECK(is_valid({}));
  CHECK(is_valid({.num = 32768, .align = 16, .buffer_bytes = 20}));
  CHECK_FALSE(is_valid({.num = 0}));
  CHECK_FALSE(is_valid({.num = 96}));
  CHECK_FALSE(is_valid({.num = 256, .align = 24}));
  CHECK_FALSE(is_valid({.num = 256, .align = 8}));
  CHECK_FALSE(is_valid({.num = 256, .align = 4096, .buffer_bytes = 16}));
  CHECK_FALSE(is_valid({.num = 256, .align = 4096, .buffer_bytes = 510}));
}

TEST_CASE(
    "a posted empty buffer is writable, of full length, and descriptor k points at buffer k") {
  const RingMemory memory({.num = 4, .align = 64, .buffer_bytes = 256});
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  for (unsigned i = 0; i < 4; ++i)
    REQUIRE(driver.post_empty());
  CHECK_FALSE(driver.post_empty());
  CHECK(driver.in_flight() == 4);
  for (unsigned i = 0; i < 4; ++i) {
    DeviceBuffer buffer;
    REQUIRE(device.next(buffer) == DeviceQueue::Next::ready);
    CHECK(buffer.is_writable);
    CHECK(buffer.length_bytes == 256);
    CHECK(buffer.address == memory.buffers().physical() + 256u * buffer.id);
  }
}

TEST_CASE("a posted message is readable, and exactly as long as header and payload together") {
  const RingMemory memory({.num = 4, .align = 64, .buffer_bytes = 256});
  DriverQueue driver = memory.driver(BufferUse::remote_reads);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  const std::vector<uint8_t> header(16, 0xA1);
  const std::vector<uint8_t> payload{1, 2, 3};
  REQUIRE(driver.post_message(header, payload, 77));
  DeviceBuffer buffer;
  REQUIRE(device.next(buffer) == DeviceQueue::Next::ready);
  CHECK_FALSE(buffer.is_writable);
  std::vector<uint8_t> expected = header;
  expected.insert(expected.end(), payload.begin(), payload.end());
  CHECK(device.read(buffer) == expected);
  device.put_used(buffer.id, buffer.length_bytes);
  UsedBuffer used;
  REQUIRE(driver.peek(used) == DriverQueue::Peek::ready);
  CHECK(used.owner == 77);
}
