// SPDX-License-Identifier: Apache-2.0
// Who owns what on the board, and what SCFW may ask of a partition.
#pragma once

#include <cstdint>
#include <optional>

#include "scu/scfw_api.h"

namespace rpmsg::sim {

constexpr uint8_t kScfwPartition = 0; // SCFW's own: nobody else gets this number
constexpr uint8_t kHostPartition = 1;

class Partitions {
public:
  virtual ~Partitions() = default;
  virtual uint8_t host() const = 0;
  virtual bool exists(uint8_t partition) const = 0;
  virtual bool started(uint8_t partition) const = 0;
  /// Empty if no such resource is on this board.
  virtual std::optional<uint8_t> owner(uint16_t resource) const = 0;
  /// The host has quiesced. False if that partition's reset does not wait for it.
  virtual bool reboot_continue(uint8_t partition) = 0;
  /// Of the last partition reset; POR before the first.
  virtual scfw_reset_reason last_reset() const = 0;
};

} // namespace rpmsg::sim
