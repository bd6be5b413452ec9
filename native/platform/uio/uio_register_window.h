// SPDX-License-Identifier: Apache-2.0
// The registers of a MU in a UIO mapping, which is Device-nGnRnE: each access is one aligned 32-bit
// load or store, in program order with the others, and never repeated or merged.
#pragma once

#include <atomic>

#include "memory/shared_span.h"
#include "mu/register_window.h"

namespace rpmsg {

class UioRegisterWindow final : public RegisterWindow {
public:
  explicit UioRegisterWindow(SharedSpan registers) : registers_(registers) {}

  uint32_t read32(uint32_t offset) override;
  void write32(uint32_t offset, uint32_t value) override;

  /// The device was taken from its driver: its power may be off, and an access a bus error. From
  /// now on every register reads 0, which is no word and no doorbell, and writes are dropped.
  void disconnect() { is_connected_.store(false, std::memory_order_relaxed); }

private:
  bool is_connected() const { return is_connected_.load(std::memory_order_relaxed); }

  SharedSpan registers_;
  std::atomic<bool> is_connected_ = true;
};

} // namespace rpmsg
