// SPDX-License-Identifier: Apache-2.0
// Lookups of partitions and of who owns a resource.
#include "sim/soc/board_partitions.h"

namespace rpmsg::sim {

CoreLife* BoardPartitions::find(uint8_t partition) const {
  for (CoreLife* life : lives_)
    if (life->partition() == partition) return life;
  return nullptr;
}

bool BoardPartitions::exists(uint8_t partition) const {
  return partition == kScfwPartition || partition == host_ || find(partition) != nullptr;
}

bool BoardPartitions::started(uint8_t partition) const {
  if (const CoreLife* life = find(partition)) return life->started();
  return exists(partition);
}

std::optional<uint8_t> BoardPartitions::owner(uint16_t resource) const {
  if (resource >= SCFW_R_MU_0A && resource <= SCFW_R_MU_6A) return host_;
  for (const CoreLife* life : lives_) {
    const CoreInfo& core = life->info();
    if (resource == core.program_resource || resource == core.mu_resource) return life->partition();
  }
  return std::nullopt;
}

bool BoardPartitions::reboot_continue(uint8_t partition) {
  CoreLife* life = find(partition);
  return life != nullptr && life->reboot_continue();
}

scfw_reset_reason BoardPartitions::last_reset() const {
  std::optional<CoreLife::Reset> last;
  for (const CoreLife* life : lives_) {
    const std::optional<CoreLife::Reset> reset = life->last_reset();
    if (reset && (!last || reset->time_ms >= last->time_ms)) last = reset;
  }
  return last ? last->reason : SCFW_RESET_POR;
}

} // namespace rpmsg::sim
