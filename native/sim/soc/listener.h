// SPDX-License-Identifier: Apache-2.0
// A listening Unix socket's file: created over a dead one's leftover, never over a living one's.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "sim/fd.h"

namespace rpmsg::sim {

class Listener {
public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();
  struct Kind {
    const char* option; // that gave the path, for sentences
    int type;           // SOCK_SEQPACKET or SOCK_STREAM
    mode_t mode;        // of the file, before the umask
  };
  /// The longest path that a Unix socket can have, in bytes.
  static size_t longest_path();
  /// An empty string, or a sentence that says why not.
  std::string open(const std::string& path, const Kind& kind);
  int fd() const { return fd_.get(); }

private:
  Fd fd_;
  std::string path_; // set once the file is ours to unlink
};

} // namespace rpmsg::sim
