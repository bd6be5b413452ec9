// SPDX-License-Identifier: Apache-2.0
// One connection to the attach socket: its hello, the reply, and the socket as a power line.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "sim/fd.h"
#include "sim/protocol.h"
#include "sim/soc/core_life.h"

namespace rpmsg::sim {

struct Session {
  Fd socket;
  pid_t pid = 0;
  int64_t deadline_ms = 0;  // for the hello; 0 once it came
  uint32_t role = 0;        // 0 until the hello came
  CoreLife* life = nullptr; // the core it is about; null for an SCU
  bool attached = false;    // it has its reply; false with a role: it waits until the core is off
};

enum class HelloResult { nothing, hello, closed, malformed };

/// Reads one record. Descriptors that a client sends along are closed.
HelloResult receive_hello(int socket, rpmsg_sim_hello& hello);
/// True if the whole reply went out. Never blocks.
bool send_reply(int socket, const rpmsg_sim_reply& reply,
                const std::array<int, RPMSG_SIM_FD_COUNT>* descriptors);
/// The other end has closed, whatever epoll has told so far.
bool has_hung_up(int socket);
pid_t peer_pid(int socket);

} // namespace rpmsg::sim
