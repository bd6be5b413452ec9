// SPDX-License-Identifier: Apache-2.0
// The host's link-up order, sending and receiving, step by step (virtio 1.2 §2.7).
#include "support/hand_host.h"

#include <cstdlib>
#include <cstring>
#include <poll.h>

#include <atomic>
#include <chrono>

namespace rpmsg::test {
namespace {

constexpr uint32_t kTransmitWord = 0x04; // TR1
constexpr uint32_t kReceiveWord = 0x14;  // RR1
constexpr uint32_t kControl = 0x24;
constexpr uint32_t kTransmitEmpty = 1u << 22;
constexpr uint32_t kReceiveFull = 1u << 26;
constexpr uint32_t kNum = 256;
constexpr uint32_t kBufferBytes = 512;
constexpr uint32_t kHalf = kNum * kBufferBytes;

using Clock = std::chrono::steady_clock;

int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

} // namespace

HandHost::HandHost(Platform& platform, uint32_t vdev, uint64_t vring_base, uint64_t buffer_base)
    : platform_(platform), vdev_(vdev) {
  Result<SharedSpan> rings = platform.map(vring_base + vdev * 0x10000, 0x10000);
  Result<SharedSpan> buffers = platform.map(buffer_base + vdev * 0x40000, 0x40000);
  if (!rings || !buffers) std::abort();
  rings_ = *rings;
  buffers_ = *buffers;
  enable(false);
  platform_.unmask_interrupt();
}

volatile uint16_t& HandHost::u16(uint32_t ring, uint32_t offset) const {
  return *reinterpret_cast<volatile uint16_t*>(rings_.at(ring * 0x8000 + offset, 2));
}

void HandHost::write_descriptor(uint32_t ring, uint32_t id, uint64_t physical, uint32_t length,
                                uint16_t flags) {
  volatile uint8_t* at = rings_.at(ring * 0x8000 + 16 * id, 16);
  *reinterpret_cast<volatile uint64_t*>(at) = physical;
  *reinterpret_cast<volatile uint32_t*>(at + 8) = length;
  *reinterpret_cast<volatile uint16_t*>(at + 12) = flags;
}

void HandHost::post(uint32_t ring, uint32_t id) {
  u16(ring, 0x1004 + 2 * (avail_[ring] % kNum)) = static_cast<uint16_t>(id);
  std::atomic_ref<uint16_t>(const_cast<uint16_t&>(u16(ring, 0x1002)))
      .store(++avail_[ring], std::memory_order_seq_cst);
}

void HandHost::prepare() {
  for (uint32_t i = 0; i < 0x10000; i += 2)
    u16(0, i) = 0;
  avail_[0] = avail_[1] = seen_ = 0;
  for (uint32_t id = 0; id < kNum; id++) {
    write_descriptor(0, id, buffers_.physical() + id * kBufferBytes, kBufferBytes, 2);
    post(0, id);
  }
}

void HandHost::link_up() {
  prepare();
  kick(2 * vdev_);
}

bool HandHost::send(uint32_t src, uint32_t dst, const std::string& payload) {
  const uint16_t used = used_index(1);
  if (static_cast<uint16_t>(avail_[1] - used) == kNum) return false;
  const uint32_t id = avail_[1] < kNum ? avail_[1] : used_id(1, avail_[1] - kNum);
  uint8_t header[16] = {};
  const uint16_t length = static_cast<uint16_t>(payload.size());
  std::memcpy(header, &src, 4);
  std::memcpy(header + 4, &dst, 4);
  std::memcpy(header + 12, &length, 2);
  const uint32_t total = 16 + length;
  uint8_t* out = const_cast<uint8_t*>(buffers_.at(kHalf + id * kBufferBytes, kBufferBytes));
  std::memcpy(out, header, sizeof header);
  std::memcpy(out + 16, payload.data(), payload.size());
  write_descriptor(1, id, buffers_.physical() + kHalf + id * kBufferBytes, total, 0);
  post(1, id);
  kick(2 * vdev_ + 1);
  return true;
}

std::optional<HandMessage> HandHost::receive(int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (used_index(0) == seen_)
    if (!wait_interrupt(left_ms(deadline)) && used_index(0) == seen_) return std::nullopt;
  HandMessage message;
  const volatile uint8_t* element = rings_.at(0x2004 + 8 * (seen_ % kNum), 8);
  message.id = *reinterpret_cast<const volatile uint32_t*>(element);
  message.used_length = *reinterpret_cast<const volatile uint32_t*>(element + 4);
  seen_++;
  const uint32_t id = message.id % kNum;
  const uint8_t* in = const_cast<uint8_t*>(buffers_.at(id * kBufferBytes, kBufferBytes));
  std::memcpy(&message.src, in, 4);
  std::memcpy(&message.dst, in + 4, 4);
  std::memcpy(&message.header_length, in + 12, 2);
  message.payload.assign(reinterpret_cast<const char*>(in) + 16,
                         std::min<size_t>(message.header_length, kBufferBytes - 16));
  post(0, id);
  return message;
}

std::optional<HandMessage> HandHost::receive_data(int timeout_ms) {
  for (;;) {
    std::optional<HandMessage> message = receive(timeout_ms);
    if (!message || message->dst != 53) return message;
  }
}

bool HandHost::wait_word(uint32_t vq, int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    take_word();
    if ((words_ >> vq & 1) != 0) break;
    if (!wait_interrupt(left_ms(deadline))) return false;
  }
  words_ &= ~(uint64_t{1} << vq);
  return true;
}

void HandHost::kick(uint32_t vq) {
  enable(true);
  while ((status() & kTransmitEmpty) == 0)
    if (!wait_interrupt(10000)) std::abort();
  enable(false);
  platform_.mu().write32(kTransmitWord, vq << 16);
  platform_.unmask_interrupt(); // TIE may have fired the line although nobody slept on it
}

uint16_t HandHost::used_index(uint32_t ring) const {
  return std::atomic_ref<uint16_t>(const_cast<uint16_t&>(u16(ring, 0x2002)))
      .load(std::memory_order_seq_cst);
}

uint32_t HandHost::used_id(uint32_t ring, uint16_t position) const {
  return *reinterpret_cast<const volatile uint32_t*>(
      rings_.at(ring * 0x8000 + 0x2004 + 8 * (position % kNum), 4));
}

void HandHost::enable(bool transmit) {
  platform_.mu().write32(kControl, kReceiveFull | (transmit ? kTransmitEmpty : 0));
}

void HandHost::take_word() {
  if ((status() & kReceiveFull) != 0) {
    const uint32_t vq = platform_.mu().read32(kReceiveWord) >> 16;
    words_ |= uint64_t{1} << (vq & 63);
  }
}

bool HandHost::wait_interrupt(int timeout_ms) {
  platform_.unmask_interrupt();
  pollfd line = {platform_.interrupt_fd(), POLLIN, 0};
  const bool fired = ::poll(&line, 1, timeout_ms) == 1;
  if (fired) platform_.consume_interrupt();
  take_word();
  return fired;
}

} // namespace rpmsg::test
