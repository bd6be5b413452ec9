// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng.h"

#include <algorithm>
#include <cstring>

namespace rpmsg {

namespace {

enum BlockType : uint32_t {
  kInterfaceDescription = 1,
  kInterfaceStatistics = 5,
  kEnhancedPacket = 6,
  kSectionHeader = 0x0A0D0D0A,
};

enum OptionCode : uint16_t {
  kEndOfOptions = 0,
  kComment = 1,
  kInterfaceName = 2,
  kInterfaceDescriptionText = 3,
  kUserApplication = 4,
  kTimeResolution = 9,
  kPacketFlags = 2,
  kPacketDropCount = 4,
  kStatisticsReceived = 4,
  kStatisticsDropped = 5,
};

constexpr uint32_t kByteOrderMagic = 0x1A2B3C4D;
constexpr uint64_t kUnknownLength = UINT64_MAX;
constexpr uint8_t kNanoseconds = 9; // 10^-9 s
constexpr std::array<uint8_t, 3> kPadding{};

} // namespace

void BlockBuffer::put(const void* from, size_t bytes) {
  overflows_ = overflows_ || bytes > kBytes - at_;
  if (overflows_ || bytes == 0) return;
  std::memcpy(bytes_.data() + at_, from, bytes); // private memory
  at_ += static_cast<uint32_t>(bytes);
}

void BlockBuffer::begin(uint32_t type) {
  at_ = used_;
  overflows_ = false;
  u32(type);
  u32(0); // the length, once it is known
}

bool BlockBuffer::end() {
  const uint32_t length = at_ + static_cast<uint32_t>(sizeof length) - used_;
  u32(length);
  if (overflows_) return false;
  std::memcpy(bytes_.data() + used_ + sizeof(uint32_t), &length, sizeof length); // private memory
  used_ = at_;
  return true;
}

void BlockBuffer::time(uint64_t time_ns) {
  u32(static_cast<uint32_t>(time_ns >> 32));
  u32(static_cast<uint32_t>(time_ns));
}

void BlockBuffer::padded(std::span<const uint8_t> bytes) {
  put(bytes.data(), bytes.size());
  put(kPadding.data(), (4 - bytes.size() % 4) % 4);
}

void BlockBuffer::option(uint16_t code, const void* value, size_t bytes) {
  u16(code);
  u16(static_cast<uint16_t>(bytes));
  padded({static_cast<const uint8_t*>(value), bytes});
}

void BlockBuffer::text_option(uint16_t code, std::string_view text) {
  if (text.empty()) return;
  option(code, text.data(), std::min<size_t>(text.size(), kMostPacketBytes));
}

bool BlockBuffer::section(std::string_view application, std::string_view comment) {
  begin(kSectionHeader);
  u32(kByteOrderMagic);
  u16(1); // version 1.0
  u16(0);
  u64(kUnknownLength);
  text_option(kUserApplication, application);
  text_option(kComment, comment);
  option(kEndOfOptions, nullptr, 0);
  return end();
}

bool BlockBuffer::interface(const InterfaceBlock& block) {
  begin(kInterfaceDescription);
  u16(kLinkTypeUser0);
  u16(0);
  u32(block.snap_bytes);
  text_option(kInterfaceName, block.name);
  text_option(kInterfaceDescriptionText, block.description);
  option(kTimeResolution, &kNanoseconds, sizeof kNanoseconds);
  option(kEndOfOptions, nullptr, 0);
  return end();
}

bool BlockBuffer::packet(const PacketBlock& block, std::span<const uint8_t> bytes) {
  begin(kEnhancedPacket);
  u32(block.interface);
  time(block.time_ns);
  u32(static_cast<uint32_t>(bytes.size()));
  u32(block.original_bytes);
  padded(bytes);
  const auto flags = static_cast<uint32_t>(block.direction);
  option(kPacketFlags, &flags, sizeof flags);
  if (block.dropped > 0) option(kPacketDropCount, &block.dropped, sizeof block.dropped);
  text_option(kComment, block.comment);
  option(kEndOfOptions, nullptr, 0);
  return end();
}

bool BlockBuffer::statistics(const StatisticsBlock& block) {
  begin(kInterfaceStatistics);
  u32(block.interface);
  time(block.time_ns);
  option(kStatisticsReceived, &block.received, sizeof block.received);
  option(kStatisticsDropped, &block.dropped, sizeof block.dropped);
  option(kEndOfOptions, nullptr, 0);
  return end();
}

} // namespace rpmsg
