// SPDX-License-Identifier: Apache-2.0
#include "resource/resource_table.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace rpmsg {

namespace {

using namespace table_layout;
using Fault = std::optional<TableFault>;

constexpr uint64_t kFourGiB = uint64_t{1} << 32;

class Reader {
public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  TableReading read() {
    if (bytes_.size() < kHeaderBytes || word(0) != kVersion) return {};
    Fault fault = read_header();
    for (uint32_t i = 0; !fault && i < table_.entries; ++i)
      fault = read_entry(i);
    TableReading reading;
    reading.kind = fault ? TableKind::broken : TableKind::sound;
    if (fault) {
      reading.fault = *fault;
    } else {
      reading.table = table_;
    }
    return reading;
  }

private:
  struct Extent {
    size_t begin;
    size_t end;
  };

  uint32_t word(size_t at) const {
    uint32_t value = 0;
    std::memcpy(&value, bytes_.data() + at, sizeof value); // private memory
    return value;
  }

  TableFault fault(size_t at, const char* field, uint64_t value, const char* rule,
                   uint64_t bound = TableFault::kNoBound) const {
    return {entry_, static_cast<uint32_t>(at), field, value, rule, bound};
  }

  Fault read_header() {
    const uint32_t count = word(kCountAt);
    if (count > kMaxEntries) {
      return fault(kCountAt, "the number of entries", count, "must be at most", kMaxEntries);
    }
    for (size_t at = kReservedAt; at < kHeaderBytes; at += 4)
      if (word(at) != 0) return fault(at, "a reserved word", word(at), "must be 0");
    // Cannot overflow: at most kMaxEntries.
    first_entry_ = kHeaderBytes + 4 * size_t{count};
    if (first_entry_ > bytes_.size()) {
      return fault(kCountAt, "the number of entries", count, "leaves no room for offsets in",
                   bytes_.size());
    }
    table_.entries = count;
    return {};
  }

  Fault read_entry(uint32_t index) {
    entry_ = static_cast<int32_t>(index);
    const size_t says_at = kHeaderBytes + 4 * size_t{index};
    const uint32_t at = word(says_at);
    if (at < first_entry_) {
      return fault(says_at, "its offset", at, "must not lie before the end of the offsets,",
                   first_entry_);
    }
    if (at % 4 != 0) return fault(says_at, "its offset", at, "must be a multiple of 4");
    if (at > bytes_.size() - 4) { // bytes_ has the header at least
      return fault(says_at, "its offset", at, "must leave room for a type before",
                   bytes_.size() - 3);
    }
    switch (word(at)) {
    case kVdev: return read_vdev(at);
    case kTrace: return read_trace(at);
    case kCarveout:
    case kDevmem: return read_region(at);
    default: // a vendor's, or of a later version: nobody here knows its size
      if (word(at) >= kFirstVendor && word(at) <= kLastVendor) ++table_.vendors;
      return claim(at, 4);
    }
  }

  /// That an entry of so many bytes fits, and that it shares none with another.
  Fault claim(size_t at, uint64_t size_bytes) {
    if (size_bytes > bytes_.size() - at) {
      return fault(at, "its size", size_bytes, "must end with the table, at", bytes_.size());
    }
    const Extent mine = {at, at + static_cast<size_t>(size_bytes)};
    for (int32_t i = 0; i < entry_; ++i) {
      const Extent& other = extents_[static_cast<size_t>(i)];
      if (mine.begin < other.end && other.begin < mine.end) {
        return fault(at, "its start", at, "overlaps the entry at", other.begin);
      }
    }
    extents_[static_cast<size_t>(entry_)] = mine;
    return {};
  }

