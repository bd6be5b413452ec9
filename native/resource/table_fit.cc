// SPDX-License-Identifier: Apache-2.0
#include "resource/table_fit.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "memory/shared_copy.h"

namespace rpmsg {

namespace {

using namespace table_layout;
using Fault = std::optional<TableFault>;

bool is_open(uint32_t address) {
  return address == 0 || address == kAnyAddress;
}

Fault expect(int32_t entry, size_t at, const char* field, uint32_t found, uint32_t wanted,
             const char* rule = "must be") {
  if (found == wanted) return {};
  return TableFault{entry, static_cast<uint32_t>(at), field, found, rule, wanted};
}

Fault expect_or_open(int32_t entry, size_t at, const char* field, uint32_t found, uint32_t wanted) {
  return is_open(found) ? Fault{}
                        : expect(entry, at, field, found, wanted,
                                 "must be left to the host or be where the host has it,");
}

Fault check_vring(const TableVdev& vdev, size_t index, const VdevMemory& memory) {
  const TableVring& vring = vdev.vrings[index];
  const uint32_t wanted = memory.vrings[index];
  const char* const da = index == 0 ? "da of vring0" : "da of vring1";
  const char* const pa = index == 0 ? "pa of vring0" : "pa of vring1";
  Fault fault = expect_or_open(vdev.entry, vring.offset + kVringAddress, da, vring.address, wanted);
  if (!fault)
    fault = expect_or_open(vdev.entry, vring.offset + kVringPhysical, pa, vring.physical, wanted);
  if (!fault)
    fault = expect(vdev.entry, vring.offset + kVringAlign, "align of a vring", vring.align,
                   memory.align);
  if (!fault)
    fault = expect(vdev.entry, vring.offset + kVringNum, "num of a vring", vring.num, memory.num,
                   "must be the descriptors of the configuration,");
  return fault;
}

struct Place {
  uint32_t address = 0;
  uint32_t bytes = 0; // that the host uses there; 0: none of its own
};

/// What the host has under a carve-out's name.
Place place_of(const TableRegion& region, std::span<const VdevMemory> vdevs) {
  for (size_t i = 0; i < vdevs.size(); ++i) {
    std::array<char, kNameBytes> name{};
    for (size_t ring = 0; ring < 2; ++ring) {
      std::snprintf(name.data(), name.size(), "vdev%zuvring%zu", i, ring);
      if (std::strcmp(name.data(), region.name.data()) == 0)
        return {vdevs[i].vrings[ring], vdevs[i].vring_bytes};
    }
    std::snprintf(name.data(), name.size(), "vdev%zubuffer", i);
    if (std::strcmp(name.data(), region.name.data()) == 0)
      return {vdevs[i].buffers, vdevs[i].buffer_bytes};
  }
  return {};
}

Fault check_carveout(const TableRegion& region, std::span<const VdevMemory> vdevs) {
  const Place place = place_of(region, vdevs);
  const size_t at = region.offset;
  if (place.bytes == 0) {
    if (region.address != kAnyAddress) return {};
    return TableFault{region.entry, static_cast<uint32_t>(at + kRegionAddress), "da of a carve-out",
                      region.address, "must be an address: the host has no memory of that name"};
  }
  if (region.bytes < place.bytes) {
    return TableFault{region.entry, static_cast<uint32_t>(at + kRegionLength), "len of a carve-out",
                      region.bytes, "is less than the host uses there,",       place.bytes};
  }
  constexpr uint64_t kFourGiB = uint64_t{1} << 32;
  if (uint64_t{place.address} + region.bytes > kFourGiB) { // both 32-bit: cannot overflow
    return TableFault{
        region.entry, static_cast<uint32_t>(at + kRegionLength),          "len of a carve-out",
        region.bytes, "must end below 4 GiB from where the host has it,", place.address};
  }
  Fault fault = expect_or_open(region.entry, at + kRegionAddress, "da of a carve-out",
                               region.address, place.address);
  if (!fault)
    fault = expect_or_open(region.entry, at + kRegionPhysical, "pa of a carve-out", region.physical,
                           place.address);
  return fault;
}

void store(const SharedSpan& shared, size_t at, uint32_t found, uint32_t value) {
  if (found == value) return;
  std::array<uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value); // private memory
  copy_to_shared(shared.at(at, sizeof value), bytes);
}

} // namespace

std::optional<TableFault> check_fit(const ResourceTable& table, std::span<const VdevMemory> vdevs) {
  if (table.vdev_count < vdevs.size()) {
    return TableFault{TableFault::kHeader,
                      kCountAt,
                      "the number of vdevs of RPMsg",
                      table.vdev_count,
                      "must be the vdevs of the configuration,",
                      vdevs.size()};
  }
  for (size_t i = 0; i < vdevs.size(); ++i)
    for (size_t ring = 0; ring < 2; ++ring)
      if (Fault fault = check_vring(table.vdevs[i], ring, vdevs[i])) return fault;
  for (uint32_t i = 0; i < table.carveout_count; ++i)
    if (Fault fault = check_carveout(table.carveouts[i], vdevs)) return fault;
  return {};
}

void fill_in(const SharedSpan& shared, const ResourceTable& table,
             std::span<const VdevMemory> vdevs) {
  for (size_t i = 0; i < vdevs.size(); ++i) {
    const TableVdev& vdev = table.vdevs[i];
    for (size_t ring = 0; ring < 2; ++ring) {
      const TableVring& vring = vdev.vrings[ring];
      store(shared, vring.offset + kVringAddress, vring.address, vdevs[i].vrings[ring]);
      store(shared, vring.offset + kVringPhysical, vring.physical, vdevs[i].vrings[ring]);
      const auto queue = static_cast<uint32_t>(2 * i + ring);
      if (is_open(vring.notify_id))
        store(shared, vring.offset + kVringNotifyId, vring.notify_id, queue);
    }
    store(shared, vdev.offset + kVdevGuestFeatures, vdev.guest_features,
          vdev.device_features & kNameServiceFeature);
  }
  for (uint32_t i = 0; i < table.carveout_count; ++i) {
    const TableRegion& region = table.carveouts[i];
    const Place place = place_of(region, vdevs);
    if (place.bytes == 0) continue;
    store(shared, region.offset + kRegionAddress, region.address, place.address);
    store(shared, region.offset + kRegionPhysical, region.physical, place.address);
  }
}

} // namespace rpmsg
