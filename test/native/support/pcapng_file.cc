// SPDX-License-Identifier: Apache-2.0
#include "support/pcapng_file.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace rpmsg::test {

namespace {

template<class Number>
Number number(const uint8_t* at) {
  Number value{};
  std::memcpy(&value, at, sizeof value);
  return value;
}

using Options = std::multimap<uint16_t, std::vector<uint8_t>>;

/// Those in [at, end). False when they are no options.
bool read_options(const uint8_t* at, const uint8_t* end, Options& options) {
  while (end - at >= 4) {
    const auto code = number<uint16_t>(at), length = number<uint16_t>(at + 2);
    at += 4;
    if (code == 0) return length == 0 && at == end;
    const size_t padded = (length + size_t{3}) / 4 * 4;
    if (padded > static_cast<size_t>(end - at)) return false;
    options.emplace(code, std::vector<uint8_t>(at, at + length));
    at += padded;
  }
  return at == end && options.empty();
}

std::string text(const Options& options, uint16_t code) {
  const auto found = options.find(code);
  return found == options.end() ? "" : std::string(found->second.begin(), found->second.end());
}

uint64_t u64(const Options& options, uint16_t code) {
  const auto found = options.find(code);
  return found == options.end() || found->second.size() != 8
             ? 0
             : number<uint64_t>(found->second.data());
}

uint64_t time_at(const uint8_t* at) {
  return uint64_t{number<uint32_t>(at)} << 32 | number<uint32_t>(at + 4);
}

} // namespace

bool PcapngFile::read_from(int fd) {
  std::array<uint8_t, 65536> buffer;
  for (;;) {
    pollfd look{fd, POLLIN, 0};
    if (poll(&look, 1, 0) <= 0) return true;
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count <= 0) return false;
    rest_.insert(rest_.end(), buffer.data(), buffer.data() + count);
    size_t at = 0;
    while (rest_.size() - at >= 8 && problem_.empty()) {
      const auto length = number<uint32_t>(rest_.data() + at + 4);
      if (length < 12 || length % 4 != 0) problem_ = "length " + std::to_string(length);
      if (!problem_.empty() || rest_.size() - at < length) break;
      take(rest_.data() + at, length);
      at += length;
    }
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void PcapngFile::take(const uint8_t* block, uint32_t length) {
  const auto type = number<uint32_t>(block);
  if (number<uint32_t>(block + length - 4) != length) problem_ = "lengths differ";
  if (has_section_ != (type != 0x0A0D0D0A)) problem_ = "not one section at the beginning";
  has_section_ = true;
  Options options;
  const uint8_t* const end = block + length - 4;
  switch (type) {
  case 0x0A0D0D0A:
    if (number<uint32_t>(block + 8) != 0x1A2B3C4D || number<uint16_t>(block + 12) != 1) {
      problem_ = "not version 1 in host order";
    }
    if (!read_options(block + 24, end, options)) problem_ = "options of the section";
    application = text(options, 4);
    return;
  case 1:
    if (number<uint16_t>(block + 8) != 147) problem_ = "another link type";
    if (!read_options(block + 16, end, options)) problem_ = "options of an interface";
    if (text(options, 9) != "\x09") problem_ = "not in nanoseconds";
    interfaces.push_back(text(options, 2));
    return;
  case 5:
    if (!read_options(block + 20, end, options)) problem_ = "options of statistics";
    statistics[number<uint32_t>(block + 8)] = {u64(options, 4), u64(options, 5)};
    return;
  case 6: return take_packet(block, length);
  default: problem_ = "block type " + std::to_string(type);
  }
}

void PcapngFile::take_packet(const uint8_t* block, uint32_t length) {
  CapturedPacket packet;
  packet.interface = number<uint32_t>(block + 8);
  packet.time_ns = time_at(block + 12);
  const auto captured = number<uint32_t>(block + 20);
  packet.original_bytes = number<uint32_t>(block + 24);
  const size_t padded = (captured + size_t{3}) / 4 * 4;
  Options options;
  if (padded > length - 32 || !read_options(block + 28 + padded, block + length - 4, options)) {
    problem_ = "a packet of " + std::to_string(captured) + " bytes";
    return;
  }
  if (packet.interface >= interfaces.size()) problem_ = "a packet of no interface";
  packet.bytes.assign(block + 28, block + 28 + captured);
  const auto flags = options.find(2);
  if (flags != options.end()) packet.direction = number<uint32_t>(flags->second.data());
  packet.dropped = u64(options, 4);
  packet.comment = text(options, 1);
  packets.push_back(std::move(packet));
}

std::vector<CapturedPacket> PcapngFile::messages() const {
  std::vector<CapturedPacket> found;
  std::copy_if(packets.begin(), packets.end(), std::back_inserter(found),
               [](const CapturedPacket& packet) { return !packet.bytes.empty(); });
  return found;
}

std::vector<std::string> PcapngFile::comments() const {
  std::vector<std::string> found;
  for (const CapturedPacket& packet : packets)
    if (packet.bytes.empty()) found.push_back(packet.comment);
  return found;
}

bool PcapngFile::has_comment(const std::string& part) const {
  return std::any_of(packets.begin(), packets.end(), [&](const CapturedPacket& packet) {
    return packet.comment.find(part) != std::string::npos;
  });
}

size_t PcapngFile::packets_of(uint32_t interface) const {
  return static_cast<size_t>(
      std::count_if(packets.begin(), packets.end(),
                    [&](const CapturedPacket& packet) { return packet.interface == interface; }));
}

uint64_t PcapngFile::dropped(uint32_t interface) const {
  const auto found = statistics.find(interface);
  return found == statistics.end() ? 0 : found->second.second;
}

} // namespace rpmsg::test
