// SPDX-License-Identifier: Apache-2.0
// What can go wrong, as a value: an outcome the caller decides on, a fault of the peer, or a failed
// system call. Our own bugs are assertions and never travel through this type.
#pragma once

#include <cstdint>

namespace rpmsg {

/// The codes are shared with TypeScript as snake_case strings (errc_name); the numbers are private.
enum class Errc : uint8_t {
  ok = 0,
  // outcomes: expected, the caller decides
  invalid_argument,
  message_too_long,
  would_block,
  timed_out,
  not_connected,
  remote_down,
  remote_reset,
  shutting_down,
  address_in_use,
  no_such_address,
  no_such_endpoint,
  quota_exceeded,
  busy,
  cancelled,
  not_supported,
  // the remote broke the protocol
  peer_fault,
  // a system call failed; Error::os_error says how
  os,
};

/// An error without an allocation: what was attempted is a string literal, detail a number that the
/// sentence about it needs (an offending value, an address, a size in bytes).
struct Error {
  Errc code = Errc::ok;
  int os_error = 0;
  const char* operation = "";
  uint64_t detail = 0;
};

/// The code as JavaScript and the bus error table know it, e.g. "would_block". Any thread.
const char* errc_name(Errc code);

} // namespace rpmsg
