// SPDX-License-Identifier: Apache-2.0
#include "link/burst.h"

#include <doctest/doctest.h>

using rpmsg::Burst;

TEST_CASE("single messages and round trips never begin a burst") {
  Burst burst;
  for (uint64_t now_ns = 1'000'000; now_ns < 2'000'000; now_ns += 50'000) {
    burst.on_interrupt(now_ns);
    burst.on_found(now_ns + 2'000);
    CHECK_FALSE(burst.is_on(now_ns + 3'000));
  }
}

TEST_CASE("a burst begins with an interrupt right after a message and ends when nothing comes") {
  Burst burst;
  burst.on_interrupt(1'000'000);
  burst.on_found(1'001'000);
  burst.on_interrupt(1'010'000);
  CHECK(burst.is_on(1'012'000));
  burst.on_found(1'025'000);
  CHECK(burst.is_on(1'044'000));
  CHECK_FALSE(burst.is_on(1'045'000));
  CHECK_FALSE(burst.is_on(1'046'000));
}
