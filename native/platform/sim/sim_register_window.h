// SPDX-License-Identifier: Apache-2.0
// The registers of each MU generation, laid over the wires of a simulated MU, so that the MU driver
// cannot tell them from silicon.
#pragma once

#include "mu/mu_generation.h"
#include "mu/register_window.h"
#include "platform/sim/mu_wires.h"

namespace rpmsg {

/// Offsets that the model does not have read 0 and ignore writes. Thread rules as RegisterWindow.
class SimRegisterWindow final : public RegisterWindow {
public:
  SimRegisterWindow(MuGeneration generation, MuWires wires)
      : generation_(generation), wires_(wires) {}

  uint32_t read32(uint32_t offset) override;
  void write32(uint32_t offset, uint32_t value) override;

  MuWires& wires() { return wires_; }

private:
  uint32_t read_v2(uint32_t offset);
  void write_v2(uint32_t offset, uint32_t value);
  uint32_t v1_status() const;
  uint32_t v1_control() const;
  void write_v1_control(uint32_t value);

  MuGeneration generation_;
  MuWires wires_;
};

} // namespace rpmsg
