// SPDX-License-Identifier: Apache-2.0
// The board's partitions as SCFW sees them: its own, the host's and one for each core.
#pragma once

#include <vector>

#include "sim/soc/core_life.h"
#include "sim/soc/partitions.h"

namespace rpmsg::sim {

class BoardPartitions : public Partitions {
public:
  void set_host(uint8_t partition) { host_ = partition; }
  void add(CoreLife& life) { lives_.push_back(&life); }

  uint8_t host() const override { return host_; }
  bool exists(uint8_t partition) const override;
  bool started(uint8_t partition) const override;
  std::optional<uint8_t> owner(uint16_t resource) const override;
  bool reboot_continue(uint8_t partition) override;
  scfw_reset_reason last_reset() const override;

private:
  CoreLife* find(uint8_t partition) const;

  uint8_t host_ = kHostPartition;
  std::vector<CoreLife*> lives_;
};

} // namespace rpmsg::sim
