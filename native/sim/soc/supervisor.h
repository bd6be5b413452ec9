// SPDX-License-Identifier: Apache-2.0
// One core's firmware program as a child process, and how long to wait before its next life.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace rpmsg::sim {

class Supervisor {
public:
  Supervisor(std::string core, std::string command, std::string socket);

  /// False if the system gave no process.
  bool start(int64_t now_ms);
  /// 0 while it does not run.
  pid_t pid() const { return pid_; }
  /// Sends a signal to the program and whatever it started.
  void signal(int number);
  /// True if `pid` was ours; it has been waited for.
  bool ended(pid_t pid, int status, int64_t now_ms);
  /// Kills the program and whatever it started, and waits for it.
  void stop();

  /// How long after its end the program may be started again: nothing after a life of some length,
  /// ever longer, up to a second, while it keeps ending at once by itself.
  int64_t back_off_ms() const { return back_off_ms_; }
  void forget_back_off() { back_off_ms_ = 0; }

private:
  std::string core_, command_, socket_;
  pid_t pid_ = 0;
  int64_t started_ms_ = 0;
  int64_t back_off_ms_ = 0;
};

} // namespace rpmsg::sim
