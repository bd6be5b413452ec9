// SPDX-License-Identifier: Apache-2.0
// The system controller's firmware: its MU, the calls it serves and the interrupts it raises.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "sim/soc/board.h"
#include "sim/soc/board_mu.h"
#include "sim/soc/mu_side.h"
#include "sim/soc/scfw_irq.h"
#include "sim/soc/scfw_rpc.h"
#include "sim/soc/scfw_services.h"

namespace rpmsg::sim {

class Scfw {
public:
  explicit Scfw(Partitions& partitions) : services_(irq_, partitions) {}

  /// False if the system gave no memory or descriptors.
  bool create();
  /// Readable when the client touched the MU: then call on_interrupt().
  int interrupt_fd() const { return mu_.interrupt(kScfwSide); }
  void on_interrupt(int64_t now_ms);
  int64_t poll(int64_t now_ms) { return rpc_.poll(now_ms); }

  /// Sets the bit of `partition` in `group` and rings if that is enabled.
  void notify(uint32_t group, uint8_t partition);
  /// A client is attached that is told of reboots of `partition`, and so can answer.
  bool listening(uint8_t partition) const;

  pid_t client() const { return client_; }
  void attach(pid_t pid);
  void detach();
  void describe(const SocInfo& soc, rpmsg_sim_reply& reply) const;
  std::array<int, RPMSG_SIM_FD_COUNT> descriptors(int ddr_fd) const {
    return mu_.descriptors(kClientSide, ddr_fd);
  }

  ScfwRpc& rpc() { return rpc_; }
  const ScfwIrq& irq() const { return irq_; }

private:
  static constexpr uint32_t kClientSide = 0, kScfwSide = 1;

  BoardMu mu_;
  MuSide side_{mu_, kScfwSide};
  ScfwIrq irq_;
  ScfwServices services_;
  ScfwRpc rpc_{side_, services_};
  pid_t client_ = 0;
};

} // namespace rpmsg::sim
