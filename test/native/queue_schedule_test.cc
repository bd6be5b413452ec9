// SPDX-License-Identifier: Apache-2.0
// Random schedules of driver against device over one memory: whatever the order, each message
// arrives once, each buffer is in one place, and indices wrap without a trace.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <random>

#include "memory/barrier.h"
#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometries[] = {{.num = 1, .align = 16, .buffer_bytes = 20},
                                     {.num = 2, .align = 16, .buffer_bytes = 64},
                                     {.num = 4, .align = 64, .buffer_bytes = 512},
                                     {.num = 256, .align = 4096, .buffer_bytes = 512},
                                     {.num = 1024, .align = 16, .buffer_bytes = 32}};

using Header = std::array<uint8_t, 16>;

Header header_of(uint32_t number) {
  Header header;
  for (size_t i = 0; i < header.size(); ++i)
    header[i] = static_cast<uint8_t>(number >> (i % 4 * 8));
  return header;
}

/// Both ends of a vring1 with a model of what must come next. `errors` counts what did not.
class Schedule {
public:
  /// As if `position` buffers had been posted and taken before.
  Schedule(const QueueGeometry& geometry, uint64_t position)
      : memory_(geometry), driver_(memory_.driver(BufferUse::remote_reads)),
        device_(memory_.device()), random_(geometry.num), last_posted_(position) {
    driver_.start_fresh();
    QueueStateHeader& header = *queue_state_in(memory_.state(), geometry).header;
    header.avail_position = position;
    header.used_position = position;
    device_.start_at(static_cast<uint16_t>(position));
    expect(driver_.resume());
  }

  void run(uint64_t messages) {
    last_posted_ += messages;
    while (driver_.posted_position() < last_posted_)
      step();
    while (driver_.used_position() < driver_.posted_position())
      step();
  }

  uint64_t errors = 0;
  uint64_t reordered = 0;

private:
  void step() {
    switch (random_() % 4) {
    case 0: post(); break;
    case 1: device_takes(); break;
    case 2: device_returns(); break;
    default: driver_takes(); break;
    }
    expect(driver_.idle_buffers() + driver_.in_flight() == memory_.geometry.num);
    expect(driver_.in_flight() == driver_.posted_position() - driver_.used_position());
  }

  void post() {
    const uint32_t number = posted_;
    if (driver_.posted_position() == last_posted_) return;
    if (!driver_.post_message(header_of(number), {}, number)) {
      expect(driver_.idle_buffers() == 0);
      return;
    }
    ++posted_;
    on_the_way_.push_back(number);
  }

  void device_takes() {
    DeviceBuffer buffer;
    const auto next = device_.next(buffer);
    expect(next != DeviceQueue::Next::malformed);
    expect((next == DeviceQueue::Next::nothing) == on_the_way_.empty());
    if (next != DeviceQueue::Next::ready) return;
    const std::vector<uint8_t> bytes = device_.read(buffer);
    const Header header = header_of(on_the_way_.front());
    expect(std::equal(bytes.begin(), bytes.end(), header.begin(), header.end()));
    held_.push_back({buffer.id, on_the_way_.front()});
    on_the_way_.pop_front();
  }

  void device_returns() {
    if (held_.empty()) return;
    const size_t which = random_() % held_.size();
    if (which != 0) ++reordered;
    const Held one = held_[which];
    held_.erase(held_.begin() + static_cast<ptrdiff_t>(which));
    device_.put_used(one.id, 16);
    returned_.push_back(one);
  }

  void driver_takes() {
    UsedBuffer used;
    expect(driver_.has_used() == !returned_.empty());
    expect(driver_.unused_buffers() == driver_.in_flight() - returned_.size());
    const auto peek = driver_.peek(used);
    expect(peek == (returned_.empty() ? DriverQueue::Peek::nothing : DriverQueue::Peek::ready));
    if (peek != DriverQueue::Peek::ready) return;
    expect(used.id == returned_.front().id && used.owner == returned_.front().number);
    returned_.pop_front();
    driver_.take(used);
  }

