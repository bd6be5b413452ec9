// SPDX-License-Identifier: Apache-2.0
// Offsets and bits: i.MX8QXP, i.MX7ULP and i.MX93 reference manuals, Messaging Unit chapters; Linux
// drivers/mailbox/imx-mailbox.c.
#include "platform/sim/sim_register_window.h"

namespace rpmsg {
namespace {

/// V1 and i.MX7ULP have the same bits at different offsets.
struct V1Offsets {
  uint32_t transmit, receive, status, control;
};
constexpr V1Offsets kV1 = {0x00, 0x10, 0x20, 0x24};
constexpr V1Offsets kImx7ulp = {0x20, 0x40, 0x60, 0x64};

// V1 groups of four bits, channel 0 the highest bit of each.
constexpr uint32_t kGeneralShift = 28;  // SR.GIP, CR.GIE
constexpr uint32_t kReceiveShift = 24;  // SR.RF, CR.RIE
constexpr uint32_t kTransmitShift = 20; // SR.TE, CR.TIE
constexpr uint32_t kRingShift = 16;     // CR.GIR
constexpr uint32_t kFlagMask = 7;

enum V2Offset : uint32_t {
  kPar = 0x004,
  kSr = 0x00C,
  kFcr = 0x100,
  kFsr = 0x104,
  kGier = 0x110,
  kGcr = 0x114,
  kGsr = 0x118,
  kTcr = 0x120,
  kTsr = 0x124,
  kRcr = 0x128,
  kRsr = 0x12C,
  kTransmit = 0x200,
  kReceive = 0x280,
};
constexpr uint32_t kParValue = 0x03040404; // 3 flags, 4 GIR, 4 RR, 4 TR
constexpr uint32_t kSrGirp = 1u << 4;
constexpr uint32_t kSrTep = 1u << 5;
constexpr uint32_t kSrRfp = 1u << 6;

/// Four bits in channel order to or from a V1 group, where the order is reversed.
constexpr uint32_t reversed(uint32_t bits) {
  return (bits & 1) << 3 | (bits & 2) << 1 | (bits & 4) >> 1 | (bits & 8) >> 3;
}
constexpr uint32_t to_group(uint32_t bits, uint32_t shift) {
  return reversed(bits & 15) << shift;
}
constexpr uint32_t from_group(uint32_t value, uint32_t shift) {
  return reversed((value >> shift) & 15);
}

/// The channel of a register in a bank of four that starts at `bank`, or 4 if it is not in it.
constexpr uint32_t channel_of(uint32_t offset, uint32_t bank) {
  const uint32_t distance = offset - bank;
  return distance < 16 && distance % 4 == 0 ? distance / 4 : 4;
}

} // namespace

uint32_t SimRegisterWindow::read32(uint32_t offset) {
  if (generation_ == MuGeneration::v2) return read_v2(offset);
  const V1Offsets& at = generation_ == MuGeneration::v1 ? kV1 : kImx7ulp;
  if (const uint32_t n = channel_of(offset, at.receive); n < 4) return wires_.read_receive(n);
  if (offset == at.status) return v1_status();
  if (offset == at.control) return v1_control();
  return 0;
}

void SimRegisterWindow::write32(uint32_t offset, uint32_t value) {
  if (generation_ == MuGeneration::v2) return write_v2(offset, value);
  const V1Offsets& at = generation_ == MuGeneration::v1 ? kV1 : kImx7ulp;
  if (const uint32_t n = channel_of(offset, at.transmit); n < 4) wires_.write_transmit(n, value);
  if (offset == at.status) wires_.clear_pending(from_group(value, kGeneralShift));
  if (offset == at.control) write_v1_control(value);
}

uint32_t SimRegisterWindow::v1_status() const {
  return to_group(wires_.pending(), kGeneralShift) |
         to_group(wires_.receive_full(), kReceiveShift) |
         to_group(wires_.transmit_empty(), kTransmitShift) | wires_.peer_flags();
}

uint32_t SimRegisterWindow::v1_control() const {
  return to_group(wires_.general_enables(), kGeneralShift) |
         to_group(wires_.receive_enables(), kReceiveShift) |
         to_group(wires_.transmit_enables(), kTransmitShift) | to_group(wires_.rung(), kRingShift) |
         wires_.own_flags();
}

void SimRegisterWindow::write_v1_control(uint32_t value) {
  wires_.set_general_enables(from_group(value, kGeneralShift));
  wires_.set_receive_enables(from_group(value, kReceiveShift));
  wires_.set_transmit_enables(from_group(value, kTransmitShift));
  wires_.set_flags(value & kFlagMask);
  if (const uint32_t rings = from_group(value, kRingShift); rings != 0) wires_.ring(rings);
  wires_.enables_changed();
}

uint32_t SimRegisterWindow::read_v2(uint32_t offset) {
  if (const uint32_t n = channel_of(offset, kReceive); n < 4) return wires_.read_receive(n);
  switch (offset) {
  case kPar: return kParValue;
  case kSr:
    return (wires_.pending() != 0 ? kSrGirp : 0) | (wires_.transmit_empty() != 0 ? kSrTep : 0) |
           (wires_.receive_full() != 0 ? kSrRfp : 0);
  case kFcr: return wires_.own_flags();
  case kFsr: return wires_.peer_flags();
  case kGier: return wires_.general_enables();
  case kGcr: return wires_.rung();
  case kGsr: return wires_.pending();
  case kTcr: return wires_.transmit_enables();
  case kTsr: return wires_.transmit_empty();
  case kRcr: return wires_.receive_enables();
  case kRsr: return wires_.receive_full();
  default: return 0;
  }
}

void SimRegisterWindow::write_v2(uint32_t offset, uint32_t value) {
  if (const uint32_t n = channel_of(offset, kTransmit); n < 4) wires_.write_transmit(n, value);
  switch (offset) {
  case kFcr: return wires_.set_flags(value);
  case kGcr: return value != 0 ? wires_.ring(value) : void();
  case kGsr: return wires_.clear_pending(value);
  case kGier: wires_.set_general_enables(value); break;
  case kTcr: wires_.set_transmit_enables(value); break;
  case kRcr: wires_.set_receive_enables(value); break;
  default: return;
  }
  wires_.enables_changed();
}

} // namespace rpmsg
