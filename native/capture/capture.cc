// SPDX-License-Identifier: Apache-2.0
#include "capture/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "rpmsg/rpmsg_header.h"

namespace rpmsg {

namespace {

// What an unprivileged process may ask for; a smaller pipe does, too.
constexpr int kPipeBytes = 1 << 20;

} // namespace

bool Capture::is_there(const CapturePlace& place) {
  if (place.remote >= link_.remotes()) return false;
  return place.vdev == kWholeRemote || link_.vdev(place.remote, place.vdev) != nullptr;
}

Result<Capture::Opened> Capture::open(CaptureRequest request) {
  if (is_closed_) return Error{Errc::shutting_down, 0, "open a capture", 0};
  const bool is_sound = !request.places.empty() && request.snap_bytes >= kHeaderBytes &&
                        request.snap_bytes <= BlockBuffer::kMostPacketBytes &&
                        std::all_of(request.places.begin(), request.places.end(),
                                    [&](const CapturePlace& place) { return is_there(place); });
  if (!is_sound) return Error{Errc::invalid_argument, 0, "open a capture", request.snap_bytes};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Error{Errc::os, errno, "make a pipe", 0};
  Opened opened{next_id_++, UniqueFd(ends[0])};
  UniqueFd write_end(ends[1]);
  // Its reader is a stranger, who may well expect to wait.
  (void)fcntl(opened.pipe.get(), F_SETFL, 0);
  (void)fcntl(write_end.get(), F_SETPIPE_SZ, kPipeBytes);
  if (!thread_.joinable()) prepare();
  open_.emplace_back(opened.id, request);
  apply_filters();
  auto client = std::make_unique<CaptureClient>(opened.id, std::move(write_end), std::move(request),
                                                monotonic_ns());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    arrivals_.push_back(std::move(client));
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  tap_wake_.ring();
  return opened;
}

/// Before the taps are open and the thread runs: from here on every dropped record counts.
void Capture::prepare() {
  sources_.clear();
  for (uint32_t remote = 0; remote < link_.remotes(); ++remote) {
    Tap& tap = link_.tap(remote);
    for (TapRing* const ring : {tap.received_ring(), tap.sent_ring()})
      if (ring != nullptr) add_source(remote, ring, true);
  }
}

/// What anybody captures is tapped, and no more.
void Capture::apply_filters() {
  std::vector<uint32_t> masks(link_.remotes());
  uint32_t snap_bytes = 0;
  for (const auto& [id, request] : open_) {
    snap_bytes = std::max(snap_bytes, request.snap_bytes);
    for (const CapturePlace& place : request.places)
      masks[place.remote] |= 1u << place.vdev;
  }
  for (uint32_t remote = 0; remote < masks.size(); ++remote) {
    Tap& tap = link_.tap(remote);
    if (masks[remote] == 0) {
      tap.close();
    } else {
      tap.open(tap_wake_, masks[remote], snap_bytes);
    }
  }
}

std::vector<uint32_t> Capture::take_over() {
  std::vector<uint32_t> over;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(over, over_);
  }
  if (over.empty()) return over;
  std::erase_if(open_, [&](const auto& each) {
    return std::find(over.begin(), over.end(), each.first) != over.end();
  });
  apply_filters();
  if (open_.empty()) stop();
  return over;
}

void Capture::close() {
  is_closed_ = true;
  open_.clear();
  stop();
  apply_filters();
}

void Capture::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_relaxed);
  tap_wake_.ring();
  thread_.join();
  stopping_.store(false, std::memory_order_relaxed);
}

} // namespace rpmsg
