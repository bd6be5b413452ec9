// SPDX-License-Identifier: Apache-2.0
#include "sim/soc/uio_maps.h"

#include <filesystem>
#include <fstream>

namespace rpmsg::sim {
namespace {

const std::filesystem::path kDevices = "/sys/class/uio";
constexpr uint64_t kFourGiB = uint64_t{1} << 32;
constexpr uint64_t kMostMaps = 5; // MAX_UIO_MAPS of the kernel

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Hexadecimal with 0x, as the kernel prints it; false for anything else.
bool read_number(const std::filesystem::path& path, uint64_t& number) {
  std::ifstream file(path);
  return static_cast<bool>(file >> std::hex >> number);
}

void read_maps(const std::filesystem::path& device, UioMaps& into) {
  for (uint64_t number = 0; number < kMostMaps; number++) {
    const auto map = device / "maps" / ("map" + std::to_string(number));
    uint64_t address = 0, size = 0;
    if (!read_number(map / "addr", address) || !read_number(map / "size", size)) continue;
    if (address < kFourGiB && size <= kFourGiB - address)
      into.maps.push_back({number, address, size});
  }
}

} // namespace

std::string find_uio_maps(const std::string& name, UioMaps& maps) {
  std::string names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(kDevices, ignored)) {
    const std::string found = first_line(entry.path() / "name");
    names += (names.empty() ? "" : ", ") + found;
    if (found != name) continue;
    if (!maps.path.empty()) return "more than one UIO device is named \"" + name + "\"";
    maps.path = "/dev/" + entry.path().filename().string();
    read_maps(entry.path(), maps);
  }
  if (!maps.path.empty()) return {};
  return "there is no UIO device \"" + name + "\" in " + kDevices.string() + "; there " +
         (names.empty() ? "is none" : "are: " + names);
}

} // namespace rpmsg::sim
