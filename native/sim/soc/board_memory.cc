// SPDX-License-Identifier: Apache-2.0
#include "sim/soc/board_memory.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "sim/soc/board_mu.h"
#include "sim/soc/clock.h"
#include "sim/soc/uio_maps.h"

namespace rpmsg::sim {
namespace {

constexpr int64_t kLockPatienceMs = 2000;
constexpr useconds_t kLockRetryUs = 20'000;

std::string range(uint64_t base, uint64_t bytes) {
  char text[48];
  std::snprintf(text, sizeof text, "0x%llx + 0x%llx", static_cast<unsigned long long>(base),
                static_cast<unsigned long long>(bytes));
  return text;
}

bool has(const rpmsg_sim_segment& segment, const Window& window) {
  return window.physical >= segment.physical &&
         window.physical - segment.physical < segment.length &&
         window.bytes <= segment.length - (window.physical - segment.physical);
}

/// errno, or 0.
int lock(int fd) {
  const int64_t until = now_ms() + kLockPatienceMs;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || now_ms() > until) return errno;
    ::usleep(kLockRetryUs);
  }
  return 0;
}

} // namespace

bool BoardMemory::make(std::span<const Window> windows) {
  uint64_t bytes = 0;
  for (const Window& window : windows) {
    segments_.push_back({window.physical, window.bytes, bytes, RPMSG_SIM_FD_DDR, 0});
    bytes += window.bytes;
  }
  fd_ = make_memory("rpmsg-ddr", bytes);
  return static_cast<bool>(fd_);
}

std::string BoardMemory::open_uio(const std::string& name, std::span<const Window> windows) {
  const std::string who = "UIO device \"" + name + "\"";
  UioMaps maps;
  if (std::string problem = find_uio_maps(name, maps); !problem.empty()) return problem;
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const UioMaps::Map& map : maps.maps)
    segments_.push_back(
        {map.address, map.size / page * page, map.number * page, RPMSG_SIM_FD_DDR, 0});
  for (const Window& window : windows)
    if (segment_of(window) == nullptr)
      return who + " has no map with the board's memory at " + range(window.physical, window.bytes);
  fd_.reset(::open(maps.path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd_) return "cannot open " + maps.path + ": " + std::strerror(errno);
  if (const int error = lock(fd_.get()); error == EWOULDBLOCK)
    return who + " (" + maps.path +
           ") is held by another process; if that is a host or a firmware "
           "of an earlier board, end it";
  else if (error != 0)
    return "cannot lock " + maps.path + ": " + std::strerror(error);
  std::string problem;
  for (const Window& window : windows)
    if (problem.empty()) problem = zero(window);
  return problem.empty() ? problem : who + ": " + problem;
}

const rpmsg_sim_segment* BoardMemory::segment_of(const Window& window) const {
  const auto found = std::find_if(segments_.begin(), segments_.end(),
                                  [&](const rpmsg_sim_segment& s) { return has(s, window); });
  return found == segments_.end() ? nullptr : &*found;
}

uint32_t BoardMemory::describe(std::span<const Window> windows, rpmsg_sim_segment* segments) const {
  uint32_t count = 0;
  for (const Window& window : windows) {
    const rpmsg_sim_segment* segment = segment_of(window);
    const auto is_it = [segment](const rpmsg_sim_segment& s) {
      return s.physical == segment->physical;
    };
    if (std::none_of(segments, segments + count, is_it)) segments[count++] = *segment;
  }
  return count;
}

std::string BoardMemory::zero(const Window& window) {
  const rpmsg_sim_segment& segment = *segment_of(window);
  void* base = ::mmap(nullptr, segment.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(),
                      static_cast<off_t>(segment.offset));
  if (base == MAP_FAILED)
    return "cannot map " + range(segment.physical, segment.length) + ": " + std::strerror(errno);
  // Device memory: aligned stores only, and no memset.
  auto* at = reinterpret_cast<volatile uint64_t*>(static_cast<uint8_t*>(base) +
                                                  (window.physical - segment.physical));
  for (uint64_t left = window.bytes / sizeof *at; left > 0; left--)
    *at++ = 0;
  ::munmap(base, segment.length);
  return {};
}

} // namespace rpmsg::sim
