// SPDX-License-Identifier: Apache-2.0
// Writes blocks of a pcapng file (draft-ietf-opsawg-pcapng), in host byte order, into a small
// buffer that never holds a part of one. Knows the format, and nothing of what is captured.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace rpmsg {

inline constexpr uint16_t kLinkTypeUser0 = 147; // LINKTYPE_USER0

/// One block of an interface's packets: all that is said of a packet beside its bytes.
struct PacketBlock {
  uint32_t interface = 0;
  uint64_t time_ns = 0; // CLOCK_REALTIME
  uint32_t original_bytes = 0;
  enum class Direction : uint32_t { unknown = 0, inbound = 1, outbound = 2 } direction{};
  uint64_t dropped = 0; // packets between the one before and this one
  std::string_view comment;
};

struct InterfaceBlock {
  uint32_t snap_bytes = 0;
  std::string_view name;
  std::string_view description;
};

struct StatisticsBlock {
  uint32_t interface = 0;
  uint64_t time_ns = 0;
  uint64_t received = 0; // packets, with those that were dropped
  uint64_t dropped = 0;
};

/// Whole blocks, so few bytes that a pipe takes all of them in one write() or none (PIPE_BUF): what
/// is in the pipe can be cut off anywhere and is whole.
class BlockBuffer {
public:
  static constexpr uint32_t kBytes = 4096;
  /// A packet of so many bytes fits an empty buffer, with a comment of kMostCommentBytes; or a
  /// packet without bytes whose comment has as many. Texts that are longer are cut.
  static constexpr uint32_t kMostPacketBytes = 3584;
  static constexpr uint32_t kMostCommentBytes = 400;

  /// Each: false, and the buffer as before, when there is no room.
  bool section(std::string_view application, std::string_view comment);
  bool interface(const InterfaceBlock& block);
  bool packet(const PacketBlock& block, std::span<const uint8_t> bytes);
  bool statistics(const StatisticsBlock& block);

  std::span<const uint8_t> bytes() const { return {bytes_.data(), used_}; }
  bool empty() const { return used_ == 0; }
  void clear() { used_ = 0; }

private:
  void begin(uint32_t type);
  bool end();
  void put(const void* from, size_t bytes);
  void u16(uint16_t value) { put(&value, sizeof value); }
  void u32(uint32_t value) { put(&value, sizeof value); }
  void u64(uint64_t value) { put(&value, sizeof value); }
  void time(uint64_t time_ns);
  void padded(std::span<const uint8_t> bytes);
  void option(uint16_t code, const void* value, size_t bytes);
  void text_option(uint16_t code, std::string_view text);

  std::array<uint8_t, kBytes> bytes_;
  uint32_t used_ = 0; // by whole blocks
  uint32_t at_ = 0;   // where the one that was begun goes on
  bool overflows_ = false;
};

} // namespace rpmsg
