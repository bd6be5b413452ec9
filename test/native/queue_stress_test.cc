// SPDX-License-Identifier: Apache-2.0
// Driver and device on two processors at once. ThreadSanitizer knows the index accesses of
// memory/barrier.h as release and acquire, and so finds any entry that no index covers (rule 9).
#include <doctest/doctest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <thread>

#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

uint32_t message_count() {
  return std::getenv("RPMSGD_SOAK") != nullptr ? 5'000'000 : 30'000;
}

std::vector<uint8_t> message(uint32_t number) {
  return std::vector<uint8_t>(20 + number % 40, static_cast<uint8_t>(number));
}

/// Calls `step` until it says that all is done; gives up when nothing moved for 20 seconds.
template<class Step>
bool run(Step step, const std::atomic<uint64_t>& progress) {
  uint64_t seen = 0;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!step()) {
    sched_yield();
    const uint64_t now = progress.load(std::memory_order_relaxed);
    const auto time = std::chrono::steady_clock::now();
    if (now != seen) seen = now, deadline = time + std::chrono::seconds(20);
    if (time > deadline) return false;
  }
  return true;
}

} // namespace

TEST_CASE("rule 9: at full speed a device never sees a message before its bytes") {
  for (const uint16_t num : {uint16_t{2}, uint16_t{64}}) {
    CAPTURE(num);
    const RingMemory memory({.num = num, .align = 64, .buffer_bytes = 64});
    DriverQueue driver = memory.driver(BufferUse::remote_reads);
    DeviceQueue device = memory.device();
    driver.start_fresh();
    const uint32_t count = message_count();
    std::atomic<uint64_t> progress{0};
    uint64_t wrong = 0;
    std::thread remote([&] {
      uint32_t received = 0;
      std::deque<uint16_t> held;
      const bool is_done = run(
          [&] {
            DeviceBuffer buffer;
            while (device.next(buffer) == DeviceQueue::Next::ready) {
              if (device.read(buffer) != message(received++)) ++wrong;
              held.push_back(buffer.id);
              progress.fetch_add(1, std::memory_order_relaxed);
            }
            while (!held.empty()) { // last in, first out: out of order
              device.put_used(held.back(), 0);
              held.pop_back();
            }
            return received == count;
          },
          progress);
      if (!is_done) ++wrong;
    });
    uint32_t posted = 0;
    const bool is_done = run(
        [&] {
          UsedBuffer used;
          while (driver.peek(used) == DriverQueue::Peek::ready)
            driver.take(used);
          while (posted < count && driver.post_message(message(posted), {}, posted))
            ++posted;
          return driver.used_position() == count || driver.poisoned();
        },
        progress);
    remote.join();
    CHECK(is_done);
    CHECK_FALSE(driver.poisoned());
    CHECK(wrong == 0);
  }
}

TEST_CASE("rule 9: at full speed the host never sees a used entry before its bytes") {
  const RingMemory memory({.num = 16, .align = 64, .buffer_bytes = 64});
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  const uint32_t count = message_count();
  std::atomic<uint64_t> progress{0};
  uint64_t wrong = 0;
  std::thread remote([&] {
    uint32_t sent = 0;
    (void)run(
        [&] {
          DeviceBuffer buffer;
          while (sent < count && device.next(buffer) == DeviceQueue::Next::ready) {
            const std::vector<uint8_t> bytes = message(sent++);
            device.write(buffer, bytes);
            device.put_used(buffer.id, static_cast<uint32_t>(bytes.size()));
            progress.fetch_add(1, std::memory_order_relaxed);
          }
          return sent == count;
        },
        progress);
  });
  uint32_t received = 0;
  const bool is_done = run(
      [&] {
        UsedBuffer used;
        while (driver.peek(used) == DriverQueue::Peek::ready) {
          std::vector<uint8_t> bytes(used.length_bytes);
          driver.copy_out(used, 0, bytes);
          if (bytes != message(received++)) ++wrong;
          driver.take(used);
        }
        while (driver.post_empty())
          continue;
        return received == count || driver.poisoned();
      },
      progress);
  remote.join();
  CHECK(is_done);
  CHECK_FALSE(driver.poisoned());
  CHECK(wrong == 0);
}
