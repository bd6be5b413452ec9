// SPDX-License-Identifier: Apache-2.0
// What each call of the SCFW API does on this board: a message in, the answer out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "scu/scfw_api.h"
#include "sim/soc/partitions.h"
#include "sim/soc/scfw_irq.h"

namespace rpmsg::sim {

using ScfwMessage = std::array<uint32_t, SCFW_MAX_WORDS>;

class ScfwServices {
public:
  ScfwServices(ScfwIrq& irq, Partitions& partitions) : irq_(irq), partitions_(partitions) {}

  /// Carries out `message`, whose size field counts the words that came, and puts the answer in its
  /// place. How many words the answer has; 0: the call has none.
  size_t call(ScfwMessage& message);
  /// True once after a call that makes an enabled interrupt pending: ring SCFW_DOORBELL_SVC.
  bool take_doorbell();

private:
  using Handler = size_t (ScfwServices::*)(ScfwMessage&);
  struct Function {
    uint8_t service, function, size;
    Handler handler;
  };
  static const Function kFunctions[];

  size_t reboot(ScfwMessage& message);
  size_t reset_reason(ScfwMessage& message);
  size_t reboot_partition(ScfwMessage& message);
  size_t is_partition_started(ScfwMessage& message);
  size_t reboot_continue(ScfwMessage& message);
  size_t get_partition(ScfwMessage& message);
  size_t is_resource_owned(ScfwMessage& message);
  size_t get_resource_owner(ScfwMessage& message);
  size_t irq_enable(ScfwMessage& message);
  size_t irq_status(ScfwMessage& message);

  ScfwIrq& irq_;
  Partitions& partitions_;
  bool doorbell_ = false;
};

} // namespace rpmsg::sim
