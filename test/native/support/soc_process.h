// SPDX-License-Identifier: Apache-2.0
// The simulator's programs as child processes of a test: started ready, ended with their owner.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace rpmsg::test {

#ifndef RPMSG_PATIENCE_MS
#define RPMSG_PATIENCE_MS 10000 // an emulated machine is given more
#endif
constexpr int kPatienceMs = RPMSG_PATIENCE_MS; // every wait's deadline; reaching it is a failure

/// Where the built programs are: $RPMSG_BUILD, else the directory of the running test program.
std::string program_path(const std::string& name);

/// A fresh directory under /tmp, removed with everything in it.
class TemporaryDirectory {
public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// One child process with its standard output on a pipe. Dies with SIGKILL with this object.
class Process {
public:
  Process() = default;
  /// arguments[0] is the program's path.
  explicit Process(const std::vector<std::string>& arguments);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  void signal(int number);
  /// SIGKILL, and gone when this returns.
  void kill();
  /// The wait status, or -1 at the deadline.
  int wait(int timeout_ms = kPatienceMs);
  /// The next line of standard output that contains `text`; lines before it are dropped. Empty at
  /// the deadline or the end of output.
  std::string wait_line(const std::string& text, int timeout_ms = kPatienceMs);

private:
  pid_t pid_ = -1;
  UniqueFd output_;
  std::string unread_;
};

/// rpmsg-soc on a socket of its own, and firmware for its cores.
class SocProcess {
public:
  /// Returns when clients can attach; ready() tells whether that came to be.
  explicit SocProcess(const std::vector<std::string>& options = {});

  bool ready() const { return ready_; }
  const std::string& socket() const { return socket_; }
  Process& process() { return process_; }
  /// Starts rpmsg-firmware and returns when it is attached.
  Process start_firmware(const std::vector<std::string>& options = {},
                         const std::string& core = "cm40");
  /// Waits for rpmsg-soc's event line, e.g. "cm40 firmware attached". False at the deadline.
  bool wait_event(const std::string& text, int timeout_ms = kPatienceMs);
  /// Waits for a supervised core's "firmware started pid N" and returns N, -1 at the deadline.
  pid_t wait_started(const std::string& core, int timeout_ms = kPatienceMs);

private:
  TemporaryDirectory directory_;
  std::string socket_;
  Process process_;
  bool ready_ = false;
};

} // namespace rpmsg::test
