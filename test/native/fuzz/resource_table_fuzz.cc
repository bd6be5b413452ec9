// SPDX-License-Identifier: Apache-2.0
// A remote whose resource table is any bytes at all. Whatever they are: nothing outside the table
// is read or written, what is found lies inside it, and a table that was filled in is read the same
// way again.
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "resource/table_fit.h"
#include "support/fuzz_input.h"
#include "support/table_builder.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

void require(bool is_right) {
  if (!is_right) std::abort();
}

std::vector<VdevMemory> memory_of(uint32_t vdevs) {
  std::vector<VdevMemory> memory;
  for (uint32_t i = 0; i < vdevs; ++i) {
    const uint32_t ring = 0x90000000 + i * 0x10000;
    memory.push_back(
        {{ring, ring + 0x8000}, 0x2806, 0x1000, 256, 0x90400000 + i * 0x40000, 0x40000});
  }
  return memory;
}

void check_inside(const ResourceTable& table, size_t size_bytes) {
  require(table.vdev_count <= ResourceTable::kMaxVdevs);
  for (uint32_t i = 0; i < table.vdev_count; ++i) {
    require(table.vdevs[i].offset % 4 == 0);
    require(table.vdevs[i].status_at() < size_bytes);
    for (const TableVring& vring : table.vdevs[i].vrings)
      require(vring.offset + table_layout::kVringBytes <= size_bytes);
  }
  require(table.carveout_count <= table_layout::kMaxEntries);
  for (uint32_t i = 0; i < table.carveout_count; ++i) {
    require(table.carveouts[i].offset + table_layout::kRegionBytes <= size_bytes);
    require(table.carveouts[i].name.back() == '\0');
  }
  require(uint64_t{table.trace.address} + table.trace.bytes <= uint64_t{1} << 32);
}

/// Sound, and fits `memory` but for what is changed of it: a place and a byte at a time.
std::vector<uint8_t> patched(FuzzInput& input, const std::vector<VdevMemory>& memory) {
  const auto vdevs = static_cast<uint32_t>(memory.size());
  TableBuilder table(vdevs + 3);
  for (uint32_t i = 0; i < vdevs; ++i)
    table.vdev();
  table.carveout("vdev0buffer", TableBuilder::kAny, 0x40000);
  table.trace(0x900FB000, 0x4000);
  table.vendor();
  while (!input.is_empty()) {
    const size_t at = input.u16() % table.bytes().size();
    table.bytes()[at] = input.u8();
  }
  return table.bytes();
}

std::vector<uint8_t> raw(FuzzInput& input) {
  std::vector<uint8_t> bytes;
  while (!input.is_empty())
    bytes.push_back(input.u8());
  const uint32_t version = table_layout::kVersion; // else hardly any input would get past it
  if (bytes.size() >= sizeof version) std::memcpy(bytes.data(), &version, sizeof version);
  return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input({data, size});
  const uint8_t shape = input.u8();
  const std::vector<VdevMemory> memory = memory_of(1 + shape % 8);
  // Of exactly its size, so that AddressSanitizer sees one byte too far.
  std::vector<uint8_t> copy = shape < 128 ? patched(input, memory) : raw(input);
  const TableReading reading = read_table(copy);
  std::array<char, 128> text{};
  if (reading.kind == TableKind::broken) {
    require(print_fault(reading.fault, text) > 0 && text.back() == '\0');
  }
  if (reading.kind != TableKind::sound) return 0;
  check_inside(reading.table, copy.size());
  if (const auto misfit = check_fit(reading.table, memory)) {
    require(print_fault(*misfit, text) > 0);
    return 0;
  }
  const SharedSpan shared(copy.data(), copy.size(), 0x900FF000);
  fill_in(shared, reading.table, memory);
  const TableReading again = read_table(copy);
  require(again.kind == TableKind::sound && !check_fit(again.table, memory));
  for (size_t i = 0; i < memory.size(); ++i)
    for (size_t ring = 0; ring < 2; ++ring)
      require(again.table.vdevs[i].vrings[ring].address == memory[i].vrings[ring]);
  return 0;
}
