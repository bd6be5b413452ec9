// SPDX-License-Identifier: Apache-2.0
// A Messaging Unit for unit tests, from the register tables of the reference manuals: the host sees
// a RegisterWindow, the test plays the remote. Everything a driver can do wrong is counted.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "mu/mu_generation.h"
#include "mu/register_window.h"

namespace rpmsg::test {

class FakeMu final : public RegisterWindow {
public:
  explicit FakeMu(MuGeneration generation) : generation_(generation) {}

  uint32_t read32(uint32_t offset) override;
  void write32(uint32_t offset, uint32_t value) override;

  // What the remote does.
  std::optional<uint32_t> remote_receive(unsigned channel = 1);
  void remote_transmit(uint32_t word, unsigned channel = 1);
  bool remote_transmit_empty(unsigned channel) const { return !host_.inbox[channel].full; }
  void remote_ring(unsigned channel) { host_.doorbells |= 1u << channel; }
  void remote_acknowledge(unsigned channel) { remote_.doorbells &= ~(1u << channel); }
  void remote_set_flags(uint8_t flags) { host_.flags_seen = flags & 7; }

  // What the remote sees.
  uint32_t remote_doorbells() const { return remote_.doorbells; }
  uint8_t remote_flags_seen() const { return remote_.flags_seen; }

  /// While held, an update of Fn stays pending (FUP).
  void hold_flag_updates(bool hold) { flags_held_ = hold; }
  void finish_flag_update();

  // The host's interrupt line and enables, bit n = channel n.
  bool line() const;
  uint32_t transmit_enables() const { return transmit_enables_; }
  uint32_t receive_enables() const { return receive_enables_; }
  uint32_t doorbell_enables() const { return doorbell_enables_; }

  /// Called before and after every write of the host: the places for the other side to come in.
  std::function<void(uint32_t offset)> before_write, after_write;

  struct Counts {
    unsigned reads = 0;
    unsigned writes = 0;
    unsigned words = 0;         // TR written
    unsigned overruns = 0;      // TR written while full
    unsigned doorbells = 0;     // GIR that rang the remote
    unsigned nmis = 0;          // NMI written as 1
    unsigned resets = 0;        // MUR written as 1
    unsigned lost_updates = 0;  // Fn changed while FUP
    unsigned wrong_offsets = 0; // no register there, or one that is read-only
  };
  Counts counts;

  /// Other bits of V1's CR (BBOOT, CLKE, BRSTH) that belong to whoever booted the remote.
  uint32_t foreign_control_bits = 0;

private:
  struct Channel {
    uint32_t data = 0;
    bool full = false;
  };
  struct Side {
    std::array<Channel, 4> inbox; // what its RR registers hold
    uint32_t doorbells = 0;       // its GIP
    uint32_t flags_seen = 0;      // its view of the other side's Fn
  };
  enum class Register {
    transmit,
    receive,
    sr,
    cr,
    gier,
    gcr,
    gsr,
    tcr,
    tsr,
    rcr,
    rsr,
    fcr,
    fsr,
    none
  };
  struct Place {
    Register name;
    unsigned channel;
  };

  Place decode(uint32_t offset) const;
  void write_register(uint32_t offset, uint32_t value);
  uint32_t read_v1_control() const;
  void write_v1_control(uint32_t value);
  void write_transmit(unsigned channel, uint32_t value);
  uint32_t read_receive(unsigned channel);
  void ring(uint32_t channels);
  void write_flags(uint32_t flags);
  uint32_t empty_channels() const;
  uint32_t full_channels() const;

  MuGeneration generation_;
  Side host_, remote_;
  uint32_t transmit_enables_ = 0, receive_enables_ = 0, doorbell_enables_ = 0;
  uint32_t flags_ = 0;
  bool flags_held_ = false, flag_update_ = false;
};

} // namespace rpmsg::test
