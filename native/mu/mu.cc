// SPDX-License-Identifier: Apache-2.0
// Every register access of the MU driver; which register and bit is mu_layout's business.
#include "mu/mu.h"

#include "memory/barrier.h"

namespace rpmsg {

Mu::Mu(RegisterWindow& registers, MuGeneration generation)
    : registers_(registers), layout_(mu_layout(generation)) {}

// V1 keeps RIE, TIE, GIE, GIR, NMI and Fn in one CR. It is read and modified, not written from a
// shadow: it also holds bits of whoever booted the M core (BBOOT, CLKE, BRSTH) and the flags of our
// former process, and a MUR of the remote changes it behind our back. The read is safe because the
// caller holds the transmit lock and the only bits that hardware changes, GIR, are never written
// back: one that reads 1 may have been acknowledged since, and writing it would ring again.
void Mu::modify(uint32_t offset, uint32_t clear, uint32_t set) {
  uint32_t value = registers_.read32(offset);
  if (offset == layout_.doorbell_ring.offset) value &= ~layout_.action_bits;
  registers_.write32(offset, (value & ~clear) | set);
}

void Mu::open(uint8_t receive_channels, uint8_t doorbells) {
  const MuLayout& at = layout_;
  // TIE first: on V2 the order is visible, and no TX-empty interrupt may slip out of an open MU.
  modify(at.transmit_enable.offset, at.transmit_enable.mask(), 0);
  modify(at.doorbell_enable.offset, at.doorbell_enable.mask(), at.doorbell_enable.bits(doorbells));
  modify(at.receive_enable.offset, at.receive_enable.mask(),
         at.receive_enable.bits(receive_channels));
}

void Mu::close() {
  modify(layout_.transmit_enable.offset, layout_.transmit_enable.mask(), 0);
  modify(layout_.doorbell_enable.offset, layout_.doorbell_enable.mask(), 0);
  modify(layout_.receive_enable.offset, layout_.receive_enable.mask(), 0);
}

bool Mu::receive(unsigned channel, uint32_t& word) {
  const MuField& full = layout_.receive_full;
  if (!(registers_.read32(full.offset) & full.bit(channel))) return false;
  word = registers_.read32(layout_.receive + 4 * channel);
  // The ring is read after the word: a look at it that was speculated before RR could miss the very
  // message that the word announces.
  shared_read_barrier();
  return true;
}

uint8_t Mu::pending_doorbells() {
  const MuField& pending = layout_.doorbell_pending;
  return pending.channels(registers_.read32(pending.offset) & pending.mask());
}

uint8_t Mu::take_doorbells() {
  const MuField& pending = layout_.doorbell_pending;
  const uint32_t rung = registers_.read32(pending.offset) & pending.mask();
  // Only what was seen is cleared. SR's other bits ignore a 0, and NMIC would be cleared by a 1.
  if (rung) registers_.write32(pending.offset, rung);
  shared_read_barrier(); // as in receive()
  return pending.channels(rung);
}

uint8_t Mu::remote_flags() {
  return static_cast<uint8_t>(registers_.read32(layout_.remote_flags) & kMuFlagsMask);
}

bool Mu::transmit_empty(unsigned channel) {
  const MuField& empty = layout_.transmit_empty;
  return registers_.read32(empty.offset) & empty.bit(channel);
}

void Mu::transmit(unsigned channel, uint32_t word) {
  assert(channel < kMuChannels);
  // TR is device memory, the rings are not: without the barrier the word may overtake them.
  device_write_barrier();
  registers_.write32(layout_.transmit + 4 * channel, word);
}

void Mu::set_transmit_interrupt(unsigned channel, bool on) {
  const MuField& enable = layout_.transmit_enable;
  modify(enable.offset, enable.bit(channel), on ? enable.bit(channel) : 0);
}

void Mu::ring_doorbell(unsigned channel) {
  const MuField& ring = layout_.doorbell_ring;
  device_write_barrier();
  modify(ring.offset, 0, ring.bit(channel));
}

bool Mu::doorbell_rings(unsigned channel) {
  const MuField& ring = layout_.doorbell_ring;
  return registers_.read32(ring.offset) & ring.bit(channel);
}

bool Mu::set_flags(uint8_t flags) {
  if (registers_.read32(layout_.flags_update) & layout_.flags_update_bit) return false;
  modify(layout_.own_flags, kMuFlagsMask, flags & kMuFlagsMask);
  return true;
}

} // namespace rpmsg
