// SPDX-License-Identifier: Apache-2.0
// The resource table as firmware has it, written from README.md alone ("The resource table"): vdevs
// whose status byte the host drives, a carve-out, a trace buffer.
#pragma once

#include <array>
#include <cstdint>

#include "sim/firmware/board.h"
#include "sim/firmware/options.h"
#include "sim/firmware/trace_log.h"

namespace rpmsg::sim {

constexpr uint8_t kDriverOk = 4;
constexpr uint8_t kNeedsReset = 0x40;

class ResourceTable {
public:
  /// Writes the table to its place, every status byte 0, if this firmware has one.
  ResourceTable(const FirmwareOptions& options, const AttachedBoard& board);

  bool is_there() const { return base_ != nullptr; }
  TraceLog& trace() { return trace_; }

  uint8_t status(uint32_t vdev) const;
  void set_status(uint32_t vdev, uint8_t value);
  /// Where the host says that a vring (0 or 1) of a vdev is.
  uint32_t vring_address(uint32_t vdev, uint32_t ring) const;

private:
  void write(const FirmwareOptions& options, uint64_t vring_base);
  uint32_t put_vdev(uint32_t vdev, uint32_t vring0, uint32_t vring1);
  void put_name(uint32_t at, const char* name);
  void put(uint32_t at, uint32_t value);
  uint32_t get(uint32_t at) const;

  uint8_t* base_ = nullptr;
  uint32_t trace_address_ = 0;
  uint32_t end_ = 0; // of what is written so far
  std::array<uint32_t, 8> vdev_at_ = {};
  TraceLog trace_;
};

} // namespace rpmsg::sim
