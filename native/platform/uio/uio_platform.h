// SPDX-License-Identifier: Apache-2.0
// One remote's hardware as UIO devices: a MU with its interrupt, and memory.
#pragma once

#include <memory>
#include <optional>

#include "platform/platform.h"
#include "platform/uio/dev_mem.h"
#include "platform/uio/uio_device.h"
#include "platform/uio/uio_devices.h"
#include "platform/uio/uio_interrupt.h"
#include "platform/uio/uio_register_window.h"

namespace rpmsg {

class UioPlatform final : public Platform {
public:
  /// `registers` are those of the MU in `mu`, whose interrupt was claimed; `memory` is null where
  /// the configuration names none.
  UioPlatform(UioDevices& devices, const UioBoard& board, std::shared_ptr<UioDevice> mu,
              std::shared_ptr<UioDevice> memory, SharedSpan registers);
  ~UioPlatform() override { mu_->release_interrupt(); }

  /// Empty, or why the MU's interrupt cannot be used. Before anything else.
  std::string set_up() { return interrupt_.set_up(); }
  void allow_dev_mem(const std::string& path) { dev_mem_.emplace(path); }

  RegisterWindow& mu() override { return window_; }
  MuGeneration mu_generation() const override { return board_.mu_generation; }
  int interrupt_fd() const override { return interrupt_.fd(); }
  void consume_interrupt() override;
  void unmask_interrupt() override;
  int board_fd() const override { return interrupt_.gone_fd(); }
  std::string soc() const override { return board_.soc; }
  uint32_t max_vdevs() const override { return board_.max_vdevs; }
  BoardId board_id() const override { return {}; }
  Result<SharedSpan> map(uint64_t physical, uint64_t size_bytes) override;
  std::string map_problem() const override { return map_problem_; }

private:
  SharedSpan find(uint64_t physical, uint64_t size_bytes);
  SharedSpan find_by_address(uint64_t physical, uint64_t size_bytes);
  std::string not_covered(uint64_t physical, uint64_t size_bytes) const;

  UioDevices& devices_;
  UioBoard board_;
  std::shared_ptr<UioDevice> mu_;
  std::shared_ptr<UioDevice> memory_;              // as named
  std::vector<std::shared_ptr<UioDevice>> others_; // found by addresses
  std::optional<DevMem> dev_mem_;
  UioRegisterWindow window_;
  UioInterrupt interrupt_;
  std::string map_problem_; // of the last map() that failed
};

} // namespace rpmsg
