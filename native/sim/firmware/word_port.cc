// SPDX-License-Identifier: Apache-2.0
// RPMsg-Lite's env_isr and platform_notify, with sched_yield, TIE and sleep where a real core
// spins.
#include "sim/firmware/word_port.h"

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <poll.h>
#include <sched.h>

#include "sim/firmware/halt.h"

namespace rpmsg::sim {
namespace {

constexpr uint32_t kMaxQueues = 32; // RL_PLATFORM_MAX_ISR_COUNT; beyond it env_isr asserts
// How often TE is looked at before TIE is set: a host that is awake takes a word sooner than this
// core could fall asleep, and a sleep costs both sides several times what a message does.
constexpr unsigned kLooks = 2;

} // namespace

void WordPort::open() {
  mu_.enable(true, false);
}

void WordPort::drain() {
  while (!deaf_ && mu_.receive_full()) {
    const uint32_t vq = mu_.read_receive() >> 16;
    if (vq >= kMaxQueues) halt("the host sent a word for queue %u; RPMsg-Lite asserts here", vq);
    pending_ |= 1u << vq;
    if (plan_.fault == Fault::never_drain_rr && ++words_ >= plan_.nth) {
      deaf_ = true;
      mu_.enable(false, false);
    }
  }
}

uint32_t WordPort::take_pending() {
  const uint32_t taken = pending_;
  pending_ = 0;
  return taken;
}

void WordPort::send(uint32_t word) {
  for (unsigned i = 0; i < kLooks && !mu_.transmit_empty(); ++i) {
    drain();
    ::sched_yield(); // whoever shares this processor may be whom we wait for
  }
  if (!mu_.transmit_empty()) {
    mu_.enable(!deaf_, true);
    for (;;) {
      drain();
      if (mu_.transmit_empty()) break;
      sleep(-1);
    }
    mu_.enable(!deaf_, false);
  }
  mu_.write_transmit(word);
}

void WordPort::sleep(int timeout_ms) {
  // Signals are blocked but for this call, so none slips in between its test and the sleep.
  sigset_t none;
  sigemptyset(&none);
  pollfd fds[] = {{mu_.interrupt_fd(), POLLIN, 0}, {power_line_, POLLRDHUP, 0}};
  const timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
  mu_.unmask();
  if (::ppoll(fds, 2, timeout_ms < 0 ? nullptr : &timeout, &none) <= 0) return;
  if (fds[1].revents != 0) halt("the SoC is gone");
  if ((fds[0].revents & POLLIN) != 0) mu_.consume_interrupt();
}

} // namespace rpmsg::sim
