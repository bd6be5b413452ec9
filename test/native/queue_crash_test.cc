// SPDX-License-Identifier: Apache-2.0
// A process is killed after each single store of each operation, and again in its recovery; the
// next one resumes. Every message is somewhere exactly once and no buffer is lost.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "support/crash_points.h"
#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 4, .align = 16, .buffer_bytes = 64};

std::vector<uint8_t> message(uint8_t number) {
  return std::vector<uint8_t>(20, number);
}

/// One queue with a device that outlives the driver's crashes.
struct World {
  explicit World(BufferUse how)
      : use(how), driver(memory.driver(how)), arena(memory.arena()), device(memory.device()) {
    driver.start_fresh();
    arena.clear();
  }

  /// What the next process does. The objects of the dead one are forgotten.
  bool reopen() {
    driver = memory.driver(use);
    arena = memory.arena();
    return driver.resume(&arena);
  }

  bool post(uint8_t number) { return driver.post_message(message(number), {}, number); }

  /// The device takes and keeps everything that is available, checking what it is given.
  void device_takes_all() {
    DeviceBuffer buffer;
    while (true) {
      const auto next = device.next(buffer);
      REQUIRE(next != DeviceQueue::Next::malformed);
      if (next == DeviceQueue::Next::nothing) return;
      REQUIRE(std::count_if(held.begin(), held.end(),
                            [&](const DeviceBuffer& one) { return one.id == buffer.id; }) == 0);
      held.push_back(buffer);
      if (use == BufferUse::remote_reads) seen.push_back(device.read(buffer).at(0));
    }
  }

  void device_returns(size_t which) {
    device.put_used(held.at(which).id, 20);
    held.erase(held.begin() + static_cast<ptrdiff_t>(which));
  }

  void device_sends(size_t which, uint8_t number) {
    device.write(held.at(which), message(number));
    device_returns(which);
  }

  void fill_slot() {
    UsedBuffer used;
    if (driver.peek(used) != DriverQueue::Peek::ready) return;
    const auto slot = static_cast<uint32_t>(arena.reserve());
    driver.copy_out(used, 0, arena.bytes(slot).first(used.length_bytes));
    SlotRecord record;
    record.used_position = used.position;
    record.length_bytes = used.length_bytes;
    record.seq = used.position + 1000;
    driver.take(used, arena, slot, record);
  }

  /// The messages in filled slots, by the order in which the ring held them.
  std::vector<uint8_t> in_slots() {
    std::vector<uint8_t> found(kTestSlots, 0);
    size_t count = 0;
    for (uint32_t slot = 0; slot < kTestSlots; ++slot) {
      const SlotRecord& record = arena.record(slot);
      if (record.state != SlotState::filled) continue;
      REQUIRE(record.seq == record.used_position + 1000);
      const std::span<uint8_t> bytes = arena.bytes(slot).first(record.length_bytes);
      REQUIRE(std::equal(bytes.begin(), bytes.end(), message(bytes[0]).begin()));
      found.at(record.used_position) = bytes[0];
      ++count;
    }
    found.resize(count);
    return found;
  }

  RingMemory memory{kGeometry};
  BufferUse use;
  DriverQueue driver;
  SlotArena arena;
  DeviceQueue device;
  std::vector<DeviceBuffer> held;
  std::vector<uint8_t> seen;
};

/// Three messages, of which the second is done, the first is returned and the third on its way.
std::unique_ptr<World> sending_world() {
  auto world = std::make_unique<World>(BufferUse::remote_reads);
  world->post(1), world->post(2);
  world->device_takes_all();
  world->device_returns(1);
  UsedBuffer used;
  REQUIRE(world->driver.peek(used) == DriverQueue::Peek::ready);
  world->driver.take(used);
  world->post(3);
  world->device_returns(0);
  return world;
}

/// Three of four buffers posted; messages 1 and 2 came, through the second and the first buffer.
std::unique_ptr<World> receiving_world() {
  auto world = std::make_unique<World>(BufferUse::remote_writes);
  for (unsigned i = 0; i < 3; ++i)
    world->driver.post_empty();
  world->device_takes_all();
  world->device_sends(1, 1);
  world->device_sends(0, 2);
  return world;
}

