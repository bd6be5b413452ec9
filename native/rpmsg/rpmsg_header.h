// SPDX-License-Identifier: Apache-2.0
// The 16 bytes at the start of every RPMsg buffer (Linux struct rpmsg_hdr, RPMsg-Lite struct
// rpmsg_std_hdr), always little-endian here: every i.MX part runs that way round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rpmsg {

inline constexpr uint32_t kHeaderBytes = 16;
/// Announcements of names are messages to this address.
inline constexpr uint32_t kNameServiceAddress = 53;
/// RPMSG_ADDR_ANY: "choose one for me"; never a real address.
inline constexpr uint32_t kAnyAddress = 0xFFFFFFFF;

struct RpmsgHeader {
  uint32_t source = 0;
  uint32_t destination = 0;
  /// Sent as 0 and ignored when received: RPMsg-Lite keeps a buffer index here and does not clear
  /// it.
  uint32_t reserved = 0;
  /// Payload bytes that follow. From a remote it is a claim: bound it by what was received.
  uint16_t length = 0;
  uint16_t flags = 0; // none is defined
};

/// Private memory of any alignment; any thread. Shared memory is copied first: read once, then
/// decode.
void encode_header(const RpmsgHeader& header, std::span<uint8_t, kHeaderBytes> to);
RpmsgHeader decode_header(std::span<const uint8_t, kHeaderBytes> from);

} // namespace rpmsg
