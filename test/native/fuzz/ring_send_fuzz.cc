// SPDX-License-Identifier: Apache-2.0
// A remote that stores anything anywhere in the ring and the buffers of a sending queue. Whatever
// it does: what is posted next is right, each owner comes back at most once, sums hold.
#include <cstdlib>
#include <vector>

#include "support/fuzz_input.h"
#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

const QueueGeometry kGeometry{.num = 8, .align = 64, .buffer_bytes = 32};

class Sender {
public:
  Sender() { driver_.start_fresh(); }

  void step(FuzzInput& input) {
    switch (input.u8() % 5) {
    case 0: *memory_.ring().at(input.u16() % kLayout.total_bytes, 1) = input.u8(); break;
    case 1: device_returns(input); break;
    case 2: post(input.u8() % 17); break;
    case 3: complete(); break;
    default: restart(); break;
    }
    require(driver_.idle_buffers() + driver_.in_flight() == kGeometry.num);
    require(driver_.in_flight() == outstanding());
  }

private:
  static constexpr RingLayout kLayout = ring_layout(QueueGeometry{8, 64, 32});

  void device_returns(FuzzInput& input) {
    device_.set_used_entry(device_.used_index(), input.u8() % 9, input.u8() % 40);
    device_.set_used_index(static_cast<uint16_t>(device_.used_index() + 1));
  }

  void post(size_t payload_bytes) {
    const std::vector<uint8_t> header(16, 0x5A);
    const std::vector<uint8_t> payload(payload_bytes, 0xA5);
    const uint64_t before = driver_.posted_position();
    const bool could = driver_.idle_buffers() > 0 && !driver_.poisoned();
    require(driver_.post_message(header, payload, next_owner_) == could);
    require(driver_.posted_position() == before + (could ? 1 : 0));
    if (!could) return;
    is_out_.push_back(true);
    ++next_owner_;
    // What the remote sees of it, whatever it did to the ring before.
    require(device_.avail()[1] == static_cast<uint16_t>(before + 1));
    const uint16_t id = device_.avail()[2 + before % kGeometry.num];
    require(id < kGeometry.num);
    const volatile uint8_t* descriptor = device_.descriptor(id);
    require(*reinterpret_cast<const volatile uint64_t*>(descriptor) ==
            memory_.buffers().physical() + uint64_t{id} * kGeometry.buffer_bytes);
    require(*reinterpret_cast<const volatile uint32_t*>(descriptor + 8) == 16 + payload_bytes);
  }

  void complete() {
    UsedBuffer used;
    if (driver_.peek(used) != DriverQueue::Peek::ready) return;
    require(used.owner < is_out_.size() && is_out_[used.owner]);
    is_out_[used.owner] = false;
    driver_.take(used);
  }

  void restart() {
    driver_ = memory_.driver(BufferUse::remote_reads);
    require(driver_.resume());
    if (!driver_.poisoned()) return;
    driver_.start_fresh();
    device_.set_used_index(0);
    is_out_.assign(is_out_.size(), false);
  }

  uint64_t outstanding() const {
    uint64_t count = 0;
    for (const bool is_out : is_out_)
      count += is_out ? 1 : 0;
    return count;
  }

  static void require(bool is_right) {
    if (!is_right) std::abort();
  }

  RingMemory memory_{kGeometry};
  DriverQueue driver_ = memory_.driver(BufferUse::remote_reads);
  DeviceQueue device_ = memory_.device();
  std::vector<bool> is_out_; // by owner
  uint32_t next_owner_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input({data, size});
  Sender sender;
  while (!input.is_empty())
    sender.step(input);
  return 0;
}
