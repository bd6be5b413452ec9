// SPDX-License-Identifier: Apache-2.0
// The queue of values: order, fullness, and two threads on it.
#include "link/spsc_queue.h"

#include <doctest/doctest.h>

#include <thread>

using rpmsg::SpscQueue;

TEST_CASE("values come out in the order in which they went in") {
  SpscQueue<int> queue(4);
  int value = -1;
  CHECK_FALSE(queue.pop(value));
  CHECK(value == -1);
  for (int i = 0; i < 3; i++)
    CHECK(queue.push(i));
  for (int i = 0; i < 3; i++) {
    REQUIRE(queue.pop(value));
    CHECK(value == i);
  }
  CHECK_FALSE(queue.pop(value));
}

TEST_CASE("a full queue refuses until one is taken") {
  SpscQueue<int> queue(2);
  CHECK(queue.push(1));
  CHECK(queue.push(2));
  CHECK_FALSE(queue.push(3));
  int value = 0;
  CHECK(queue.pop(value));
  CHECK(queue.push(3));
  CHECK_FALSE(queue.push(4));
  CHECK((queue.pop(value) && value == 2));
  CHECK((queue.pop(value) && value == 3));
}

TEST_CASE("a mark is passed by what was pushed before it, whatever comes later") {
  SpscQueue<int> queue(4);
  CHECK(queue.is_popped(queue.mark()));
  queue.push(1);
  queue.push(2);
  const uint32_t mark = queue.mark();
  queue.push(3);
  int value = 0;
  REQUIRE(queue.pop(value));
  CHECK_FALSE(queue.is_popped(mark));
  REQUIRE(queue.pop(value));
  CHECK(queue.is_popped(mark));
  REQUIRE(queue.pop(value));
  CHECK(queue.is_popped(mark));
}

TEST_CASE("two threads: every value arrives once, in order and whole") {
  struct Value {
    uint64_t first, second;
  };
  constexpr uint64_t kValues = 100000;
  SpscQueue<Value> queue(16);
  std::thread producer([&] {
    for (uint64_t i = 0; i < kValues; i++)
      while (!queue.push({i, ~i}))
        std::this_thread::yield();
  });
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < kValues; i++) {
    Value value{};
    while (!queue.pop(value))
      std::this_thread::yield();
    if (value.first != i || value.second != ~i) wrong++;
  }
  producer.join();
  CHECK(wrong == 0);
}
