// SPDX-License-Identifier: Apache-2.0
// Starts a core's firmware program and starts it again when it ends, ever more slowly while it
// keeps ending at once.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace rpmsg::sim {

class Supervisor {
public:
  Supervisor(std::string core, std::string command, std::string socket);

  /// Starts the program if it is due at `now_ms`. Milliseconds until it is due; -1: it runs.
  int64_t poll(int64_t now_ms);
  /// True if `pid` was ours.
  bool ended(pid_t pid, int status, int64_t now_ms);
  /// Kills the program and whatever it started, and waits for it.
  void stop();

private:
  void start(int64_t now_ms);

  std::string core_, command_, socket_;
  pid_t pid_ = 0;
  int64_t started_ms_ = 0;
  int64_t due_ms_ = 0;
  int64_t delay_ms_ = 0;
};

} // namespace rpmsg::sim
