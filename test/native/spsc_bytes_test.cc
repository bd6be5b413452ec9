// SPDX-License-Identifier: Apache-2.0
// The ring of records: order, contiguity, fullness, and two threads on it.
#include "link/spsc_bytes.h"

#include <doctest/doctest.h>

#include <cstring>
#include <deque>
#include <random>
#include <thread>
#include <vector>

using namespace rpmsg;

namespace {

// A record of the tests: its size in bytes, a number, and words that repeat the number.
bool put(SpscBytes& ring, uint32_t bytes, uint32_t number) {
  uint8_t* to = ring.reserve(bytes);
  if (to == nullptr) return false;
  auto* words = reinterpret_cast<uint32_t*>(to);
  words[0] = bytes;
  for (uint32_t i = 1; i < bytes / 4; i++)
    words[i] = number;
  ring.commit();
  return true;
}

uint32_t size_of_first(std::span<const uint8_t> run) {
  uint32_t bytes = 0;
  std::memcpy(&bytes, run.data(), sizeof bytes);
  return bytes;
}

/// The number of the first record, or ~0 if its words differ.
uint32_t number_of_first(std::span<const uint8_t> run) {
  const auto* words = reinterpret_cast<const uint32_t*>(run.data());
  for (uint32_t i = 2; i < words[0] / 4; i++)
    if (words[i] != words[1]) return ~0u;
  return words[1];
}

uint32_t random_size(std::mt19937& random) {
  return 8 * (1 + random() % 16);
}

} // namespace

TEST_CASE("a new ring has nothing to read and all its bytes free") {
  SpscBytes ring(64);
  CHECK(ring.readable().empty());
  CHECK(ring.free_bytes() == 64);
}

TEST_CASE("a record is readable once it is committed and not before") {
  SpscBytes ring(64);
  uint8_t* to = ring.reserve(16);
  REQUIRE(to != nullptr);
  CHECK(reinterpret_cast<uintptr_t>(to) % SpscBytes::kAlignment == 0);
  std::memset(to, 7, 16);
  CHECK(ring.readable().empty());
  ring.commit();
  REQUIRE(ring.readable().size() == 16);
  CHECK(ring.readable()[15] == 7);
  CHECK(ring.free_bytes() == 48);
}

TEST_CASE("a reservation that was not committed is forgotten by the next") {
  SpscBytes ring(64);
  REQUIRE(ring.reserve(64) != nullptr);
  CHECK(put(ring, 8, 1));
  CHECK(ring.readable().size() == 8);
}

TEST_CASE("records come in order and may be consumed one by one") {
  SpscBytes ring(64);
  CHECK(put(ring, 8, 1));
  CHECK(put(ring, 24, 2));
  REQUIRE(ring.readable().size() == 32);
  CHECK(number_of_first(ring.readable()) == 1);
  ring.consume(8);
  CHECK(number_of_first(ring.readable()) == 2);
  ring.consume(24);
  CHECK(ring.readable().empty());
}

TEST_CASE("a full ring refuses and takes again what was consumed") {
  SpscBytes ring(64);
  for (uint32_t i = 0; i < 4; i++)
    CHECK(put(ring, 16, i));
  CHECK(ring.free_bytes() == 0);
  CHECK_FALSE(put(ring, 8, 9));
  CHECK(ring.readable().size() == 64);
  ring.consume(16);
  CHECK(put(ring, 16, 4));
  CHECK_FALSE(put(ring, 8, 9));
  for (uint32_t i = 1; i < 5; i++) {
    REQUIRE_FALSE(ring.readable().empty());
    CHECK(number_of_first(ring.readable()) == i);
    ring.consume(16);
  }
  CHECK(ring.readable().empty());
}

TEST_CASE("a record that does not fit before the end starts the next lap, in one piece") {
  SpscBytes ring(64);
  CHECK(put(ring, 40, 1));
  ring.consume(static_cast<uint32_t>(ring.readable().size()));
  CHECK(put(ring, 16, 2));
  CHECK(put(ring, 32, 3));
  REQUIRE(ring.readable().size() == 16);
  ring.consume(16);
  REQUIRE(ring.readable().size() == 32);
  CHECK(number_of_first(ring.readable()) == 3);
}

TEST_CASE("half the capacity always fits into an empty ring, wherever its end is") {
  SpscBytes ring(64);
  for (uint32_t i = 0; i < 40; i++) {
    CHECK(put(ring, 8, i));
    ring.consume(static_cast<uint32_t>(ring.readable().size()));
    CHECK(put(ring, 32, i));
    REQUIRE(ring.readable().size() == 32);
    ring.consume(32);
    CHECK(ring.readable().empty());
  }
}

TEST_CASE("a record above the capacity is refused") {
  SpscBytes ring(64);
  CHECK(ring.reserve(72) == nullptr);
  CHECK(ring.reserve(64) != nullptr);
}

TEST_CASE("random sizes and random reading keep every record, in order and intact") {
  SpscBytes ring(512);
  std::mt19937 random(11);
  std::deque<uint32_t> inside;
  uint32_t next = 0;
  for (int step = 0; step < 100000; step++) {
    if (random() % 2) {
      if (put(ring, random_size(random), next)) inside.push_back(next++);
    } else if (auto run = ring.readable(); !run.empty()) {
      REQUIRE_FALSE(inside.empty());
      const uint32_t bytes = size_of_first(run);
      REQUIRE(number_of_first(run) == inside.front());
      inside.pop_front();
      ring.consume(bytes);
    } else {
      REQUIRE(inside.empty());
    }
  }
  CHECK(next > 10000);
}

TEST_CASE("two threads: every record arrives, in order and intact") {
  constexpr uint32_t kRecords = 50000;
  SpscBytes ring(1024);
  std::thread producer([&] {
    std::mt19937 random(5);
    for (uint32_t number = 0; number < kRecords; number++) {
      const uint32_t bytes = random_size(random);
      while (!put(ring, bytes, number))
        std::this_thread::yield();
    }
  });
  uint32_t expected = 0, wrong = 0;
  while (expected < kRecords) {
    auto run = ring.readable();
    if (run.empty()) std::this_thread::yield();
    uint32_t used = 0;
    while (used < run.size()) {
      const auto record = run.subspan(used);
      used += size_of_first(record);
      if (number_of_first(record) != expected++) wrong++;
    }
    ring.consume(used);
  }
  producer.join();
  CHECK(wrong == 0);
  CHECK(ring.readable().empty());
}
