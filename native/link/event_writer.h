// SPDX-License-Identifier: Apache-2.0
// Writes event records for the main thread and wakes it once a batch. Link thread only.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "link/event.h"
#include "link/spsc_bytes.h"
#include "link/states.h"
#include "virtio/slot_arena.h"

namespace rpmsg {

class EventWriter {
public:
  /// Bytes that messages leave free, so that what answers the main thread's own requests (bounded
  /// by those) always finds room.
  static constexpr uint32_t kControlReserveBytes = 512 * 1024;
  /// Bytes that states leave free for the same reason: a remote can change them for ever.
  static constexpr uint32_t kAnswerReserveBytes = 256 * 1024;

  /// `wake` is called on the link thread, must not block, and makes the main thread drain the ring.
  EventWriter(SpscBytes& ring, std::function<void()> wake) : ring_(ring), wake_(std::move(wake)) {}

  /// False when there is no room now: the caller keeps what it has and tries after the next drain.
  bool remote_state(uint32_t remote, RemoteState state, uint32_t generation, std::string_view why);
  bool vdev_state(uint32_t remote, uint32_t vdev, VdevState state, std::string_view why);
  bool remote_ready(uint32_t remote, uint32_t generation, Evidence evidence);
  bool remote_reset(uint32_t remote, uint32_t generation, ResetCause cause, uint64_t time_ns);
  bool pair(EventKind kind, uint32_t first, uint32_t second, void* pointer = nullptr);
  bool stream_note(const StreamNoteEvent& event);
  bool stream_over(const StreamOverEvent& event);
  /// `payload_bytes` follow the RPMsg header in `slot_bytes`.
  bool message(uint32_t endpoint, const SlotRecord& record, const uint8_t* payload,
               uint32_t payload_bytes);

  /// Wakes the main thread if something was written since it was last woken and it has not begun to
  /// drain yet.
  void flush();
  /// Makes the next flush() wake the main thread although nothing was written.
  void nudge() { written_ = true; }
  /// The main thread, before it drains: what is written from here on wakes it again. An exchange,
  /// not a store: it sees everything that was written before the wake-up it takes back.
  void on_drain_begins() { (void)wake_pending_.exchange(false, std::memory_order_acq_rel); }

private:
  bool has_room_for_state() { return ring_.free_bytes() >= kAnswerReserveBytes; }
  template<class Record>
  bool put(Record record, EventKind kind, const void* tail, uint32_t tail_bytes);

  SpscBytes& ring_;
  std::function<void()> wake_;
  bool written_ = false;
  std::atomic<bool> wake_pending_{false};
};

} // namespace rpmsg
