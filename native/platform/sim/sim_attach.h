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
  // What rpmsg-soc said; RPMSG_SIM_BAD_HELLO when it did not get so far.
  rpmsg_sim_status status = RPMSG_SIM_BAD_HELLO;
};

/// Attaches in a role (RPMSG_SIM_ROLE_HOST of `core`, or RPMSG_SIM_ROLE_SCU). Waits at most 5 s for
/// the reply. Every field of the reply that the caller indexes or maps with has been checked.
SimAttachment attach_sim(const std::string& socket_path, rpmsg_sim_role role,
                         const std::string& core);

} // namespace rpmsg
