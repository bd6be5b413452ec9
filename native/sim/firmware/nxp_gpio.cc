// SPDX-License-Identifier: Apache-2.0
// What a pin does, and which edge or level of it is told: once for each time that it was asked for.
#include "sim/firmware/nxp_gpio.h"

#include <bit>

namespace rpmsg::sim {
namespace {

enum Command : uint8_t { kInput, kOutput, kGet };
enum Trigger : uint8_t { kNone, kRising, kFalling, kBoth, kLow, kHigh };

bool is_met(uint8_t trigger, bool was_high, bool is_high) {
  switch (trigger) {
  case kRising: return !was_high && is_high;
  case kFalling: return was_high && !is_high;
  case kBoth: return was_high != is_high;
  case kLow: return !is_high;
  case kHigh: return is_high;
  default: return false;
  }
}

} // namespace

void NxpGpio::serve(const NxpRequest& request, bool is_known_version, uint8_t* answer) {
  uint8_t value = 0;
  NxpCode code = NxpCode::unsupported;
  answer[0] = request.length > 0 ? request.body[0] : 0;
  answer[1] = request.length > 1 ? request.body[1] : 0;
  if (is_known_version && request.length >= 2) code = carry_out(request, value);
  answer[2] = static_cast<uint8_t>(code);
  answer[3] = value;
}

NxpCode NxpGpio::carry_out(const NxpRequest& request, uint8_t& value) {
  const uint8_t pin = request.body[0];
  const uint8_t port = request.body[1];
  if (port >= kPorts || pin >= kPins) return NxpCode::failed;
  switch (request.command) {
  case kInput:
    if (request.length < 4 || request.body[2] > kHigh) return NxpCode::failed;
    change(port, pin, {false, false, request.body[2]});
    return NxpCode::ok;
  case kOutput:
    if (request.length < 3) return NxpCode::failed;
    change(port, pin, {true, request.body[2] != 0, kNone});
    return NxpCode::ok;
  case kGet: value = level(port, pin) ? 1 : 0; return NxpCode::ok;
  default: return NxpCode::unsupported;
  }
}

/// An input reads what the other end of its wire drives, low if nothing does.
bool NxpGpio::level(uint32_t port, uint32_t pin) const {
  const Pin& own = pins_[port][pin];
  const Pin& other = pins_[port][pin ^ 1];
  return own.is_output ? own.value : other.is_output && other.value;
}

void NxpGpio::change(uint32_t port, uint32_t pin, const Pin& to) {
  const bool was_high = level(port, pin);
  const bool was_other_high = level(port, pin ^ 1);
  pins_[port][pin] = to;
  look(port, pin, was_high);
  look(port, pin ^ 1, was_other_high);
}

// As NXP's applications do: the interrupt stays masked from the event to the next request.
void NxpGpio::look(uint32_t port, uint32_t pin, bool was_high) {
  Pin& own = pins_[port][pin];
  if (!is_met(own.trigger, was_high, level(port, pin))) return;
  own.trigger = kNone;
  events_[port] |= 1u << pin;
}

bool NxpGpio::next_event(uint8_t* event) const {
  for (uint32_t port = 0; port < kPorts; port++) {
    if (events_[port] == 0) continue;
    event[0] = static_cast<uint8_t>(std::countr_zero(events_[port]));
    event[1] = static_cast<uint8_t>(port);
    return true;
  }
  return false;
}

void NxpGpio::event_told(const uint8_t* event) {
  events_[event[1]] &= ~(1u << event[0]);
}

} // namespace rpmsg::sim
