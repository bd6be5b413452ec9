// SPDX-License-Identifier: Apache-2.0
// A pcapng file as a test reads it, from the format's description and not from our writer: every
// block is checked, and what packets, interfaces and statistics say is there to be asked for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace rpmsg::test {

struct CapturedPacket {
  uint32_t interface = 0;
  uint64_t time_ns = 0;
  uint32_t original_bytes = 0;
  std::vector<uint8_t> bytes;
  uint32_t direction = 0; // 1 inbound, 2 outbound
  uint64_t dropped = 0;   // epb_dropcount
  std::string comment;
};

class PcapngFile {
public:
  /// Takes what is there to be read from `fd` now. False at the end of the file.
  bool read_from(int fd);
  /// Ends with whole blocks, each as the format has it, the section first.
  bool is_valid() const { return problem_.empty() && rest_.empty(); }
  const std::string& problem() const { return problem_; }

  /// Packets with bytes, and those that are a comment alone.
  std::vector<CapturedPacket> messages() const;
  std::vector<std::string> comments() const;
  bool has_comment(const std::string& part) const;
  size_t packets_of(uint32_t interface) const; // comments as well
  /// By the last statistics of the interface.
  uint64_t dropped(uint32_t interface) const;

  std::vector<std::string> interfaces;                          // their names
  std::vector<CapturedPacket> packets;                          // all, in order
  std::map<uint32_t, std::pair<uint64_t, uint64_t>> statistics; // received, dropped
  std::string application;

private:
  void take(const uint8_t* block, uint32_t length);
  void take_packet(const uint8_t* block, uint32_t length);

  std::vector<uint8_t> rest_;
  std::string problem_;
  bool has_section_ = false;
};

} // namespace rpmsg::test
