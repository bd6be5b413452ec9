// SPDX-License-Identifier: Apache-2.0
// The tap's rings by themselves: what is kept of a record, what is counted, who is woken when.
#include "link/tap.h"

#include <doctest/doctest.h>

#include <poll.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

using namespace rpmsg;

namespace {

using Bytes = std::vector<uint8_t>;

struct Read {
  TapRecord record;
  Bytes data;
};

/// Takes the oldest record.
Read take(TapRing& ring) {
  const std::span<const uint8_t> run = ring.records().readable();
  REQUIRE(run.size() >= sizeof(TapRecord));
  Read read{*reinterpret_cast<const TapRecord*>(run.data()), {}};
  const auto data = run.subspan(sizeof(TapRecord), read.record.data_bytes);
  read.data.assign(data.begin(), data.end());
  ring.records().consume(read.record.bytes);
  return read;
}

TapRecord of_vdev(uint8_t vdev) {
  TapRecord record;
  record.vdev = vdev;
  return record;
}

bool is_woken(const TapWake& wake) {
  pollfd look{wake.fd(), POLLIN, 0};
  return poll(&look, 1, 0) > 0;
}

} // namespace

TEST_CASE("a tap that is closed has no rings for producers") {
  TapWake wake;
  Tap tap;
  CHECK(tap.received() == nullptr);
  CHECK(tap.sent() == nullptr);
  tap.open(wake, 1, 512);
  CHECK(tap.received() == tap.received_ring());
  CHECK(tap.sent() == tap.sent_ring());
  tap.close();
  CHECK(tap.received() == nullptr);
  CHECK(tap.sent() == nullptr);
}

TEST_CASE("of a message its first bytes are kept, and only of the vdevs that are wanted") {
  TapWake wake;
  TapRing ring(wake);
  ring.set_filter(0b10, 18);
  const Bytes head(16, 7), payload{1, 2, 3, 4};
  ring.put(of_vdev(0), head, payload);
  CHECK(ring.records().readable().empty());
  CHECK(ring.dropped(0) == 0);
  ring.put(of_vdev(1), head, payload);
  Bytes expected = head;
  expected.insert(expected.end(), {1, 2});
  CHECK(take(ring).data == expected);
}

TEST_CASE("a text is kept whatever vdevs and lengths are wanted of messages") {
  TapWake wake;
  TapRing ring(wake);
  ring.set_filter(0, 16);
  const std::string text = "reset: rebooted, generation 4294967295 begins";
  ring.put_text(kWholeRemote, 5, text);
  const Read read = take(ring);
  CHECK(std::string(read.data.begin(), read.data.end()) == text);
  CHECK(read.record.kind == TapKind::life);
  CHECK(read.record.time_ns == 5);
}

TEST_CASE("what does not fit is counted by vdev, and the next record says how much it was") {
  TapWake wake;
  TapRing ring(wake);
  ring.set_filter(0b11, 4096);
  const Bytes head(16), payload(480);
  uint64_t put = 0;
  while (ring.dropped(0) < 10) {
    ring.put(of_vdev(0), head, payload);
    ++put;
  }
  CHECK(put - 10 == TapRing::kBytes / (sizeof(TapRecord) + 496));
  ring.put(of_vdev(1), head, payload);
  CHECK(ring.dropped(1) == 1);
  for (uint64_t i = 0; i < put - 10; ++i)
    CHECK(take(ring).record.dropped == 0);
  ring.put(of_vdev(0), head, {});
  ring.put(of_vdev(1), head, {});
  CHECK(take(ring).record.dropped == 10);
  CHECK(take(ring).record.dropped == 1);
}

TEST_CASE("a reader is woken by the first record it expects, and by a quarter of a ring") {
  TapWake wake;
  TapRing ring(wake);
  ring.set_filter(1, 4096);
  const Bytes head(16), payload(480);
  ring.put(of_vdev(0), head, payload);
  CHECK_FALSE(is_woken(wake));
  wake.expect_any();
  ring.put(of_vdev(0), head, payload);
  CHECK(is_woken(wake));
  wake.drain();
  ring.put(of_vdev(0), head, payload);
  CHECK_FALSE(is_woken(wake));
  uint32_t put = 3;
  for (; !is_woken(wake); ++put)
    ring.put(of_vdev(0), head, payload);
  CHECK(put * (sizeof(TapRecord) + 496) >= TapRing::kBytes / 4);
  CHECK(ring.dropped(0) == 0);
}

TEST_CASE("a reader that sleeps misses no record of a producer beside it") {
  constexpr uint64_t kRecords = 50000;
  TapWake wake;
  TapRing ring(wake);
  ring.set_filter(1, 4096);
  std::thread producer([&] {
    for (uint64_t i = 1; i <= kRecords; ++i) {
      TapRecord record = of_vdev(0);
      record.time_ns = i;
      const auto* const bytes = reinterpret_cast<const uint8_t*>(&i);
      ring.put(record, {bytes, sizeof i}, {});
      if (i % 64 == 0) std::this_thread::yield();
    }
  });
  uint64_t seen = 0, dropped = 0;
  while (seen + dropped < kRecords) {
    wake.expect_any();
    if (ring.records().readable().empty() && seen + ring.dropped(0) < kRecords) {
      pollfd look{wake.fd(), POLLIN, 0};
      REQUIRE(poll(&look, 1, 10000) > 0); // else a record came and nobody was woken
      wake.drain();
    }
    wake.expect_none();
    while (!ring.records().readable().empty()) {
      const Read read = take(ring);
      uint64_t number = 0;
      std::copy_n(read.data.begin(), sizeof number, reinterpret_cast<uint8_t*>(&number));
      REQUIRE(number == read.record.time_ns);
      REQUIRE(number == seen + 1 + read.record.dropped);
      ++seen;
    }
    dropped = ring.dropped(0);
  }
  producer.join();
}
