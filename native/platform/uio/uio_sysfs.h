// SPDX-License-Identifier: Apache-2.0
// What sysfs says of a UIO device: its number, its maps and where they lie. Reads text, opens no
// device. Set-up only, main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rpmsg {

/// maps/mapN. `address` is that of a page; what the device has begins `offset` bytes into it, and
/// `size` counts from `address`. mmap() always begins at `address`.
struct UioMap {
  uint32_t number = 0;
  uint64_t address = 0;
  uint64_t offset = 0;
  uint64_t size = 0;

  uint64_t begin() const { return address + offset; }
  uint64_t end() const { return address + size; }
  bool has(uint64_t physical, uint64_t size_bytes) const {
    return physical >= begin() && physical < end() && size_bytes <= end() - physical;
  }
};

struct UioEntry {
  std::string node;          // uio0
  std::string name;          // of its device tree node without the unit address, or linux,uio-name
  std::string device_number; // "247:0"
  std::vector<UioMap> maps;  // by number
};

struct UioSearch {
  UioEntry entry;
  std::string problem; // a sentence for a person; empty if found
};

/// How the configuration names a device: by the name that sysfs has, which need not be the only one
/// (device tree nodes of different addresses have the same), by the address of what it has in map0,
/// or by both.
struct UioName {
  std::string name;     // may be empty
  uint64_t address = 0; // 0: not said

  bool empty() const { return name.empty() && address == 0; }
};

/// Finds the one device below `sysfs_root`/class/uio that is meant. Every number of sysfs is
/// checked: pages, sizes and ends inside 64 bits.
UioSearch find_uio(const std::string& sysfs_root, const UioName& wanted);

/// All devices by number, but for those whose files do not make sense.
std::vector<UioEntry> list_uio(const std::string& sysfs_root);

/// "map0 0x5d200000 + 0x10000, map1 …", or "no map".
std::string maps_text(const UioEntry& entry);

/// "0x90000000" and "0x90000000 + 0x400000": addresses as all messages here print them.
std::string hex_text(uint64_t value);
std::string range_text(uint64_t base, uint64_t size_bytes);

} // namespace rpmsg