  void expect(bool is_right) { errors += is_right ? 0 : 1; }

  struct Held {
    uint16_t id;
    uint32_t number;
  };
  RingMemory memory_;
  DriverQueue driver_;
  DeviceQueue device_;
  std::minstd_rand random_;
  uint64_t last_posted_;
  uint32_t posted_ = 0;
  std::deque<uint32_t> on_the_way_;
  std::vector<Held> held_;
  std::deque<Held> returned_;
};

} // namespace

TEST_CASE("any schedule delivers each message once, out of order too, across index wraps") {
  for (const QueueGeometry& geometry : kGeometries) {
    CAPTURE(geometry.num);
    for (const uint64_t position : {uint64_t{0}, uint64_t{65536}, uint64_t{1} << 40}) {
      Schedule schedule(geometry, position == 0 ? 0 : position - geometry.num - 3);
      schedule.run(geometry.num * 3u + 200);
      CHECK(schedule.errors == 0);
      CHECK((schedule.reordered > 0) == (geometry.num > 1));
    }
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(RPMSG_THREAD_SANITIZER)
TEST_CASE("a queue that ran through two wraps of the index is as good as new") {
  for (const QueueGeometry& geometry : kGeometries) {
    if (geometry.num != 2 && geometry.num != 256) continue;
    CAPTURE(geometry.num);
    Schedule schedule(geometry, 0);
    schedule.run(std::getenv("RPMSGD_SOAK") != nullptr ? 3'000'000 : 2 * 65536 + 1000);
    CHECK(schedule.errors == 0);
  }
}
#endif

TEST_CASE("a ring of 32,768 can be full without its index difference becoming ambiguous") {
  const RingMemory memory({.num = 32768, .align = 4096, .buffer_bytes = 20});
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  while (driver.post_empty())
    continue;
  REQUIRE(driver.in_flight() == 32768);
  for (unsigned round = 0; round < 3; ++round) {
    DeviceBuffer buffer;
    while (device.next(buffer) == DeviceQueue::Next::ready)
      device.put_used(buffer.id, 20);
    UsedBuffer used;
    uint32_t taken = 0;
    while (driver.peek(used) == DriverQueue::Peek::ready)
      driver.take(used), ++taken;
    CHECK(taken == 32768);
    while (driver.post_empty())
      continue;
  }
  CHECK_FALSE(driver.poisoned());
}

TEST_CASE("idle buffers are used in turn, so that a lost one shows at once") {
  const RingMemory memory({.num = 4, .align = 16, .buffer_bytes = 64});
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  for (uint16_t turn = 0; turn < 12; ++turn) {
    REQUIRE(driver.post_empty());
    DeviceBuffer buffer;
    REQUIRE(device.next(buffer) == DeviceQueue::Next::ready);
    CHECK(buffer.id == turn % 4);
    device.put_used(buffer.id, 64);
    UsedBuffer used;
    REQUIRE(driver.peek(used) == DriverQueue::Peek::ready);
    driver.take(used);
  }
}

TEST_CASE("a remote had no buffer left if it had used all that were posted before the latest") {
  const RingMemory memory({.num = 2, .align = 16, .buffer_bytes = 64});
  DriverQueue driver = memory.driver(BufferUse::remote_writes);
  DeviceQueue device = memory.device();
  driver.start_fresh();
  REQUIRE(driver.post_empty());
  CHECK(driver.remote_had_none());
  REQUIRE(driver.post_empty());
  CHECK_FALSE(driver.remote_had_none());
  device.put_used(0, 64);
  device.put_used(1, 64);
  UsedBuffer used;
  REQUIRE(driver.peek(used) == DriverQueue::Peek::ready);
  driver.take(used);
  REQUIRE(driver.post_empty());
  CHECK(driver.remote_had_none()); // it has used its last since we looked
  REQUIRE(driver.peek(used) == DriverQueue::Peek::ready);
  driver.take(used);
  REQUIRE(driver.post_empty());
  CHECK_FALSE(driver.remote_had_none());
}
