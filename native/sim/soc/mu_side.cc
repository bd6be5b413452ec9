// SPDX-License-Identifier: Apache-2.0
// The steps of README.md, "The MU". The client can write every wire: nothing here trusts one.
#include "sim/soc/mu_side.h"

#include <unistd.h>

#include "sim/wire.h"

namespace rpmsg::sim {

bool MuSide::transmit_empty(uint32_t channel) {
  return load(mu_.wires().from[side_].channel[channel].full) == 0;
}

void MuSide::write_transmit(uint32_t channel, uint32_t word) {
  rpmsg_sim_channel& wire = mu_.wires().from[side_].channel[channel];
  store(wire.data, word);
  store(wire.full, 1);
  raise(1 - side_);
}

bool MuSide::read_receive(uint32_t channel, uint32_t& word) {
  rpmsg_sim_channel& wire = mu_.wires().from[1 - side_].channel[channel];
  if (load(wire.full) == 0) return false;
  word = load(wire.data);
  store(wire.full, 0);
  raise(1 - side_);
  return true;
}

void MuSide::ring(uint32_t doorbell) {
  __atomic_fetch_or(&mu_.wires().from[side_].gip, 1u << doorbell, __ATOMIC_ACQ_REL);
  raise(1 - side_);
}

bool MuSide::pending(uint32_t doorbell) {
  return (load(mu_.wires().from[1 - side_].gip) >> doorbell & 1) != 0;
}

void MuSide::clear_pending(uint32_t doorbell) {
  __atomic_fetch_and(&mu_.wires().from[1 - side_].gip, ~(1u << doorbell), __ATOMIC_ACQ_REL);
}

void MuSide::enable(uint32_t receive, uint32_t transmit_empty, uint32_t doorbells) {
  rpmsg_sim_side& own = mu_.wires().side[side_];
  store(own.rie, receive);
  store(own.tie, transmit_empty);
  store(own.gie, doorbells);
  raise(side_);
}

void MuSide::consume_interrupt() {
  uint64_t events;
  (void)!::read(mu_.interrupt(side_), &events, sizeof events);
}

void MuSide::unmask() {
  store(mu_.wires().side[side_].unmasked, 1);
  raise(side_);
}

bool MuSide::level(uint32_t side) {
  const rpmsg_sim_mu& wires = mu_.wires();
  const uint32_t rie = load(wires.side[side].rie), tie = load(wires.side[side].tie);
  for (uint32_t n = 0; n < RPMSG_SIM_MU_CHANNELS; n++) {
    if ((rie >> n & 1) != 0 && load(wires.from[1 - side].channel[n].full) != 0) return true;
    if ((tie >> n & 1) != 0 && load(wires.from[side].channel[n].full) == 0) return true;
  }
  return (load(wires.side[side].gie) & load(wires.from[1 - side].gip)) != 0;
}

void MuSide::raise(uint32_t side) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!level(side)) return;
  if (__atomic_exchange_n(&mu_.wires().side[side].unmasked, 0, __ATOMIC_SEQ_CST) != 1) return;
  const uint64_t one = 1;
  (void)!::write(mu_.interrupt(side), &one, sizeof one);
}

} // namespace rpmsg::sim
