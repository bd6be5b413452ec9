// SPDX-License-Identifier: Apache-2.0
// The atomic steps of a simulated MU access (native/sim/README.md, "The MU").
#include "platform/sim/mu_wires.h"

#include <unistd.h>

#include <atomic>

namespace rpmsg {
namespace {

constexpr uint32_t kChannelBits = (1u << RPMSG_SIM_MU_CHANNELS) - 1;
constexpr uint32_t kFlagBits = 7;

std::atomic_ref<uint32_t> atomic(uint32_t& wire) {
  return std::atomic_ref<uint32_t>(wire);
}

uint32_t load(uint32_t& wire) {
  return atomic(wire).load(std::memory_order_acquire);
}
void store(uint32_t& wire, uint32_t value) {
  atomic(wire).store(value, std::memory_order_release);
}

// GCC's ThreadSanitizer does not model fences and says so; nothing but atomics relies on this one.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"
#endif
void full_fence() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

uint32_t full_channels(rpmsg_sim_direction& direction) {
  uint32_t bits = 0;
  for (uint32_t n = 0; n < RPMSG_SIM_MU_CHANNELS; n++)
    if (load(direction.channel[n].full) != 0) bits |= 1u << n;
  return bits;
}

} // namespace

MuWires::MuWires(rpmsg_sim_mu* wires, uint32_t side, int own_interrupt_fd, int peer_interrupt_fd)
    : wires_(wires), side_(side & 1) {
  interrupt_fd_[side_] = own_interrupt_fd;
  interrupt_fd_[1 - side_] = peer_interrupt_fd;
}

void MuWires::write_transmit(uint32_t channel, uint32_t word) {
  rpmsg_sim_channel& wire = out().channel[channel];
  if (load(wire.full) != 0) {
    atomic(out().overruns).fetch_add(1, std::memory_order_relaxed);
    return;
  }
  atomic(wire.data).store(word, std::memory_order_relaxed);
  store(wire.full, 1);
  raise(1 - side_);
}

uint32_t MuWires::read_receive(uint32_t channel) {
  rpmsg_sim_channel& wire = in().channel[channel];
  const bool is_full = load(wire.full) != 0;
  const uint32_t word = atomic(wire.data).load(std::memory_order_relaxed);
  if (!is_full) return word;
  store(wire.full, 0);
  raise(1 - side_);
  return word;
}

uint32_t MuWires::transmit_empty() const {
  return ~full_channels(out()) & kChannelBits;
}
uint32_t MuWires::receive_full() const {
  return full_channels(in());
}

void MuWires::ring(uint32_t doorbells) {
  atomic(out().gip).fetch_or(doorbells & kChannelBits, std::memory_order_acq_rel);
  raise(1 - side_);
}

uint32_t MuWires::rung() const {
  return load(out().gip) & kChannelBits;
}
uint32_t MuWires::pending() const {
  return load(in().gip) & kChannelBits;
}

void MuWires::clear_pending(uint32_t doorbells) {
  atomic(in().gip).fetch_and(~(doorbells & kChannelBits), std::memory_order_acq_rel);
}

void MuWires::set_flags(uint32_t flags) {
  store(out().fn, flags & kFlagBits);
}
uint32_t MuWires::own_flags() const {
  return load(out().fn) & kFlagBits;
}
uint32_t MuWires::peer_flags() const {
  return load(in().fn) & kFlagBits;
}

void MuWires::set_transmit_enables(uint32_t bits) {
  store(own().tie, bits & kChannelBits);
}
void MuWires::set_receive_enables(uint32_t bits) {
  store(own().rie, bits & kChannelBits);
}
void MuWires::set_general_enables(uint32_t bits) {
  store(own().gie, bits & kChannelBits);
}
uint32_t MuWires::transmit_enables() const {
  return load(own().tie) & kChannelBits;
}
uint32_t MuWires::receive_enables() const {
  return load(own().rie) & kChannelBits;
}
uint32_t MuWires::general_enables() const {
  return load(own().gie) & kChannelBits;
}
void MuWires::enables_changed() {
  raise(side_);
}

void MuWires::unmask() {
  store(own().unmasked, 1);
  raise(side_);
}

uint32_t MuWires::overruns() const {
  return load(out().overruns);
}

bool MuWires::level(uint32_t side) const {
  rpmsg_sim_side& enables = wires_->side[side];
  rpmsg_sim_direction& sent = wires_->from[side];
  rpmsg_sim_direction& received = wires_->from[1 - side];
  const uint32_t tie = load(enables.tie);
  return (load(enables.rie) & full_channels(received)) != 0 ||
         (tie != 0 && (tie & ~full_channels(sent) & kChannelBits) != 0) ||
         (load(enables.gie) & load(received.gip)) != 0;
}

void MuWires::raise(uint32_t side) {
  // Pairs with the fence of the other side's unmask: either it sees our effect or we its 1.
  full_fence();
  if (!level(side)) return;
  if (atomic(wires_->side[side].unmasked).exchange(0, std::memory_order_seq_cst) != 1) return;
  const uint64_t one = 1;
  // It can fail only with EAGAIN at 2^64 - 2 unread events, when the descriptor is readable anyway.
  const ssize_t written = ::write(interrupt_fd_[side], &one, sizeof one);
  (void)written;
}

} // namespace rpmsg
