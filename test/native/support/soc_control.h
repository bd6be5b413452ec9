// SPDX-License-Identifier: Apache-2.0
// A client of rpmsg-soc's control socket: lines out, lines in.
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "support/soc_process.h"

namespace rpmsg::test {

class SocControl {
public:
  /// Connects to the control socket of the board whose attach socket is `socket`.
  explicit SocControl(const std::string& socket) : SocControl(socket + ".control", 0) {}
  /// Connects to the control socket itself.
  SocControl(const std::string& path, int);

  bool ready() const { return ready_; }
  int fd() const { return fd_.get(); }
  void write(const std::string& bytes);
  void end_of_requests();
  /// The next line, without its end; empty at the deadline or when the board closed.
  std::string read_line(int timeout_ms = kPatienceMs);
  std::string ask(const std::string& request);
  /// True if the answer is that all went well.
  bool does(const std::string& request) { return ask(request) == "{\"ok\":true}"; }
  /// Asks for the status until it contains `text`. False at the deadline.
  bool wait_status(const std::string& text);
  /// The number behind `"key":` in the status, the first such; -1 if there is none.
  long number(const std::string& key);

private:
  UniqueFd fd_;
  std::string unread_;
  bool ready_ = false;
};

} // namespace rpmsg::test
