// SPDX-License-Identifier: Apache-2.0
// Captures of what passes through a link: opens its taps, and writes what they give into pipes as
// pcapng, on a thread of its own. A client that does not read loses records, and the link nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "capture/capture_client.h"
#include "link/link.h"

namespace rpmsg {

class Capture {
public:
  /// `wake` is called on the capture thread, must not block, and leads to take_over() on the main
  /// thread. The link outlives this.
  Capture(Link& link, std::function<void()> wake) : link_(link), wake_(std::move(wake)) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { close(); }

  // All of them the main thread's.

  struct Opened {
    uint32_t id = 0;
    UniqueFd pipe; // to be read: the file, until this end is closed or close() is called
  };
  /// shutting_down after close(). invalid_argument: no place, one that is not there, or snap_bytes
  /// is not kHeaderBytes to BlockBuffer::kMostPacketBytes.
  Result<Opened> open(CaptureRequest request);
  /// Those whose reader has gone since the last call; their taps are closed where nobody else
  /// captures.
  std::vector<uint32_t> take_over();
  /// Ends all of them; what is in the taps is written first, as far as the pipes take it within 100
  /// ms.
  /// Idempotent.
  void close();

private:
  struct Source {
    uint32_t remote;
    TapRing* ring;
    std::span<const uint8_t> run;                    // of whole records, not looked at yet
    std::array<uint64_t, kMaxVdevs + 1> accounted{}; // dropped records that were told of
  };

  bool is_there(const CapturePlace& place);
  void apply_filters();
  void prepare();
  void stop();
  // The capture thread's.
  void run();
  void welcome();
  void add_source(uint32_t remote, TapRing* ring, bool was_there);
  bool drain(uint64_t until_ns);
  Source* oldest(uint64_t until_ns);
  void account(Source& source);
  void settle(bool is_last);
  void wait_for_room();
  void sleep(bool is_busy);

  Link& link_;
  std::function<void()> wake_;
  TapWake tap_wake_;
  uint32_t next_id_ = 1;
  bool is_closed_ = false;
  std::vector<std::pair<uint32_t, CaptureRequest>> open_; // the main thread's, by id
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_; // never taken by the link thread
  std::vector<std::unique_ptr<CaptureClient>> arrivals_;
  std::vector<uint32_t> over_;

  std::vector<Source> sources_; // the capture thread's while it runs, as the next
  std::vector<std::unique_ptr<CaptureClient>> clients_;
};

} // namespace rpmsg
