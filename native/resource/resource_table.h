// SPDX-License-Identifier: Apache-2.0
// A resource table as its remote wrote it, read out of a private copy: every offset and count is
// checked against what was copied before it is used. Knows neither rings nor configuration.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "resource/table_fault.h"
#include "resource/table_layout.h"

namespace rpmsg {

/// Offsets are in bytes from the table's start, and lie in what was copied with all they stand for.
struct TableVring {
  uint32_t offset = 0;
  uint32_t address = 0; // da; 0 or kAnyAddress: the host is to choose
  uint32_t align = 0;
  uint32_t num = 0;
  uint32_t notify_id = 0;
  uint32_t physical = 0; // pa; the same
};

/// A vdev of RPMsg. Those of other kinds are checked, and left alone.
struct TableVdev {
  int32_t entry = 0;
  uint32_t offset = 0;
  uint32_t device_features = 0;     // dfeatures
  uint32_t guest_features = 0;      // gfeatures
  std::array<TableVring, 2> vrings; // vring0, vring1

  uint32_t status_at() const { return offset + static_cast<uint32_t>(table_layout::kVdevStatus); }
};

/// Memory that the remote wants or has: a carve-out.
struct TableRegion {
  int32_t entry = 0;
  uint32_t offset = 0;
  uint32_t address = 0;
  uint32_t physical = 0;
  uint32_t bytes = 0;
  std::array<char, table_layout::kNameBytes + 1> name{}; // as found, zero at the end
};

struct TableTrace {
  uint32_t address = 0;
  uint32_t bytes = 0; // 0: the table has no trace entry
};

struct ResourceTable {
  static constexpr uint32_t kMaxVdevs = 8;

  uint32_t entries = 0;
  uint32_t vdev_count = 0; // of RPMsg; more than eight are left alone
  std::array<TableVdev, kMaxVdevs> vdevs;
  uint32_t carveout_count = 0;
  std::array<TableRegion, table_layout::kMaxEntries> carveouts;
  TableTrace trace;     // the first
  uint32_t vendors = 0; // entries that are the vendor's own, left alone
};

enum class TableKind : uint8_t {
  missing, // no version 1 at its start: whatever is there is no table
  sound,
  broken, // a table that breaks a rule
};

struct TableReading {
  TableKind kind = TableKind::missing;
  ResourceTable table; // if sound
  TableFault fault;    // if broken
};

/// Any thread; neither allocates nor blocks, and looks at kMaxBytes at most.
TableReading read_table(std::span<const uint8_t> copy);

} // namespace rpmsg