/// Runs `operation` in worlds made by `make`, killed after each k-th store, resumed (a second time
/// if the first recovery is killed too, after each j-th store of it) and handed to `verify` with k.
template<class Make, class Operation, class Verify>
void crash_everywhere(Make make, Operation operation, Verify verify) {
  bool was_killed = true;
  for (uint64_t k = 1; was_killed; ++k) {
    CAPTURE(k);
    bool was_recovery_killed = true;
    for (uint64_t j = 1; was_recovery_killed; ++j) {
      CAPTURE(j);
      const std::unique_ptr<World> world = make();
      was_killed = is_killed_after(k, [&] { operation(*world); });
      was_recovery_killed = is_killed_after(j, [&] { (void)world->reopen(); });
      REQUIRE(world->reopen());
      verify(*world, k);
      // Recovery does the same after every k but for an armed record: its kills are tried for each
      // third k, which meets both cases, and the rest is resumed undisturbed.
      if (k % 3 != 0) break;
    }
  }
}

/// Operations are atomic: up to some store nothing happened, from there on all of it did.
class Switch {
public:
  void saw(bool has_happened) {
    REQUIRE((has_happened || !happened_));
    happened_ = has_happened;
    (has_happened ? after_ : before_) += 1;
  }
  bool was_seen_both_ways() const { return before_ > 0 && after_ > 0; }

private:
  bool happened_ = false;
  unsigned before_ = 0;
  unsigned after_ = 0;
};

/// Every buffer makes a round trip, so none is lost and none is in two places.
void every_buffer_still_works(World& world) {
  while (!world.held.empty())
    world.device_returns(0);
  UsedBuffer used;
  while (world.driver.peek(used) == DriverQueue::Peek::ready)
    world.driver.take(used);
  REQUIRE_FALSE(world.driver.poisoned());
  world.device_takes_all();
  while (!world.held.empty())
    world.device_returns(0);
  while (world.driver.peek(used) == DriverQueue::Peek::ready)
    world.driver.take(used);
  REQUIRE(world.driver.idle_buffers() == kGeometry.num);
  const bool is_sending = world.use == BufferUse::remote_reads;
  for (unsigned i = 0; i < kGeometry.num; ++i) {
    REQUIRE((is_sending ? world.post(9) : world.driver.post_empty()));
  }
  world.device_takes_all();
  REQUIRE(world.held.size() == kGeometry.num);
}

} // namespace

TEST_CASE("a crash at any store of posting a message sends it once or not at all") {
  Switch posted;
  crash_everywhere(
      sending_world, [](World& world) { world.post(4); },
      [&](World& world, uint64_t) {
        world.device_takes_all();
        const bool is_sent = world.seen == std::vector<uint8_t>{1, 2, 3, 4};
        REQUIRE((is_sent || world.seen == std::vector<uint8_t>{1, 2, 3}));
        posted.saw(is_sent);
        while (!world.held.empty())
          world.device_returns(world.held.size() - 1);
        UsedBuffer used;
        std::vector<uint32_t> owners;
        while (world.driver.peek(used) == DriverQueue::Peek::ready) {
          owners.push_back(used.owner);
          world.driver.take(used);
        }
        REQUIRE(owners == (is_sent ? std::vector<uint32_t>{1, 4, 3} : std::vector<uint32_t>{1, 3}));
        every_buffer_still_works(world);
      });
  CHECK(posted.was_seen_both_ways());
}

TEST_CASE("a second crash, while the next record is being filled, finishes nothing of the first") {
  bool was_killed = true;
  for (uint64_t k = 1; was_killed; ++k) {
    for (uint64_t j = 1; j <= 8; ++j) {
      CAPTURE(k);
      CAPTURE(j);
      const std::unique_ptr<World> world = sending_world();
      was_killed = is_killed_after(k, [&] { world->post(4); });
      REQUIRE(world->reopen());
      const uint64_t posted = world->driver.posted_position();
      REQUIRE(is_killed_after(j, [&] { world->post(5); }));
      REQUIRE(world->reopen()); // the buffer and descriptor, then half a record: not a message
      REQUIRE(world->driver.posted_position() == posted);
      world->device_takes_all();
      REQUIRE(world->seen.size() == posted);
      every_buffer_still_works(*world);
    }
  }
}

TEST_CASE("a crash at any store of posting an empty buffer loses none and posts none twice") {
  Switch posted;
  crash_everywhere(
      receiving_world, [](World& world) { world.driver.post_empty(); },
      [&](World& world, uint64_t) {
        posted.saw(world.driver.posted_position() == 4);
        world.device_takes_all();
        REQUIRE(world.held.size() == (world.driver.posted_position() == 4 ? 2 : 1));
        every_buffer_still_works(world);
      });
  CHECK(posted.was_seen_both_ways());
}