  Fault read_vdev(size_t at) {
    if (Fault too_short = claim(at, kVdevBytes)) return too_short;
    const uint8_t vrings = bytes_[at + kVdevVrings];
    const uint64_t config = word(at + kVdevConfigBytes);
    // Cannot overflow: 255 vrings and 32 bits of configuration space.
    const uint64_t size_bytes = kVdevBytes + kVringBytes * uint64_t{vrings} + config;
    if (Fault too_long = claim(at, size_bytes)) return too_long;
    for (size_t i = kVdevReserved; i < kVdevBytes; ++i)
      if (bytes_[at + i] != 0) return fault(at + i, "a reserved byte", bytes_[at + i], "must be 0");
    if (word(at + kVdevId) != kRpmsgId) return {};
    if (vrings != 2) {
      return fault(at + kVdevVrings, "num_of_vrings of a vdev of RPMsg", vrings, "must be", 2);
    }
    if (table_.vdev_count == ResourceTable::kMaxVdevs) return {};
    TableVdev& vdev = table_.vdevs[table_.vdev_count++];
    vdev.entry = entry_;
    vdev.offset = static_cast<uint32_t>(at);
    vdev.device_features = word(at + kVdevDeviceFeatures);
    vdev.guest_features = word(at + kVdevGuestFeatures);
    for (size_t i = 0; i < vdev.vrings.size(); ++i) {
      const size_t vring = at + kVdevBytes + i * kVringBytes;
      vdev.vrings[i] = {static_cast<uint32_t>(vring), word(vring + kVringAddress),
                        word(vring + kVringAlign),    word(vring + kVringNum),
                        word(vring + kVringNotifyId), word(vring + kVringPhysical)};
    }
    return {};
  }

  Fault read_trace(size_t at) {
    if (Fault wrong = claim(at, kTraceBytes)) return wrong;
    const uint32_t address = word(at + kTraceAddress);
    const uint32_t length = word(at + kTraceLength);
    if (word(at + kTraceReserved) != 0) {
      return fault(at + kTraceReserved, "a reserved word", word(at + kTraceReserved), "must be 0");
    }
    if (address == kAnyAddress) {
      return fault(at + kTraceAddress, "da of a trace buffer", address,
                   "must be an address: the buffer is the remote's own");
    }
    if (length == 0) return fault(at + kTraceLength, "len of a trace buffer", 0, "must not be 0");
    if (Fault wrong = check_end(at + kTraceLength, address, length)) return wrong;
    if (table_.trace.bytes == 0) table_.trace = {address, length};
    return {};
  }

  Fault read_region(size_t at) {
    if (Fault wrong = claim(at, kRegionBytes)) return wrong;
    if (word(at + kRegionReserved) != 0) {
      return fault(at + kRegionReserved, "a reserved word", word(at + kRegionReserved),
                   "must be 0");
    }
    const uint32_t address = word(at + kRegionAddress);
    const uint32_t length = word(at + kRegionLength);
    if (address != kAnyAddress) {
      if (Fault wrong = check_end(at + kRegionLength, address, length)) return wrong;
    }
    if (word(at) != kCarveout) return {};
    TableRegion& region = table_.carveouts[table_.carveout_count++]; // at most one an entry
    region.entry = entry_;
    region.offset = static_cast<uint32_t>(at);
    region.address = address;
    region.physical = word(at + kRegionPhysical);
    region.bytes = length;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at + kRegionName), kNameBytes,
                region.name.begin());
    return {};
  }

  Fault check_end(size_t at, uint32_t address, uint32_t length) const {
    if (uint64_t{address} + length <= kFourGiB) return {}; // two 32-bit numbers: cannot overflow
    return fault(at, "len", length, "must end below 4 GiB, and da is", address);
  }

  std::span<const uint8_t> bytes_;
  ResourceTable table_;
  std::array<Extent, kMaxEntries> extents_{};
  size_t first_entry_ = 0;
  int32_t entry_ = TableFault::kHeader;
};

} // namespace

TableReading read_table(std::span<const uint8_t> copy) {
  return Reader(copy.first(std::min(copy.size(), kMaxBytes))).read();
}

} // namespace rpmsg
