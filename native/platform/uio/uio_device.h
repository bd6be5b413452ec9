// SPDX-License-Identifier: Apache-2.0
// One UIO device, opened and locked, its maps mapped when they are asked for.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "memory/shared_span.h"
#include "platform/mapping.h"
#include "platform/uio/uio_sysfs.h"

namespace rpmsg {

class UioDevice {
public:
  struct Opened {
    std::shared_ptr<UioDevice> device; // null on failure
    std::string problem;               // a sentence for a person
  };
  /// Opens `dev_root`/uioN and takes an exclusive flock(2) on it for as long as the object lives:
  /// UIO itself lets anyone in who may open the node. Whoever comes second is refused, with the
  /// holder's process id where /proc/locks can be read.
  static Opened open(const std::string& dev_root, UioEntry entry);

  int fd() const { return fd_.get(); }
  const UioEntry& entry() const { return entry_; }
  /// `UIO device "rpmsg-mu" (/dev/uio0)`.
  std::string title() const;

  /// For what has an interrupt to serve: true only for the first who asks, until it is given back.
  bool claim_interrupt() { return !std::exchange(is_claimed_, true); }
  void release_interrupt() { is_claimed_ = false; }

  /// The memory at [physical, physical + size), if one map has all of it: maps are not joined, as
  /// each is a mapping of its own. Else empty, and `problem` says which rule was broken, or is
  /// empty too when no map has the range. Set-up only.
  SharedSpan map(uint64_t physical, uint64_t size_bytes, std::string& problem);

private:
  UioDevice(UioEntry entry, std::string path, UniqueFd fd);
  SharedSpan span_in(const UioMap& map, uint64_t physical, uint64_t size_bytes,
                     std::string& problem);

  UioEntry entry_;
  std::string path_;
  UniqueFd fd_;
  bool is_claimed_ = false;
  std::array<Mapping, 5> mappings_; // by the number of the map
};

} // namespace rpmsg
