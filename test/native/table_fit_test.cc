// SPDX-License-Identifier: Apache-2.0
// A resource table against the host's rings and buffers, and what the host writes into it.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "resource/table_fit.h"
#include "support/table_builder.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kAny = TableBuilder::kAny;

const std::vector<VdevMemory> kMemory = {
    {{0x90000000, 0x90008000}, 0x2806, 0x1000, 256, 0x90400000, 0x40000},
    {{0x90010000, 0x90018000}, 0x2806, 0x1000, 256, 0x90440000, 0x40000},
};

std::string problem(const TableBuilder& builder, size_t vdevs = 1) {
  const TableReading reading = read_table(builder.view());
  REQUIRE(reading.kind == TableKind::sound);
  const auto fault = check_fit(reading.table, std::span(kMemory).first(vdevs));
  if (!fault) return "fits";
  std::array<char, 192> text{};
  print_fault(*fault, text);
  return text.data();
}

/// The table after the host has filled it in.
TableBuilder filled(TableBuilder builder, size_t vdevs = 1) {
  REQUIRE(problem(builder, vdevs) == "fits");
  const SharedSpan shared(builder.bytes().data(), builder.bytes().size(), 0x900FF000);
  fill_in(shared, read_table(builder.view()).table, std::span(kMemory).first(vdevs));
  return builder;
}

} // namespace

TEST_CASE("what the table leaves to the host is filled in: da, pa, notify ids, features") {
  TableBuilder builder(2);
  const uint32_t first = builder.vdev();
  const uint32_t second = builder.vdev(0, 0, 0);
  const TableBuilder after = filled(builder, 2);
  CHECK(after.get(first + 16) == 1); // gfeatures: the name service
  CHECK(after.get(first + 28) == 0x90000000);
  CHECK(after.get(first + 28 + 16) == 0x90000000);
  CHECK(after.get(first + 28 + 12) == 0);
  CHECK(after.get(first + 48) == 0x90008000);
  CHECK(after.get(first + 48 + 12) == 1);
  CHECK(after.get(second + 28) == 0x90010000);
  CHECK(after.get(second + 28 + 12) == 2);
  CHECK(after.get(second + 48) == 0x90018000);
  CHECK(after.get(second + 48 + 16) == 0x90018000);
}

TEST_CASE("what the remote has decided stays: addresses that are right, its own notify ids") {
  TableBuilder builder(1);
  const uint32_t at = builder.vdev(0x90000000, 0x90008000, 8);
  const TableBuilder after = filled(builder);
  CHECK(after.get(at + 28 + 12) == 8);
  CHECK(after.get(at + 48 + 12) == 9);
}

TEST_CASE("filling in a table a second time stores nothing") {
  TableBuilder builder(2);
  builder.vdev();
  builder.carveout("vdev0buffer", kAny, 0x40000);
  TableBuilder once = filled(builder);
  const std::vector<uint8_t> before = once.bytes();
  CHECK(filled(once).bytes() == before);
}

TEST_CASE("features that the remote does not offer are not taken") {
  TableBuilder builder(1);
  const uint32_t at = builder.vdev();
  builder.put(at + 12, 0x10);
  CHECK(filled(builder).get(at + 16) == 0);
}

TEST_CASE("carve-outs that are named as Linux names them get the host's memory") {
  TableBuilder builder(4);
  builder.vdev();
  const uint32_t vring0 = builder.carveout("vdev0vring0", kAny, 0x8000);
  const uint32_t vring1 = builder.carveout("vdev0vring1", 0x90008000, 0x8000);
  const uint32_t buffer = builder.carveout("vdev0buffer", kAny, 0x100000);
  const TableBuilder after = filled(builder);
  CHECK(after.get(vring0 + 4) == 0x90000000);
  CHECK(after.get(vring0 + 8) == 0x90000000);
  CHECK(after.get(vring1 + 4) == 0x90008000);
  CHECK(after.get(buffer + 4) == 0x90400000);
  CHECK(after.get(buffer + 8) == 0x90400000);
}

TEST_CASE("a carve-out of the remote's own stays as it is, and cannot be left to the host") {
  TableBuilder builder(2);
  builder.vdev();
  const uint32_t at = builder.carveout("heap", 0x20000000, 0x1000);
  CHECK(filled(builder).get(at + 4) == 0x20000000);
  builder.put(at + 4, kAny);
  CHECK(problem(builder) == "entry 1, offset 0x60: da of a carve-out is 0xffffffff, must be an "
                            "address: the host has no memory of that name");
}

TEST_CASE("a carve-out that is too small for what the host has there does not fit") {
  TableBuilder builder(2);
  builder.vdev();
  builder.carveout("vdev0buffer", kAny, 0x3FFFF);
  CHECK(problem(builder) == "entry 1, offset 0x68: len of a carve-out is 0x3ffff, is less than the "
                            "host uses there, 0x40000");
}

TEST_CASE("a carve-out that would end above 4 GiB in the host's place does not fit") {
  TableBuilder builder(2);
  builder.vdev();
  builder.carveout("vdev0buffer", kAny, 0xFC040000);
  CHECK(problem(builder) ==
        "entry 1, offset 0x68: len of a carve-out is 0xfc040000, must end below "
        "4 GiB from where the host has it, 0x90400000");
}

TEST_CASE("a ring elsewhere than the host has it does not fit") {
  TableBuilder builder(1);
  const uint32_t at = builder.vdev(0x90000000, 0x90009000);
  CHECK(problem(builder) == "entry 0, offset 0x44: da of vring1 is 0x90009000, must be left to the "
                            "host or be where the host has it, 0x90008000");
  builder.put(at + 48, kAny);
  builder.put(at + 28 + 16, 0x1234);
  CHECK(problem(builder).find("entry 0, offset 0x40: pa of vring0 is 0x1234") == 0);
}

TEST_CASE("a ring of another size or alignment does not fit") {
  TableBuilder builder(1);
  const uint32_t at = builder.vdev();
  builder.put(at + 28 + 8, 64);
  CHECK(problem(builder) == "entry 0, offset 0x38: num of a vring is 0x40, must be the descriptors "
                            "of the configuration, 0x100");
  builder.put(at + 28 + 8, 256);
  builder.put(at + 48 + 4, 16);
  CHECK(problem(builder) == "entry 0, offset 0x48: align of a vring is 0x10, must be 0x1000");
}

TEST_CASE("a table with fewer vdevs than are configured does not fit, more are left alone") {
  TableBuilder builder(2);
  builder.vdev();
  const uint32_t second = builder.vdev();
  CHECK(filled(builder).get(second + 28) == kAny);
  builder.put(second + 4, 3);
  CHECK(problem(builder, 2) == "header, offset 0x4: the number of vdevs of RPMsg is 0x1, must be "
                               "the vdevs of the configuration, 0x2");
}
