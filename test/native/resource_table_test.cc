// SPDX-License-Identifier: Apache-2.0
// The reader of resource tables: what it finds in sound ones, and one test a rule. Offsets and
// numbers are those of linux/remoteproc.h.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "resource/resource_table.h"
#include "support/table_builder.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

std::string problem(const TableBuilder& table) {
  const TableReading reading = read_table(table.view());
  if (reading.kind == TableKind::missing) return "missing";
  if (reading.kind == TableKind::sound) return "sound";
  std::array<char, 160> text{};
  print_fault(reading.fault, text);
  return text.data();
}

} // namespace

TEST_CASE("a table of one vdev and a trace has them where remoteproc puts them") {
  // Peng Fan's: two entries, at 0x18 and 0x5c; rings of 256 from 0x90000000.
  TableBuilder builder(2);
  CHECK(builder.vdev(0x90000000, 0x90008000, 1) == 0x18);
  CHECK(builder.trace(0x90010000, 0x1000) == 0x5c);
  const TableReading reading = read_table(builder.view());
  REQUIRE(reading.kind == TableKind::sound);
  const ResourceTable& table = reading.table;
  CHECK(table.entries == 2);
  REQUIRE(table.vdev_count == 1);
  CHECK(table.vdevs[0].status_at() == 0x18 + 24);
  CHECK(table.vdevs[0].device_features == 1);
  CHECK(table.vdevs[0].vrings[0].offset == 0x18 + 28);
  CHECK(table.vdevs[0].vrings[0].address == 0x90000000);
  CHECK(table.vdevs[0].vrings[1].offset == 0x18 + 48);
  CHECK(table.vdevs[0].vrings[1].address == 0x90008000);
  CHECK(table.vdevs[0].vrings[1].align == 0x1000);
  CHECK(table.vdevs[0].vrings[1].num == 256);
  CHECK(table.vdevs[0].vrings[1].notify_id == 2);
  CHECK(table.trace.address == 0x90010000);
  CHECK(table.trace.bytes == 0x1000);
}

TEST_CASE("carve-outs keep their names, vendors' entries and later types are left alone") {
  TableBuilder builder(4);
  builder.carveout("vdev0buffer", 0x90400000, 0x40000);
  builder.vendor(128);
  builder.vendor(512, 4);
  builder.vendor(77, 4); // of no version that there is
  const TableReading reading = read_table(builder.view());
  REQUIRE(reading.kind == TableKind::sound);
  REQUIRE(reading.table.carveout_count == 1);
  CHECK(std::string(reading.table.carveouts[0].name.data()) == "vdev0buffer");
  CHECK(reading.table.carveouts[0].bytes == 0x40000);
  CHECK(reading.table.vendors == 2);
}

TEST_CASE("a carve-out's name may fill its 32 bytes") {
  TableBuilder builder(1);
  builder.carveout(std::string(32, 'n'), 0x90400000, 0x1000);
  const TableReading reading = read_table(builder.view());
  REQUIRE(reading.kind == TableKind::sound);
  CHECK(std::string(reading.table.carveouts[0].name.data()) == std::string(32, 'n'));
}

TEST_CASE("a vdev of another kind is no vdev of RPMsg, whatever its vrings") {
  TableBuilder builder(2);
  const uint32_t console = builder.vdev();
  builder.put(console + 4, 3);
  builder.bytes()[console + 25] = 1;
  builder.vdev();
  const TableReading reading = read_table(builder.view());
  REQUIRE(reading.kind == TableKind::sound);
  REQUIRE(reading.table.vdev_count == 1);
  CHECK(reading.table.vdevs[0].entry == 1);
}

TEST_CASE("vdevs beyond the eighth are left alone") {
  TableBuilder builder(9);
  for (int i = 0; i < 9; ++i)
    builder.vdev();
  const TableReading reading = read_table(builder.view());
  REQUIRE(reading.kind == TableKind::sound);
  CHECK(reading.table.vdev_count == 8);
}

TEST_CASE("what has no version 1 in front is no table") {
  TableBuilder builder(1);
  builder.vdev();
  for (const uint32_t version : {0u, 2u, 0xDEADBEEFu}) {
    builder.put(0, version);
    CHECK(problem(builder) == "missing");
  }
  CHECK(read_table({}).kind == TableKind::missing);
  builder.put(0, 1);
  CHECK(read_table(builder.view().first(15)).kind == TableKind::missing);
}

TEST_CASE("a table has at most 16 entries") {
  TableBuilder builder(16);
  for (int i = 0; i < 16; ++i)
    builder.vendor(128, 4);
  CHECK(problem(builder) == "sound");
  builder.put(4, 17);
  CHECK(problem(builder) ==
        "header, offset 0x4: the number of entries is 0x11, must be at most 0x10");
}

