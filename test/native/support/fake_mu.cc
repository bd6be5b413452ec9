// SPDX-License-Identifier: Apache-2.0
// The register map of each generation, written out here a second time on purpose: a slip in the
// driver's tables must not be able to agree with itself.
#include "support/fake_mu.h"

namespace rpmsg::test {
namespace {

// V1 puts channel 0 into the top bit of a group of four: 3 2 1 0 of a nibble become 0 1 2 3.
uint32_t reversed(uint32_t nibble) {
  return (nibble & 1) << 3 | (nibble & 2) << 1 | (nibble & 4) >> 1 | (nibble & 8) >> 3;
}

} // namespace

FakeMu::Place FakeMu::decode(uint32_t offset) const {
  const unsigned channel = (offset / 4) % 4;
  if (offset % 4 != 0) return {Register::none, 0};
  if (generation_ == MuGeneration::v2) {
    if (offset >= 0x200 && offset < 0x210) return {Register::transmit, channel};
    if (offset >= 0x280 && offset < 0x290) return {Register::receive, channel};
    switch (offset) {
    case 0x008: return {Register::cr, 0};
    case 0x00C: return {Register::sr, 0};
    case 0x100: return {Register::fcr, 0};
    case 0x104: return {Register::fsr, 0};
    case 0x110: return {Register::gier, 0};
    case 0x114: return {Register::gcr, 0};
    case 0x118: return {Register::gsr, 0};
    case 0x120: return {Register::tcr, 0};
    case 0x124: return {Register::tsr, 0};
    case 0x128: return {Register::rcr, 0};
    case 0x12C: return {Register::rsr, 0};
    default: return {Register::none, 0};
    }
  }
  const bool wide = generation_ == MuGeneration::imx7ulp;
  const uint32_t bank = wide ? 0x20 : 0x10;
  const uint32_t first = wide ? 0x20 : 0x00;
  if (offset >= first && offset < first + 0x10) return {Register::transmit, channel};
  if (offset >= first + bank && offset < first + bank + 0x10) return {Register::receive, channel};
  if (offset == (wide ? 0x60u : 0x20u)) return {Register::sr, 0};
  if (offset == (wide ? 0x64u : 0x24u)) return {Register::cr, 0};
  return {Register::none, 0};
}

uint32_t FakeMu::read32(uint32_t offset) {
  counts.reads++;
  const bool v2 = generation_ == MuGeneration::v2;
  const Place place = decode(offset);
  switch (place.name) {
  case Register::receive: return read_receive(place.channel);
  case Register::sr:
    if (v2) return flag_update_ ? 1u << 3 : 0;
    return reversed(host_.doorbells) << 28 | reversed(full_channels()) << 24 |
           reversed(empty_channels()) << 20 | (flag_update_ ? 1u << 8 : 0) | host_.flags_seen;
  case Register::cr: return v2 ? 0 : read_v1_control();
  case Register::gier: return doorbell_enables_;
  case Register::gcr: return remote_.doorbells;
  case Register::gsr: return host_.doorbells;
  case Register::tcr: return transmit_enables_;
  case Register::tsr: return empty_channels();
  case Register::rcr: return receive_enables_;
  case Register::rsr: return full_channels();
  case Register::fcr: return flags_;
  case Register::fsr: return host_.flags_seen;
  case Register::transmit:
  case Register::none: break;
  }
  counts.wrong_offsets++;
  return 0;
}

void FakeMu::write32(uint32_t offset, uint32_t value) {
  if (before_write) before_write(offset);
  counts.writes++;
  write_register(offset, value);
  if (after_write) after_write(offset);
}

void FakeMu::write_register(uint32_t offset, uint32_t value) {
  const bool v2 = generation_ == MuGeneration::v2;
  const Place place = decode(offset);
  switch (place.name) {
  case Register::transmit: return write_transmit(place.channel, value);
  case Register::cr:
    if (!v2) return write_v1_control(value);
    if (value & 1) counts.resets++;
    return;
  case Register::sr:
    if (v2) break;
    host_.doorbells &= ~reversed(value >> 28);
    return;
  case Register::gsr: host_.doorbells &= ~value; return;
  case Register::gier: doorbell_enables_ = value & 0xF; return;
  case Register::gcr: return ring(value & 0xF);
  case Register::tcr: transmit_enables_ = value & 0xF; return;
  case Register::rcr: receive_enables_ = value & 0xF; return;
  case Register::fcr: return write_flags(value & 7);
  default: break;
  }
  counts.wrong_offsets++;
}

uint32_t FakeMu::read_v1_control() const {
  return reversed(doorbell_enables_) << 28 | reversed(receive_enables_) << 24 |
         reversed(transmit_enables_) << 20 | reversed(remote_.doorbells) << 16 |
         foreign_control_bits | flags_;
}

void FakeMu::write_v1_control(uint32_t value) {
  doorbell_enables_ = reversed(value >> 28);
  receive_enables_ = reversed(value >> 24 & 0xF);
  transmit_enables_ = reversed(value >> 20 & 0xF);
  foreign_control_bits = value & (3u << 9 | 1u << 8 | 1u << 7);
  if (value & 1u << 3) counts.nmis++;
  if (value & 1u << 5) counts.resets++;
  ring(reversed(value >> 16 & 0xF));
  write_flags(value & 7);
}

void FakeMu::write_transmit(unsigned channel, uint32_t value) {
  Channel& wire = remote_.inbox[channel];
  counts.words++;
  if (wire.full) counts.overruns++;
  wire = {value, true};
}

uint32_t FakeMu::read_receive(unsigned channel) {
  host_.inbox[channel].full = false;
  return host_.inbox[channel].data;
}

// GIR: a 1 sets the other side's GIP, a 0 changes nothing.
void FakeMu::ring(uint32_t channels) {
  for (uint32_t left = channels & ~remote_.doorbells; left; left &= left - 1)
    counts.doorbells++;
  remote_.doorbells |= channels;
}

void FakeMu::write_flags(uint32_t flags) {
  if (flags == flags_) return;
  if (flag_update_) {
    counts.lost_updates++;
    return;
  }
  flags_ = flags;
  flag_update_ = true;
  if (!flags_held_) finish_flag_update();
}

void FakeMu::finish_flag_update() {
  flag_update_ = false;
  remote_.flags_seen = flags_;
}

std::optional<uint32_t> FakeMu::remote_receive(unsigned channel) {
  Channel& wire = remote_.inbox[channel];
  if (!wire.full) return std::nullopt;
  wire.full = false;
  return wire.data;
}

void FakeMu::remote_transmit(uint32_t word, unsigned channel) {
  host_.inbox[channel] = {word, true};
}

uint32_t FakeMu::empty_channels() const {
  uint32_t empty = 0;
  for (unsigned channel = 0; channel < 4; channel++)
    if (!remote_.inbox[channel].full) empty |= 1u << channel;
  return empty;
}

uint32_t FakeMu::full_channels() const {
  uint32_t full = 0;
  for (unsigned channel = 0; channel < 4; channel++)
    if (host_.inbox[channel].full) full |= 1u << channel;
  return full;
}

bool FakeMu::line() const {
  return (transmit_enables_ & empty_channels()) || (receive_enables_ & full_channels()) ||
         (doorbell_enables_ & host_.doorbells);
}

} // namespace rpmsg::test
