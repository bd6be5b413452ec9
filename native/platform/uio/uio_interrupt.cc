// SPDX-License-Identifier: Apache-2.0
// Linux drivers/uio/uio.c, uio_pdrv_genirq.c: reads and writes of exactly four bytes.
#include "platform/uio/uio_interrupt.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "memory/barrier.h"

namespace rpmsg {
namespace {

/// errno, or 0.
int control(int fd, int32_t unmask) {
  for (;;) {
    if (::write(fd, &unmask, sizeof unmask) == ssize_t{sizeof unmask}) return 0;
    if (errno != EINTR) return errno;
  }
}

} // namespace

std::string UioInterrupt::set_up() {
  gone_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!gone_) return std::string("no descriptor for its end: ") + std::strerror(errno);
  switch (const int error = control(fd_, 0); error) {
  case 0: return {};
  case EIO: return "has no interrupt: its device tree node needs \"interrupts\"";
  case ENOSYS: return "cannot mask its interrupt: bind it to uio_pdrv_genirq";
  default: return std::string("does not let its interrupt be masked: ") + std::strerror(error);
  }
}

bool UioInterrupt::consume() {
  uint32_t events = 0;
  const ssize_t got = ::read(fd_, &events, sizeof events);
  if (got >= 0 || errno == EAGAIN || errno == EINTR) return true;
  return lost();
}

bool UioInterrupt::unmask() {
  // A store that acknowledges may still be on its way; the system call is no barrier for it.
  device_write_barrier();
  return control(fd_, 1) == 0 || lost();
}

/// Every call on a device without its driver is EIO, and polls say ready for ever: whoever watches
/// gone_fd() stops watching fd() as well.
bool UioInterrupt::lost() {
  const uint64_t one = 1;
  const ssize_t written = ::write(gone_.get(), &one, sizeof one);
  (void)written; // fails at 2^64 - 2 only, when it is readable anyway
  return false;
}

} // namespace rpmsg
