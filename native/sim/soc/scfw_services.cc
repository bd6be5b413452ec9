// SPDX-License-Identifier: Apache-2.0
// The calls of README.md, "SCFW". Source: SCFW API RPC.
#include "sim/soc/scfw_services.h"

#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

/// An answer of one word: an error, or a boolean where the call returns one.
size_t answer(ScfwMessage& message, uint32_t code) {
  message[0] = SCFW_WORD0(1u, uint32_t{SCFW_SVC_RETURN}, code);
  return 1;
}

size_t answer_value(ScfwMessage& message, uint32_t value) {
  message[0] = SCFW_WORD0(2u, uint32_t{SCFW_SVC_RETURN}, uint32_t{SCFW_ERR_NONE});
  message[1] = value;
  return 2;
}

uint8_t byte_of(uint32_t word, uint32_t byte) {
  return static_cast<uint8_t>(word >> 8 * byte);
}
uint16_t low_half(uint32_t word) {
  return static_cast<uint16_t>(word);
}

} // namespace

const ScfwServices::Function ScfwServices::kFunctions[] = {
    {SCFW_SVC_PM, SCFW_PM_REBOOT, 2, &ScfwServices::reboot},
    {SCFW_SVC_PM, SCFW_PM_RESET_REASON, 1, &ScfwServices::reset_reason},
    {SCFW_SVC_PM, SCFW_PM_REBOOT_PARTITION, 2, &ScfwServices::reboot_partition},
    {SCFW_SVC_PM, SCFW_PM_IS_PARTITION_STARTED, 2, &ScfwServices::is_partition_started},
    {SCFW_SVC_PM, SCFW_PM_REBOOT_CONTINUE, 2, &ScfwServices::reboot_continue},
    {SCFW_SVC_RM, SCFW_RM_GET_PARTITION, 1, &ScfwServices::get_partition},
    {SCFW_SVC_RM, SCFW_RM_IS_RESOURCE_OWNED, 2, &ScfwServices::is_resource_owned},
    {SCFW_SVC_RM, SCFW_RM_GET_RESOURCE_OWNER, 2, &ScfwServices::get_resource_owner},
    {SCFW_SVC_IRQ, SCFW_IRQ_ENABLE, 3, &ScfwServices::irq_enable},
    {SCFW_SVC_IRQ, SCFW_IRQ_STATUS, 2, &ScfwServices::irq_status},
};

size_t ScfwServices::call(ScfwMessage& message) {
  const uint32_t head = message[0];
  if (SCFW_VERSION_OF(head) != SCFW_RPC_VERSION) return answer(message, SCFW_ERR_VERSION);
  for (const Function& known : kFunctions) {
    if (known.service != SCFW_SERVICE_OF(head) || known.function != SCFW_FUNCTION_OF(head))
      continue;
    if (known.size != SCFW_SIZE_OF(head)) return answer(message, SCFW_ERR_IPC);
    return (this->*known.handler)(message);
  }
  return answer(message, SCFW_ERR_NOTFOUND);
}

bool ScfwServices::take_doorbell() {
  const bool ring = doorbell_;
  doorbell_ = false;
  return ring;
}

size_t ScfwServices::reboot(ScfwMessage&) {
  say("scu reboot of the host's partition asked for and ignored");
  return 0;
}

size_t ScfwServices::reset_reason(ScfwMessage& message) {
  return answer_value(message, partitions_.last_reset());
}

size_t ScfwServices::reboot_partition(ScfwMessage& message) {
  const uint8_t partition = byte_of(message[1], 0);
  if (partition >= SCFW_MAX_PARTITIONS || byte_of(message[1], 1) != SCFW_RESET_TYPE_COLD)
    return answer(message, SCFW_ERR_PARM);
  if (!partitions_.exists(partition)) return answer(message, SCFW_ERR_NOTFOUND);
  return answer(message, SCFW_ERR_NOACCESS); // the host is nobody's parent
}

size_t ScfwServices::is_partition_started(ScfwMessage& message) {
  return answer(message, partitions_.started(byte_of(message[1], 0)) ? 1 : 0);
}

size_t ScfwServices::reboot_continue(ScfwMessage& message) {
  const uint8_t partition = byte_of(message[1], 0);
  if (partition >= SCFW_MAX_PARTITIONS) return answer(message, SCFW_ERR_PARM);
  const bool waited = partitions_.reboot_continue(partition);
  return answer(message, waited ? SCFW_ERR_NONE : SCFW_ERR_NOTFOUND);
}

size_t ScfwServices::get_partition(ScfwMessage& message) {
  return answer_value(message, partitions_.host());
}

size_t ScfwServices::is_resource_owned(ScfwMessage& message) {
  return answer(message, partitions_.owner(low_half(message[1])) == partitions_.host() ? 1 : 0);
}

size_t ScfwServices::get_resource_owner(ScfwMessage& message) {
  const std::optional<uint8_t> owner = partitions_.owner(low_half(message[1]));
  return owner ? answer_value(message, *owner) : answer(message, SCFW_ERR_PARM);
}

size_t ScfwServices::irq_enable(ScfwMessage& message) {
  const uint32_t mask = message[1];
  const uint8_t group = byte_of(message[2], 2);
  if (low_half(message[2]) != SCFW_R_MU_1A || group >= SCFW_IRQ_GROUPS)
    return answer(message, SCFW_ERR_PARM);
  if (byte_of(message[2], 3) != 0)
    doorbell_ = irq_.enable(group, mask);
  else
    irq_.disable(group, mask);
  return answer(message, SCFW_ERR_NONE);
}

size_t ScfwServices::irq_status(ScfwMessage& message) {
  const uint8_t group = byte_of(message[1], 2);
  if (low_half(message[1]) != SCFW_R_MU_1A || group >= SCFW_IRQ_GROUPS)
    return answer(message, SCFW_ERR_PARM);
  return answer_value(message, irq_.take(group));
}

} // namespace rpmsg::sim
