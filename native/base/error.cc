// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace rpmsg {

const char* errc_name(Errc code) {
  switch (code) {
  case Errc::ok: return "ok";
  case Errc::invalid_argument: return "invalid_argument";
  case Errc::message_too_long: return "message_too_long";
  case Errc::would_block: return "would_block";
  case Errc::timed_out: return "timed_out";
  case Errc::not_connected: return "not_connected";
  case Errc::remote_down: return "remote_down";
  case Errc::remote_reset: return "remote_reset";
  case Errc::shutting_down: return "shutting_down";
  case Errc::address_in_use: return "address_in_use";
  case Errc::no_such_address: return "no_such_address";
  case Errc::no_such_endpoint: return "no_such_endpoint";
  case Errc::quota_exceeded: return "quota_exceeded";
  case Errc::busy: return "busy";
  case Errc::cancelled: return "cancelled";
  case Errc::not_supported: return "not_supported";
  case Errc::peer_fault: return "peer_fault";
  case Errc::os: return "os";
  }
  return "unknown";
}

} // namespace rpmsg
