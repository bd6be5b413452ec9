// SPDX-License-Identifier: Apache-2.0
// Pins of four ports. Pins 2n and 2n + 1 of a port are wired together, so that a host can raise the
// edges that it waits for.
#pragma once

#include <array>
#include <cstdint>

#include "sim/firmware/nxp_packet.h"

namespace rpmsg::sim {

class NxpGpio {
public:
  static constexpr uint32_t kAnswerBytes = 4; // pin, port, code, value
  static constexpr uint32_t kEventBytes = 2;  // pin, port

  /// Fills the four bytes behind the answer's head.
  void serve(const NxpRequest& request, bool is_known_version, uint8_t* answer);
  /// A pin whose event has not been told: fills pin and port. False if there is none.
  bool next_event(uint8_t* event) const;
  void event_told(const uint8_t* event);

private:
  static constexpr uint32_t kPorts = 4;
  static constexpr uint32_t kPins = 32;
  struct Pin {
    bool is_output = false;
    bool value = false; // of an output
    uint8_t trigger = 0;
  };

  NxpCode carry_out(const NxpRequest& request, uint8_t& value);
  bool level(uint32_t port, uint32_t pin) const;
  void change(uint32_t port, uint32_t pin, const Pin& to);
  void look(uint32_t port, uint32_t pin, bool was_high);

  std::array<std::array<Pin, kPins>, kPorts> pins_ = {};
  std::array<uint32_t, kPorts> events_ = {}; // bit per pin
};

} // namespace rpmsg::sim
