// SPDX-License-Identifier: Apache-2.0
#include "link/packet_pace.h"

#include <doctest/doctest.h>

using rpmsg::PacketPace;

namespace {

// A client that wrote twice within the gap of a burst, and whose packets were taken both times.
PacketPace in_burst(uint64_t taken_ns) {
  PacketPace pace;
  pace.on_edge(taken_ns - 20'000);
  pace.on_taken(1, true, taken_ns - 18'000);
  pace.on_edge(taken_ns - 5'000); // the gap is 13 us
  pace.on_taken(8, true, taken_ns);
  return pace;
}

} // namespace

TEST_CASE("single packets and round trips are taken at once, and nobody looks on for them") {
  PacketPace pace;
  for (uint64_t now_ns = 1'000'000; now_ns < 2'000'000; now_ns += 50'000) {
    pace.on_edge(now_ns);
    CHECK_FALSE(pace.may_gather(now_ns + 500));
    pace.on_taken(1, true, now_ns + 2'000);
    CHECK_FALSE(pace.is_on(now_ns + 3'000));
  }
}

TEST_CASE("nobody looks on for a trickle that comes later than one would look") {
  PacketPace pace;
  for (uint64_t now_ns = 1'000'000; now_ns < 2'000'000; now_ns += 30'000) {
    pace.on_edge(now_ns);
    pace.on_taken(1, true, now_ns + 2'000);
    CHECK_FALSE(pace.is_on(now_ns + 3'000));
  }
}

TEST_CASE("in a burst packets gather after the sockets were emptied, but not for long") {
  PacketPace pace = in_burst(1'000'000);
  CHECK(pace.is_on(1'001'000));
  pace.on_edge(1'001'000);
  CHECK(pace.may_gather(1'001'000));
  CHECK(pace.may_gather(1'017'000));
  CHECK_FALSE(pace.may_gather(1'018'000));
}

TEST_CASE("what a socket is known to hold is not kept waiting") {
  PacketPace pace = in_burst(1'000'000);
  pace.on_edge(1'001'000);
  pace.on_taken(32, false, 1'020'000); // a whole batch, and more is there
  CHECK_FALSE(pace.may_gather(1'020'500));
}

TEST_CASE("packets that were left to gather are looked after however late the next look is") {
  PacketPace pace = in_burst(1'000'000);
  pace.on_edge(1'001'000);
  REQUIRE(pace.may_gather(1'002'000));
  CHECK(pace.is_on(9'000'000));
  CHECK_FALSE(pace.may_gather(9'000'000)); // and taken then
  pace.on_taken(8, true, 9'000'000);
  CHECK_FALSE(pace.is_on(9'000'001));
}

TEST_CASE("a burst is over when nothing comes, and when the stream that gathered is gone") {
  PacketPace pace = in_burst(1'000'000);
  CHECK(pace.is_on(1'019'000));
  CHECK_FALSE(pace.is_on(1'020'000));
  pace = in_burst(1'000'000);
  pace.on_edge(1'001'000);
  REQUIRE(pace.may_gather(1'002'000));
  pace.on_none();
  CHECK_FALSE(pace.is_on(2'000'000));
}
