// SPDX-License-Identifier: Apache-2.0
// Files of /sys/class/uio/uioN: Linux Documentation/driver-api/uio-howto.rst, drivers/uio/uio.c.
#include "platform/uio/uio_sysfs.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/unique_fd.h"

namespace rpmsg {
namespace {

constexpr uint32_t kMostMaps = 5; // MAX_UIO_MAPS of the kernel
constexpr size_t kLongestAttribute = 256;

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

/// The attribute's text without its newline; false, with errno, if it cannot be read.
bool read_text(const std::string& path, std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  std::array<char, kLongestAttribute> bytes;
  const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
  if (got < 0) return false;
  text.assign(bytes.data(), static_cast<size_t>(got));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return true;
}

/// Empty, or what is wrong with the file.
std::string read_number(const std::string& path, uint64_t& number) {
  std::string text;
  if (!read_text(path, text)) return path + " cannot be read: " + std::strerror(errno);
  char* end = nullptr;
  errno = 0;
  number = std::strtoull(text.c_str(), &end, 0);
  const bool is_number = !text.empty() && text[0] >= '0' && text[0] <= '9' && *end == '\0';
  if (!is_number || errno != 0) return path + " says " + quoted(text) + ", which is no number";
  return {};
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  // uio2 before uio10.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return names;
}

std::string check_map(const UioMap& map, const std::string& where) {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  if (map.address % page != 0)
    return where + " begins at " + hex_text(map.address) +
           ", which is no page: the kernel does not map it";
  if (map.offset >= page || map.offset >= map.size)
    return where + " has an offset of " + hex_text(map.offset) +
           ": it must be smaller than a page and than its size, " + hex_text(map.size);
  // A page is kept free, so that rounding up cannot overflow either.
  if (map.size > UINT64_MAX - page || map.address > UINT64_MAX - page - map.size)
    return where + " has " + hex_text(map.size) + " bytes at " + hex_text(map.address) +
           ", which do not end inside 64 bits";
  return {};
}

std::string read_maps(const std::string& directory, UioEntry& entry) {
  for (uint32_t number = 0; number < kMostMaps; ++number) {
    const std::string where = directory + "/maps/map" + std::to_string(number);
    if (::access(where.c_str(), F_OK) != 0) continue;
    UioMap map;
    map.number = number;
    std::string problem = read_number(where + "/addr", map.address);
    if (problem.empty()) problem = read_number(where + "/offset", map.offset);
    if (problem.empty()) problem = read_number(where + "/size", map.size);
    if (problem.empty()) problem = check_map(map, where);
    if (!problem.empty()) return problem;
    entry.maps.push_back(map);
  }
  return {};
}

/// Empty with an entry, empty without one if it went while we looked, or what is wrong with it.
std::string read_entry(const std::string& directory, const std::string& node,
                       std::optional<UioEntry>& entry) {
  const std::string at = directory + "/" + node;
  UioEntry found;
  found.node = node;
  if (!read_text(at + "/name", found.name) || !read_text(at + "/dev", found.device_number))
    return {};
  std::string problem = read_maps(at, found);
  entry = std::move(found);
  return problem;
}

bool is_at(const UioEntry& entry, uint64_t address) {
  return !entry.maps.empty() && entry.maps.front().begin() == address;
}

std::string text_of(const UioName& wanted) {
  std::string text = wanted.name.empty() ? "" : " " + quoted(wanted.name);
  return wanted.address == 0 ? text : text + " at " + hex_text(wanted.address);
}

std::string list(const std::vector<UioEntry>& entries) {
  std::string text;
  for (const UioEntry& entry : entries)
    text += (text.empty() ? "" : ", ") + entry.node + " " + quoted(entry.name) +
            (entry.maps.empty() ? "" : " at " + hex_text(entry.maps.front().begin()));
  return text;
}

std::string not_found(const UioName& wanted, const std::string& directory,
                      const std::vector<UioEntry>& all) {
  const std::string what = "there is no UIO device" + text_of(wanted);
  if (!all.empty()) return what + "; there are: " + list(all);
  return what + ", nor any other, in " + directory +
         ": is the module uio_pdrv_genirq loaded, with of_id= the compatible of the node?";
}

} // namespace

std::string hex_text(uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string range_text(uint64_t base, uint64_t size_bytes) {
  return hex_text(base) + " + " + hex_text(size_bytes);
}

std::string maps_text(const UioEntry& entry) {
  std::string text;
  for (const UioMap& map : entry.maps)
    text += (text.empty() ? "map" : ", map") + std::to_string(map.number) + " " +
            range_text(map.begin(), map.end() - map.begin());
  return text.empty() ? "no map" : text;
}

std::vector<UioEntry> list_uio(const std::string& sysfs_root) {
  const std::string directory = sysfs_root + "/class/uio";
  std::vector<UioEntry> entries;
  for (const std::string& node : names_in(directory)) {
    std::optional<UioEntry> entry;
    if (read_entry(directory, node, entry).empty() && entry) entries.push_back(std::move(*entry));
  }
  return entries;
}

UioSearch find_uio(const std::string& sysfs_root, const UioName& wanted) {
  const std::string directory = sysfs_root + "/class/uio";
  std::vector<UioEntry> all, found;
  for (const std::string& node : names_in(directory)) {
    std::optional<UioEntry> entry;
    std::string problem = read_entry(directory, node, entry);
    if (!entry) continue;
    const bool has_name = wanted.name.empty() || entry->name == wanted.name;
    // What is wrong with a device that nobody asked for is nobody's business.
    if (!problem.empty() && has_name && !wanted.name.empty()) return {{}, std::move(problem)};
    if (has_name && (wanted.address == 0 || is_at(*entry, wanted.address))) found.push_back(*entry);
    all.push_back(std::move(*entry));
  }
  if (found.empty()) return {{}, not_found(wanted, directory, all)};
  if (found.size() > 1)
    return {{},
            std::to_string(found.size()) + " UIO devices are" + text_of(wanted) + ": " +
                list(found) + "; name and address together say which"};
  return {std::move(found.front()), {}};
}

} // namespace rpmsg
