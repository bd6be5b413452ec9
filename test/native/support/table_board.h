// SPDX-License-Identifier: Apache-2.0
// A board whose remote, in the test's hands, has a resource table.
#pragma once

#include <string>

#include "support/resume_bench.h"
#include "support/table_builder.h"

namespace rpmsg::test {

constexpr uint64_t kTablePlace = 0x900FF000;
constexpr uint64_t kTracePlace = 0x900FB000;
constexpr uint8_t kDriving = 7; // ACKNOWLEDGE, DRIVER, DRIVER_OK
constexpr uint8_t kAskedToReset = 0x40;

struct TableBench : Bench {
  RemoteSetup setup(uint32_t vdevs = 1) const {
    RemoteSetup made = Bench::setup(vdevs);
    made.table_base = kTablePlace;
    made.table_bytes = 0x1000;
    return made;
  }

  /// As firmware does when it starts: everything, then the version.
  void write_table(const TableBuilder& table) {
    volatile uint8_t* const at = remote.memory(kTablePlace, 0x1000);
    for (size_t i = 4; i < table.view().size(); ++i)
      at[i] = table.view()[i];
    at[0] = table.view()[0];
  }
  /// A table of so many vdevs and nothing else; their entries are at 16 + 4 * vdevs, 68 bytes each.
  void write_vdevs(uint32_t vdevs) {
    TableBuilder table(vdevs);
    for (uint32_t i = 0; i < vdevs; ++i)
      table.vdev();
    write_table(table);
    vdevs_ = vdevs;
  }
  volatile uint8_t& status(uint32_t vdev = 0) {
    return *remote.memory(kTablePlace + 16 + 4 * vdevs_ + 68 * vdev + 24, 1);
  }

  /// The remote says that it is ready, and works on the rings of every vdev.
  void come_up(Host& host, uint32_t vdevs = 1) {
    remote.ready();
    for (uint32_t vdev = 0; vdev < vdevs; ++vdev) {
      REQUIRE(host.until([&] { return status(vdev) == kDriving; }));
      remote.take_word();
      REQUIRE(remote.say(vdev, 7, kLocal, {0}));
      REQUIRE(host.wait_vdev(0, vdev, VdevState::up));
    }
    remote.take_word();
  }

private:
  uint32_t vdevs_ = 1;
};

} // namespace rpmsg::test