TEST_CASE("reserved words and bytes are zero") {
  TableBuilder header(0);
  header.put(12, 5);
  CHECK(problem(header) == "header, offset 0xc: a reserved word is 0x5, must be 0");
  TableBuilder vdev(1);
  vdev.bytes()[vdev.vdev() + 27] = 9;
  CHECK(problem(vdev) == "entry 0, offset 0x2f: a reserved byte is 0x9, must be 0");
  TableBuilder trace(1);
  trace.put(trace.trace(0x1000, 16) + 12, 1);
  CHECK(problem(trace) == "entry 0, offset 0x20: a reserved word is 0x1, must be 0");
  TableBuilder region(1);
  region.put(region.carveout("heap", 0x1000, 16) + 20, 1);
  CHECK(problem(region) == "entry 0, offset 0x28: a reserved word is 0x1, must be 0");
}

TEST_CASE("the offsets of all entries lie in the table") {
  TableBuilder builder(3);
  builder.bytes().resize(20);
  CHECK(problem(builder) ==
        "header, offset 0x4: the number of entries is 0x3, leaves no room for offsets in 0x14");
}

TEST_CASE("an entry begins behind the offsets, aligned and in the table") {
  TableBuilder builder(1);
  builder.vdev();
  builder.put(16, 4);
  CHECK(problem(builder) == "entry 0, offset 0x10: its offset is 0x4, must not lie before the end "
                            "of the offsets, 0x14");
  builder.put(16, 0x16);
  CHECK(problem(builder) == "entry 0, offset 0x10: its offset is 0x16, must be a multiple of 4");
  for (const uint32_t beyond : {0x58u, 0x400u, 0xFFFFFFFCu}) {
    builder.put(16, beyond);
    CHECK(problem(builder).find("must leave room for a type before 0x55") != std::string::npos);
  }
}

TEST_CASE("an entry ends in the table, its vrings and configuration space included") {
  for (const uint32_t size : {8u, 27u, 67u}) {
    TableBuilder builder(1);
    builder.vdev();
    builder.bytes().resize(20 + size);
    CHECK(problem(builder).find("must end with the table, at") != std::string::npos);
  }
  TableBuilder builder(1);
  builder.put(builder.vdev() + 20, 0xFFFFFFFF); // config_len
  CHECK(problem(builder) ==
        "entry 0, offset 0x14: its size is 0x100000043, must end with the table, at 0x58");
  TableBuilder trace(1);
  trace.trace(0x1000, 16);
  trace.bytes().resize(20 + 47);
  CHECK(problem(trace).find("its size is 0x30, must end with the table") != std::string::npos);
  TableBuilder region(1);
  region.carveout("heap", 0x1000, 16);
  region.bytes().resize(20 + 55);
  CHECK(problem(region).find("its size is 0x38, must end with the table") != std::string::npos);
}

TEST_CASE("entries do not share bytes") {
  TableBuilder builder(2);
  const uint32_t first = builder.vdev();
  builder.vdev();
  builder.put(20, first);
  CHECK(problem(builder) == "entry 1, offset 0x18: its start is 0x18, overlaps the entry at 0x18");
}

TEST_CASE("a vdev of RPMsg has two vrings") {
  TableBuilder builder(1);
  builder.bytes()[builder.vdev() + 25] = 1;
  CHECK(problem(builder) ==
        "entry 0, offset 0x2d: num_of_vrings of a vdev of RPMsg is 0x1, must be 0x2");
}

TEST_CASE("a trace buffer has an address and a length, and ends below 4 GiB") {
  TableBuilder any(1);
  any.trace(TableBuilder::kAny, 16);
  CHECK(problem(any).find("entry 0, offset 0x18: da of a trace buffer") == 0);
  TableBuilder empty(1);
  empty.trace(0x1000, 0);
  CHECK(problem(empty) == "entry 0, offset 0x1c: len of a trace buffer is 0x0, must not be 0");
  TableBuilder far(1);
  far.trace(0xFFFFF000, 0x1001);
  CHECK(problem(far) ==
        "entry 0, offset 0x1c: len is 0x1001, must end below 4 GiB, and da is 0xfffff000");
}

TEST_CASE("a carve-out and device memory end below 4 GiB") {
  for (const uint32_t type : {0u, 1u}) {
    TableBuilder builder(1);
    builder.carveout("heap", 0xFFFFF000, 0x2000, type);
    CHECK(problem(builder) ==
          "entry 0, offset 0x20: len is 0x2000, must end below 4 GiB, and da is 0xfffff000");
  }
}

TEST_CASE("no more than 1,024 bytes are looked at") {
  TableBuilder builder(1);
  builder.vdev();
  builder.bytes().resize(4096);
  builder.put(16, 1024);
  CHECK(problem(builder).find("must leave room for a type before 0x3fd") != std::string::npos);
}
