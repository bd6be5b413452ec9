// SPDX-License-Identifier: Apache-2.0
// A remote that stores anything anywhere in the ring and the buffers between the host's operations
// on a receiving queue, and kills the host's process in between. Whatever it does: no crash, sums
// that hold, values within what was posted, and nothing but a cold start clears poison.
#include <cstdlib>
#include <vector>

#include "support/fuzz_input.h"
#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 4, .align = 16, .buffer_bytes = 64};

class Host {
public:
  Host() {
    driver_.start_fresh();
    arena_.clear();
  }

  void step(FuzzInput& input) {
    switch (input.u8() % 9) {
    case 0: scribble(input, memory_.ring(), ring_layout(kGeometry).total_bytes); break;
    case 1: scribble(input, memory_.buffers(), memory_.buffers().size()); break;
    case 2: device_returns(input); break;
    case 3: (void)driver_.post_empty(); break;
    case 4: receive(false); break;
    case 5: receive(true); break;
    case 6: release(input.u8() % kTestSlots); break;
    case 7: restart(); break;
    default: hints(input.u8()); break;
    }
    check();
  }

private:
  void scribble(FuzzInput& input, const SharedSpan& span, size_t size) {
    const size_t at = input.u16() % size;
    *span.at(at, 1) = input.u8();
  }

  // Plausible entries, so that the fuzzer gets past the first check.
  void device_returns(FuzzInput& input) {
    const uint8_t id = input.u8();
    const uint8_t length = input.u8();
    const auto index = static_cast<uint16_t>(driver_.used_position() + returned_++ % 4);
    device_.set_used_entry(index, id % 5, length % 80);
    device_.set_used_index(static_cast<uint16_t>(index + 1));
  }

  void receive(bool is_into_slot) {
    UsedBuffer used;
    const auto peek = driver_.peek(used);
    require(peek != DriverQueue::Peek::fault || driver_.poisoned());
    if (peek != DriverQueue::Peek::ready) return;
    require(used.id < kGeometry.num && used.length_bytes >= 16 && used.length_bytes <= 64);
    require(used.position == driver_.used_position());
    const int32_t slot = is_into_slot ? arena_.reserve() : -1;
    if (slot < 0) return driver_.take(used);
    driver_.copy_out(used, 0, arena_.bytes(static_cast<uint32_t>(slot)).first(used.length_bytes));
    SlotRecord record;
    record.length_bytes = used.length_bytes;
    driver_.take(used, arena_, static_cast<uint32_t>(slot), record);
  }

  void release(uint32_t slot) {
    if (arena_.record(slot).state == SlotState::filled) arena_.release(slot);
  }

  void restart() {
    const bool was_poisoned = driver_.poisoned();
    const uint32_t free_slots = arena_.free_slots();
    const uint16_t in_flight = driver_.in_flight();
    driver_ = memory_.driver(BufferUse::remote_writes);
    arena_ = memory_.arena();
    require(driver_.resume(&arena_));
    require(arena_.free_slots() == free_slots && driver_.in_flight() == in_flight);
    require(driver_.poisoned() == was_poisoned);
    if (was_poisoned) driver_.start_fresh();
  }

  void hints(uint8_t choice) {
    (void)driver_.has_used();
    (void)driver_.remote_wants_kick();
    (void)driver_.set_interrupts(choice % 2 == 0);
  }

  void check() {
    require(driver_.idle_buffers() + driver_.in_flight() == kGeometry.num);
    require(driver_.in_flight() == driver_.posted_position() - driver_.used_position());
    uint32_t filled = 0;
    for (uint32_t slot = 0; slot < kTestSlots; ++slot) {
      if (arena_.record(slot).state == SlotState::filled) ++filled;
    }
    require(filled + arena_.free_slots() == kTestSlots);
    require(driver_.poisoned() == (driver_.fault() != RingFault::none));
  }

  static void require(bool is_right) {
    if (!is_right) std::abort();
  }

  RingMemory memory_{kGeometry};
  DriverQueue driver_ = memory_.driver(BufferUse::remote_writes);
  SlotArena arena_ = memory_.arena();
  DeviceQueue device_ = memory_.device();
  unsigned returned_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input({data, size});
  Host host;
  while (!input.is_empty())
    host.step(input);
  return 0;
}
