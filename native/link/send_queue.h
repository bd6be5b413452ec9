// SPDX-License-Identifier: Apache-2.0
// Sends that wait for a buffer or a credit on one vdev: first in, first out within a caller, taking
// turns between callers. Everything under the remote's send mutex; every step is bounded and none
// allocates: entries come from the main thread and go back to a pool.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"

namespace rpmsg {

struct Endpoint;
class Vdev;

struct WaitingSend {
  Endpoint* endpoint = nullptr;
  uint32_t destination = 0;
  uint32_t caller = 0;
  uint32_t token = 0;
  uint32_t length_bytes = 0;
  uint64_t deadline_ns = 0;
  Errc result = Errc::ok;             // once it is over
  Vdev* vdev = nullptr;               // whose pool it goes back to
  WaitingSend* next = nullptr;        // of the same caller, or in the list of those that are over
  WaitingSend* next_caller = nullptr; // ring of callers, through their oldest entries
  WaitingSend* last = nullptr;        // in an oldest entry: the caller's newest
  std::unique_ptr<uint8_t[]> bytes;   // payload, capacity as the vdev's MTU
};

class SendQueue {
public:
  /// At most this many sends wait on one vdev, all callers together.
  static constexpr uint32_t kCapacity = 1024;

  SendQueue() = default;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;
  ~SendQueue();

  uint32_t size() const { return size_; }
  uint32_t callers() const { return callers_; }
  bool full() const { return size_ >= kCapacity; }
  bool has_caller(uint32_t caller) const { return find(caller) != nullptr; }

  /// A used entry from the pool, or null: then the main thread allocates one before it takes the
  /// mutex again.
  WaitingSend* take_pooled();
  void put_pooled(WaitingSend* entry);

  /// Behind everything its caller has waiting.
  void push(WaitingSend* entry);

  /// The next entry whose turn it is among those that `can_go` accepts, removed; null if none.
  template<class CanGo>
  WaitingSend* pop_next(CanGo can_go) {
    WaitingSend* before = newest_turn_;
    for (uint32_t i = 0; i < callers_; ++i, before = before->next_caller) {
      if (can_go(*before->next_caller)) return pop_after(before);
    }
    return nullptr;
  }

  /// Removes every entry that `is_over` accepts, passing each to `sink`. Linear in what waits.
  template<class IsOver, class Sink>
  void remove_if(IsOver is_over, Sink sink) {
    WaitingSend* all = detach_all(); // caller by caller
    WaitingSend* oldest = nullptr;   // of the caller whose entries come now
    while (all != nullptr) {
      WaitingSend* entry = all;
      all = entry->next;
      if (is_over(*entry)) {
        sink(entry);
        continue;
      }
      if (oldest != nullptr && oldest->caller != entry->caller) oldest = nullptr;
      append(entry, oldest);
      if (oldest == nullptr) oldest = entry;
    }
  }

  /// The earliest deadline, or kNever. Linear in what waits.
  uint64_t next_deadline() const;

private:
  WaitingSend* find(uint32_t caller) const;
  void append(WaitingSend* entry, WaitingSend* oldest);
  WaitingSend* pop_after(WaitingSend* before);
  WaitingSend* detach_all();

  // The ring of callers is entered through the caller that had its turn last.
  WaitingSend* newest_turn_ = nullptr;
  uint32_t callers_ = 0;
  uint32_t size_ = 0;
  WaitingSend* pool_ = nullptr;
};

} // namespace rpmsg
