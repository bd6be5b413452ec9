// SPDX-License-Identifier: Apache-2.0
#include "platform/uio/uio_device.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace rpmsg {
namespace {

/// Who has the flock on an open file, from /proc/locks; 0 if that does not say.
long lock_holder(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return 0;
  std::array<char, 64> file;
  std::snprintf(file.data(), file.size(), "%02x:%02x:%llu", major(info.st_dev), minor(info.st_dev),
                static_cast<unsigned long long>(info.st_ino));
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    // "1: FLOCK  ADVISORY  WRITE 1234 00:05:86 0 EOF"; "1: -> FLOCK" waits for one.
    std::istringstream words(line);
    std::string number, kind, is_advisory, is_write, of;
    long pid = 0;
    words >> number >> kind >> is_advisory >> is_write >> pid >> of;
    if (words && kind == "FLOCK" && of == file.data()) return pid > 0 ? pid : 0;
  }
  return 0;
}

std::string cannot_open(const std::string& path, int error) {
  std::string what = "cannot open " + path + ": " + std::strerror(error);
  if (error == ENOENT) return what + ": sysfs has the device, but udev has made no node for it";
  if (error == EACCES || error == EPERM)
    return what + ": the daemon's group must be able to read and write it (udev rule 60-rpmsgd)";
  return what;
}

/// Empty, or why the node is not the device that sysfs describes.
std::string check_node(const std::string& path, int fd, const UioEntry& entry) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return "cannot look at " + path + ": " + std::strerror(errno);
  if (!S_ISCHR(info.st_mode)) return {}; // stands in for a device in tests
  const std::string number =
      std::to_string(major(info.st_rdev)) + ":" + std::to_string(minor(info.st_rdev));
  if (number == entry.device_number) return {};
  return path + " is device " + number + ", but sysfs says that " + entry.node + " is " +
         entry.device_number;
}

} // namespace

UioDevice::UioDevice(UioEntry entry, std::string path, UniqueFd fd)
    : entry_(std::move(entry)), path_(std::move(path)), fd_(std::move(fd)) {}

std::string UioDevice::title() const {
  return "UIO device \"" + entry_.name + "\" (" + path_ + ")";
}

UioDevice::Opened UioDevice::open(const std::string& dev_root, UioEntry entry) {
  std::string path = dev_root + "/" + entry.node;
  // The interrupt is polled: a read that would wait is never wanted.
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return {nullptr, cannot_open(path, errno)};
  if (std::string problem = check_node(path, fd.get(), entry); !problem.empty())
    return {nullptr, std::move(problem)};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const long holder = error == EWOULDBLOCK ? lock_holder(fd.get()) : 0;
    const std::string what = "UIO device \"" + entry.name + "\" (" + path + ") ";
    if (error != EWOULDBLOCK) return {nullptr, what + "cannot be locked: " + std::strerror(error)};
    return {nullptr, what + "is held by " +
                         (holder > 0 ? "process " + std::to_string(holder) : "another process") +
                         ": one at a time may own it, end the other first"};
  }
  return {
      std::shared_ptr<UioDevice>(new UioDevice(std::move(entry), std::move(path), std::move(fd))),
      {}};
}

SharedSpan UioDevice::map(uint64_t physical, uint64_t size_bytes, std::string& problem) {
  for (const UioMap& map : entry_.maps) {
    if (physical < map.begin() || physical >= map.end()) continue;
    if (size_bytes <= map.end() - physical) return span_in(map, physical, size_bytes, problem);
    problem = title() + ": map" + std::to_string(map.number) + ", " +
              range_text(map.begin(), map.end() - map.begin()) + ", ends before " +
              range_text(physical, size_bytes) + " does";
  }
  return {};
}

SharedSpan UioDevice::span_in(const UioMap& map, uint64_t physical, uint64_t size_bytes,
                              std::string& problem) {
  Mapping& mapping = mappings_[map.number];
  if (!mapping) {
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    const uint64_t length = (map.size + page - 1) / page * page;
    // Which map is chosen by the offset, in pages; where in a map cannot be.
    mapping = Mapping(fd_.get(), length, map.number * page);
    if (!mapping) {
      problem = title() + ": cannot map map" + std::to_string(map.number) + ", " +
                range_text(map.address, length) + ": " + std::strerror(errno);
      return {};
    }
  }
  return SharedSpan(static_cast<uint8_t*>(mapping.base()) + (physical - map.address), size_bytes,
                    physical);
}

} // namespace rpmsg