TEST_CASE("a crash at any store of taking an entry takes it or leaves it") {
  Switch taken;
  crash_everywhere(
      sending_world,
      [](World& world) {
        UsedBuffer used;
        if (world.driver.peek(used) == DriverQueue::Peek::ready) world.driver.take(used);
      },
      [&](World& world, uint64_t) {
        UsedBuffer used;
        const bool is_left = world.driver.peek(used) == DriverQueue::Peek::ready;
        if (is_left) REQUIRE(used.owner == 1);
        taken.saw(!is_left);
        REQUIRE(world.driver.idle_buffers() == (is_left ? 2 : 3));
        world.device_takes_all();
        REQUIRE(world.seen == std::vector<uint8_t>{1, 2, 3});
        every_buffer_still_works(world);
      });
  CHECK(taken.was_seen_both_ways());
}

TEST_CASE("a crash at any store of filling a slot leaves the message in the ring or in the slot") {
  Switch filled;
  crash_everywhere(
      receiving_world, [](World& world) { world.fill_slot(); },
      [&](World& world, uint64_t) {
        const size_t count = world.in_slots().size();
        REQUIRE(count <= 1);
        filled.saw(count == 1);
        REQUIRE(world.arena.free_slots() == kTestSlots - count);
        REQUIRE(world.driver.used_position() == count);
        while (world.driver.has_used())
          world.fill_slot();
        REQUIRE(world.in_slots() == std::vector<uint8_t>{1, 2});
        every_buffer_still_works(world);
      });
  CHECK(filled.was_seen_both_ways());
}

TEST_CASE("a crash at any store of freeing a slot frees it or leaves it filled") {
  Switch freed;
  crash_everywhere(
      [] {
        auto world = receiving_world();
        world->fill_slot();
        return world;
      },
      [](World& world) { world.arena.release(0); },
      [&](World& world, uint64_t k) {
        freed.saw(world.in_slots().empty());
        REQUIRE(world.in_slots().empty() == (k >= 1));
      });
}

TEST_CASE("a crash inside a cold start leaves nothing that could be resumed") {
  bool was_killed = true;
  for (uint64_t k = 1; was_killed; ++k) {
    CAPTURE(k);
    const std::unique_ptr<World> world = sending_world();
    was_killed = is_killed_after(k, [&] { world->driver.start_fresh(); });
    const bool is_whole = world->reopen();
    if (is_whole) {
      REQUIRE(world->driver.idle_buffers() == kGeometry.num);
      REQUIRE_FALSE(is_killed_after(k + 1, [&] { world->driver.start_fresh(); }));
    }
    if (!was_killed) REQUIRE(is_whole);
  }
}

namespace {

/// What children say, in memory that survives them.
struct Diary {
  uint8_t attempted = 0;
  bool was_accepted[256] = {};
};

} // namespace

TEST_CASE("under kills at random stores of random work each accepted message arrives once") {
  World world(BufferUse::remote_reads);
  const GuardedPages pages(sizeof(Diary));
  auto& diary = *new (pages.data()) Diary;
  unsigned random = 1;
  const auto draw = [&](unsigned limit) {
    return (random = random * 1103515245 + 12345) / 65536 % limit;
  };
  while (diary.attempted < 200) {
    const unsigned stores = 1 + draw(90);
    (void)is_killed_after(stores, [&] {
      if (!world.reopen()) _exit(1);
      UsedBuffer used;
      while (world.driver.peek(used) == DriverQueue::Peek::ready)
        world.driver.take(used);
      while (world.driver.idle_buffers() > 0 && diary.attempted < 200) {
        const uint8_t number = ++diary.attempted;
        diary.was_accepted[number] = world.post(number);
      }
    });
    world.device_takes_all();
    while (!world.held.empty())
      world.device_returns(draw(static_cast<unsigned>(world.held.size())));
  }
  REQUIRE(world.reopen());
  world.device_takes_all();
  CHECK(std::is_sorted(world.seen.begin(), world.seen.end()));
  CHECK(std::adjacent_find(world.seen.begin(), world.seen.end()) == world.seen.end());
  const std::set<uint8_t> arrived(world.seen.begin(), world.seen.end());
  for (unsigned number = 1; number <= 200; ++number) {
    if (diary.was_accepted[number]) CHECK(arrived.count(static_cast<uint8_t>(number)) == 1);
  }
  CHECK(arrived.size() > 100);
  every_buffer_still_works(world);
}
