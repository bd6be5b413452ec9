// SPDX-License-Identifier: Apache-2.0
// The steps of README.md, "The MU", with a place to die between each two.
#include "sim/firmware/mu.h"

#include <csignal>
#include <unistd.h>

#include "sim/wire.h"

namespace rpmsg::sim {

bool Mu::transmit_empty() const {
  return load(wires_->from[side_].channel[kRpmsgChannel].full) == 0;
}

void Mu::write_transmit(uint32_t word) {
  rpmsg_sim_channel& wire = wires_->from[side_].channel[kRpmsgChannel];
  store(wire.data, word);
  step(Step::tr_data);
  store(wire.full, 1);
  step(Step::tr_full);
  raise(1 - side_);
}

bool Mu::receive_full() const {
  return load(wires_->from[1 - side_].channel[kRpmsgChannel].full) != 0;
}

uint32_t Mu::read_receive() {
  rpmsg_sim_channel& wire = wires_->from[1 - side_].channel[kRpmsgChannel];
  const uint32_t word = load(wire.data);
  step(Step::rr_read);
  store(wire.full, 0);
  step(Step::rr_clear);
  raise(1 - side_);
  return word;
}

void Mu::ring(uint32_t doorbell) {
  __atomic_fetch_or(&wires_->from[side_].gip, 1u << doorbell, __ATOMIC_ACQ_REL);
  step(Step::gir);
  raise(1 - side_);
}

void Mu::set_flags(uint32_t flags) {
  store(wires_->from[side_].fn, flags & 7);
}

void Mu::enable(bool receive, bool transmit_empty) {
  rpmsg_sim_side& own = wires_->side[side_];
  store(own.gie, 0);
  store(own.rie, receive ? 1u << kRpmsgChannel : 0);
  store(own.tie, transmit_empty ? 1u << kRpmsgChannel : 0);
  raise(side_);
}

void Mu::consume_interrupt() {
  uint64_t events;
  const ssize_t got = ::read(interrupts_[side_], &events, sizeof events);
  (void)got;
}

void Mu::unmask() {
  store(wires_->side[side_].unmasked, 1);
  raise(side_);
}

bool Mu::level(uint32_t side) const {
  const rpmsg_sim_side& enables = wires_->side[side];
  const uint32_t rie = load(enables.rie), tie = load(enables.tie);
  for (uint32_t n = 0; n < RPMSG_SIM_MU_CHANNELS; n++) {
    if ((rie >> n & 1) != 0 && load(wires_->from[1 - side].channel[n].full) != 0) return true;
    if ((tie >> n & 1) != 0 && load(wires_->from[side].channel[n].full) == 0) return true;
  }
  return (load(enables.gie) & load(wires_->from[1 - side].gip)) != 0;
}

void Mu::raise(uint32_t side) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!level(side)) return;
  if (__atomic_exchange_n(&wires_->side[side].unmasked, 0, __ATOMIC_SEQ_CST) != 1) return;
  if (side != side_) step(Step::raise_mask);
  const uint64_t one = 1;
  const ssize_t written = ::write(interrupts_[side], &one, sizeof one);
  (void)written;
}

void Mu::step(Step at) {
  if (plan_.fault == Fault::crash_at && plan_.step == at && ++steps_ == plan_.nth)
    ::kill(::getpid(), SIGKILL);
}

} // namespace rpmsg::sim
