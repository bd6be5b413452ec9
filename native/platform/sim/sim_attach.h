// SPDX-License-Identifier: Apache-2.0
// The host's half of the attach protocol: connect, hello, reply, descriptors. Blocking, set-up
// only.
#pragma once

#include <array>
#include <string>

#include "base/unique_fd.h"
#include "sim/protocol.h"

namespace rpmsg {

struct SimAttachment {
  UniqueFd socket; // hangs up when rpmsg-soc dies; closing it is our own hang-up
  rpmsg_sim_reply reply = {};
  std::array<UniqueFd, RPMSG_SIM_FD_COUNT> descriptors;
  std::string error; // a sentence; empty when attached
};

/// Attaches as the host of `core`. Waits at most 5 s for the reply. Every field of the reply that
/// the caller indexes or maps with has been checked.
SimAttachment attach_sim_host(const std::string& socket_path, const std::string& core);

} // namespace rpmsg
