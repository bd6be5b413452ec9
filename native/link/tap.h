// SPDX-License-Identifier: Apache-2.0
// Where what passes through a remote's vdevs is copied for whoever captures it. Off it is one look
// at a pointer; on, a copy into a bounded ring, and what does not fit is counted. Knows nothing of
// who reads or of files.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/unique_fd.h"
#include "link/counters.h"
#include "link/remote_setup.h"
#include "link/spsc_bytes.h"

namespace rpmsg {

/// Stands for the remote itself where a vdev's index is expected.
inline constexpr uint8_t kWholeRemote = kMaxVdevs;

enum class TapKind : uint8_t {
  received, // a message that the remote sent
  sent,     // a message that it was sent
  life,     // text: a reset, a new state, a fault
};

/// Why a received message got no further.
enum class TapNote : uint8_t { none, malformed, no_endpoint, no_room };

/// Before the data of each record, which fill it up to a multiple of 8 bytes.
struct TapRecord {
  uint32_t bytes = 0;          // of the whole record
  uint32_t original_bytes = 0; // header and payload as they passed
  uint16_t data_bytes = 0;     // of them, or of the text, that follow
  TapKind kind = TapKind::received;
  TapNote note = TapNote::none;
  uint8_t vdev = 0; // or kWholeRemote
  uint8_t reserved[3] = {};
  uint64_t time_ns = 0; // CLOCK_MONOTONIC
  uint64_t dropped = 0; // records of this vdev that had no room, ever
};
static_assert(sizeof(TapRecord) == 32 && sizeof(TapRecord) % SpscBytes::kAlignment == 0);

/// How a reader of rings sleeps, and is woken without a system call a record.
class TapWake {
public:
  TapWake();

  int fd() const { return fd_.get(); }

  // The reader.
  /// The next record of any ring wakes it. What is there already does not: look after this.
  void expect_any();
  void expect_none() { is_any_expected_.store(false, std::memory_order_relaxed); }
  void drain();

  // Any producer.
  void after_record();
  void ring();

private:
  UniqueFd fd_;
  std::atomic<bool> is_any_expected_{false};
};

/// One ring. Producers take turns under one lock, or are one thread; so are its readers.
class TapRing {
public:
  static constexpr uint32_t kBytes = 1u << 20;
  static constexpr uint32_t kTextBytes = 320;

  /// The only allocation.
  explicit TapRing(TapWake& wake) : ring_(kBytes), wake_(wake) {}

  // The main thread.
  /// From here on of messages their first `snap_bytes` are kept, and only those of the vdevs in
  /// `vdev_mask`; of texts kTextBytes, whosever they are.
  void set_filter(uint32_t vdev_mask, uint32_t snap_bytes);

  // The producer.
  /// Room for as much of `data_bytes` as is wanted, to be filled before commit(). Empty: nothing is
  /// wanted of this vdev, or there is no room, which is counted.
  std::span<uint8_t> begin(TapRecord record, uint32_t data_bytes);
  void commit();
  /// Both, for data in two parts.
  void put(const TapRecord& record, std::span<const uint8_t> head, std::span<const uint8_t> rest);
  /// Something about the remote (kWholeRemote) or one of its vdevs, for a person.
  void put_text(uint8_t vdev, uint64_t time_ns, std::string_view text);

  // The reader.
  SpscBytes& records() { return ring_; }
  /// Records of a vdev that had no room, ever.
  uint64_t dropped(uint8_t vdev) const { return dropped_[vdev].get(); }

private:
  static constexpr uint32_t kWakeBytes = kBytes / 4;

  SpscBytes ring_;
  TapWake& wake_;
  std::atomic<uint32_t> vdev_mask_{0};
  std::atomic<uint32_t> snap_bytes_{0};
  std::array<Counter, kMaxVdevs + 1> dropped_;
  uint32_t begun_bytes_ = 0; // the producer's
  uint32_t since_wake_ = 0;  // bytes since the reader was last woken for their number
};

/// The two rings of a remote: what the link thread puts in, and what is put in under the send
/// mutex.
class Tap {
public:
  // The main thread.
  /// Rings are made when they are first wanted, and kept.
  void open(TapWake& wake, uint32_t vdev_mask, uint32_t snap_bytes);
  /// One record may still come of each.
  void close();
  TapRing* received_ring() { return received_.get(); }
  TapRing* sent_ring() { return sent_.get(); }

  // Producers: null when nobody captures.
  /// The link thread's.
  TapRing* received() const { return received_now_.load(std::memory_order_acquire); }
  /// Under the send mutex.
  TapRing* sent() const { return sent_now_.load(std::memory_order_acquire); }

private:
  std::unique_ptr<TapRing> received_;
  std::unique_ptr<TapRing> sent_;
  std::atomic<TapRing*> received_now_{nullptr};
  std::atomic<TapRing*> sent_now_{nullptr};
};

} // namespace rpmsg
