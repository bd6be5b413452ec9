// SPDX-License-Identifier: Apache-2.0
// The attach socket's file: created over a dead one's leftover, never over a living one's.
#pragma once

#include <string>

#include "sim/fd.h"

namespace rpmsg::sim {

class Listener {
public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();
  /// An empty string, or a sentence that says why not.
  std::string open(const std::string& path);
  int fd() const { return fd_.get(); }

private:
  Fd fd_;
  std::string path_; // set once the file is ours to unlink
};

} // namespace rpmsg::sim
