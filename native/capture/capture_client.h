// SPDX-License-Identifier: Apache-2.0
// One capture: what its client asked for, the pipe it reads, and what is lost because it does not
// read in time. Nothing here waits. The capture thread's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "capture/pcapng.h"
#include "link/tap.h"

namespace rpmsg {

/// One interface of the file: a vdev, or the remote itself.
struct CapturePlace {
  uint32_t remote = 0;
  uint8_t vdev = 0; // or kWholeRemote
  std::string name; // as "cm40/vdev0"
  std::string description;
  std::string opening; // a comment on how it stands as the capture begins; may be empty
};

struct CaptureRequest {
  std::vector<CapturePlace> places;
  uint32_t snap_bytes = 0; // of each message, header included
  std::string application; // that writes the file
};

class CaptureClient {
public:
  CaptureClient(uint32_t id, UniqueFd pipe, CaptureRequest request, uint64_t now_ns);

  uint32_t id() const { return id_; }
  int fd() const { return pipe_.get(); }
  const CaptureRequest& request() const { return request_; }
  /// Its reader is gone.
  bool is_over() const { return is_over_; }
  /// Something waits for room in the pipe.
  bool has_pending() const { return !blocks_.empty(); }

  /// One record and the `lost` ones of its vdev before it.
  void take(uint32_t remote, const TapRecord& record, std::span<const uint8_t> data, uint64_t lost);
  /// Records of a vdev that never came to be, and nothing after them so far.
  void lose(uint32_t remote, uint8_t vdev, uint64_t lost);
  /// After a batch of records: writes what there is, and what was lost since that was last said.
  /// The last time: with what was captured in all.
  void settle(uint64_t now_ns, bool is_last);
  void end() { is_over_ = true; }

private:
  struct Interface {
    uint64_t received = 0;
    uint64_t dropped = 0;
    uint64_t unsaid = 0; // of those dropped, since the last packet
    uint64_t stated = 0; // of those dropped, in statistics
  };

  void open_file(uint64_t now_ns);
  int32_t& index_of(uint32_t remote, uint8_t vdev) { return index_[remote * kPlaces + vdev]; }
  Interface* find(uint32_t remote, uint8_t vdev, uint32_t& index);
  bool write_packet(uint32_t index, const TapRecord& record, std::span<const uint8_t> data);
  bool flush();
  uint64_t real_ns(uint64_t monotonic) const { return monotonic + offset_ns_; }

  static constexpr uint32_t kPlaces = kMaxVdevs + 1;

  const uint32_t id_;
  UniqueFd pipe_;
  const CaptureRequest request_;
  const uint64_t begin_ns_;
  const uint64_t offset_ns_;   // from CLOCK_MONOTONIC to CLOCK_REALTIME as it was at the beginning
  std::vector<int32_t> index_; // by remote and vdev; -1: not captured
  std::vector<Interface> interfaces_;
  BlockBuffer blocks_;
  bool is_over_ = false;
};

} // namespace rpmsg
