// SPDX-License-Identifier: Apache-2.0
// The interrupt of a UIO device (uio_pdrv_genirq): firing masks the line in the interrupt
// controller and counts; a read takes the count, a write of 1 unmasks. Link thread, but for the
// set-up.
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace rpmsg {

class UioInterrupt {
public:
  /// `uio_fd` must outlive it and be non-blocking.
  explicit UioInterrupt(int uio_fd) : fd_(uio_fd) {}

  /// Masks the line, which shows that there is one to mask. A sentence if there is not.
  std::string set_up();
  int fd() const { return fd_; }
  /// Polls readable from the moment on when a call here found the device gone.
  int gone_fd() const { return gone_.get(); }

  /// Both are false when the device was unbound from its driver. consume() takes the event and
  /// leaves the line masked; nothing to take is legal.
  bool consume();
  /// Call it with the source acknowledged, and look at the source once more afterwards: the line is
  /// level and fires again at once for what came between. The acknowledgement has reached the
  /// device when the line is unmasked.
  bool unmask();

private:
  bool lost();

  int fd_;
  UniqueFd gone_;
};

} // namespace rpmsg
