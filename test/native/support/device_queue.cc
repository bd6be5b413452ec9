// SPDX-License-Identifier: Apache-2.0
#include "support/device_queue.h"

#include "memory/barrier.h"

namespace rpmsg::test {
namespace {

struct Descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};
constexpr uint16_t kNext = 1;
constexpr uint16_t kWrite = 2;
constexpr uint16_t kIndirect = 4;

template<class Field>
Field load(const volatile uint8_t* at) {
  return *reinterpret_cast<const volatile Field*>(at);
}

template<class Field>
void store(volatile uint8_t* at, Field value) {
  *reinterpret_cast<volatile Field*>(at) = value;
}

} // namespace

DeviceQueue::DeviceQueue(uint16_t num, uint32_t align, SharedSpan ring, SharedSpan buffers)
    : num_(num), avail_at_(size_t{num} * 16), ring_(ring), buffers_(buffers) {
  const size_t avail_end = avail_at_ + 2 + 2 + size_t{num} * 2 + 2;
  used_at_ = (avail_end + align - 1) & ~size_t{align - 1};
}

void DeviceQueue::start_at(uint16_t index) {
  avail_index_ = index;
  set_used_index(index);
}

volatile uint8_t* DeviceQueue::descriptor(uint16_t id) const {
  return ring_.at(16 * size_t{id}, 16);
}

volatile uint16_t* DeviceQueue::avail() const {
  return reinterpret_cast<volatile uint16_t*>(ring_.at(avail_at_, 4 + 2 * size_t{num_}));
}

volatile uint8_t* DeviceQueue::used() const {
  return ring_.at(used_at_, 4 + 8 * size_t{num_});
}

uint16_t DeviceQueue::available() const {
  return static_cast<uint16_t>(consume_index(avail() + 1) - avail_index_);
}

DeviceQueue::Next DeviceQueue::next(DeviceBuffer& out) {
  const uint16_t waiting = available();
  if (waiting == 0) return Next::nothing;
  if (waiting > num_) return Next::malformed;
  const uint16_t head = avail()[2 + avail_index_ % num_];
  if (!walk(head, out)) return Next::malformed;
  ++avail_index_;
  return Next::ready;
}

// A chain may have several descriptors as far as virtio goes; RPMsg has one a buffer.
bool DeviceQueue::walk(uint16_t head, DeviceBuffer& out) const {
  uint64_t total = 0;
  uint16_t at = head;
  for (unsigned ttl = num_; ttl > 0; --ttl) {
    if (at >= num_) return false;
    const volatile uint8_t* raw = descriptor(at);
    const Descriptor one{load<uint64_t>(raw), load<uint32_t>(raw + 8), load<uint16_t>(raw + 12),
                         load<uint16_t>(raw + 14)};
    if ((one.flags & kIndirect) != 0) return false;
    const uint64_t offset = one.address - buffers_.physical();
    if (one.address < buffers_.physical() || offset > buffers_.size()) return false;
    if (one.length > buffers_.size() - offset) return false;
    total += one.length; // at most num additions of 32 bits
    if (total > buffers_.size()) return false;
    if (at == head) out = {head, (one.flags & kWrite) != 0, one.address, one.length};
    if ((one.flags & kNext) == 0) return true;
    at = one.next;
  }
  return false;
}

std::vector<uint8_t> DeviceQueue::read(const DeviceBuffer& buffer) const {
  const volatile uint8_t* from =
      buffers_.at(buffer.address - buffers_.physical(), buffer.length_bytes);
  return {from, from + buffer.length_bytes};
}

void DeviceQueue::write(const DeviceBuffer& buffer, std::span<const uint8_t> bytes) {
  volatile uint8_t* to = buffers_.at(buffer.address - buffers_.physical(), bytes.size());
  for (const uint8_t byte : bytes)
    *to++ = byte;
}

void DeviceQueue::put_used(uint32_t id, uint32_t length_bytes) {
  set_used_entry(used_index_, id, length_bytes);
  set_used_index(static_cast<uint16_t>(used_index_ + 1));
}

void DeviceQueue::set_used_entry(uint16_t position, uint32_t id, uint32_t length_bytes) {
  volatile uint8_t* entry = used() + 4 + 8 * size_t{static_cast<uint16_t>(position % num_)};
  store<uint32_t>(entry, id);
  store<uint32_t>(entry + 4, length_bytes);
}

void DeviceQueue::set_used_index(uint16_t index) {
  used_index_ = index;
  publish_index(reinterpret_cast<volatile uint16_t*>(used()) + 1, index);
}

bool DeviceQueue::wants_interrupt() const {
  return (load_hint(avail()) & 1) == 0;
}

void DeviceQueue::set_no_notify(bool wanted) {
  store_hint(reinterpret_cast<volatile uint16_t*>(used()), wanted ? 1 : 0);
}

} // namespace rpmsg::test
