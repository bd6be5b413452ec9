// SPDX-License-Identifier: Apache-2.0
// Where the maps of a UIO device lie, from /sys/class/uio.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rpmsg::sim {

struct UioMaps {
  struct Map {
    uint64_t number;
    uint64_t address; // of a page; below 4 GiB, as is the end
    uint64_t size;
  };
  std::string path; // /dev/uioN
  std::vector<Map> maps;
};

/// The one device of that name. Maps that no M core could address are left out. A sentence if there
/// is none, or more than one.
std::string find_uio_maps(const std::string& name, UioMaps& maps);

} // namespace rpmsg::sim
