// SPDX-License-Identifier: Apache-2.0
#include "link/send_queue.h"

#include <algorithm>

#include "base/clock.h"

namespace rpmsg {

SendQueue::~SendQueue() {
  put_pooled(detach_all());
  while (pool_ != nullptr) {
    std::unique_ptr<WaitingSend> entry(pool_);
    pool_ = entry->next;
  }
}

WaitingSend* SendQueue::take_pooled() {
  WaitingSend* entry = pool_;
  if (entry != nullptr) pool_ = entry->next;
  return entry;
}

void SendQueue::put_pooled(WaitingSend* entry) {
  while (entry != nullptr) {
    WaitingSend* next = entry->next;
    entry->next = pool_;
    pool_ = entry;
    entry = next;
  }
}

void SendQueue::push(WaitingSend* entry) {
  append(entry, find(entry->caller));
}

// `oldest` is the caller's, null for a caller that has nothing waiting.
void SendQueue::append(WaitingSend* entry, WaitingSend* oldest) {
  entry->next = nullptr;
  ++size_;
  if (oldest != nullptr) {
    oldest->last->next = entry;
    oldest->last = entry;
    return;
  }
  entry->last = entry;
  ++callers_;
  if (newest_turn_ == nullptr) {
    entry->next_caller = entry;
  } else {
    entry->next_caller = newest_turn_->next_caller;
    newest_turn_->next_caller = entry;
  }
  newest_turn_ = entry; // a new caller's turn comes after everybody else's
}

WaitingSend* SendQueue::find(uint32_t caller) const {
  WaitingSend* oldest = newest_turn_;
  for (uint32_t i = 0; i < callers_; ++i, oldest = oldest->next_caller) {
    if (oldest->caller == caller) return oldest;
  }
  return nullptr;
}

WaitingSend* SendQueue::pop_after(WaitingSend* before) {
  WaitingSend* entry = before->next_caller;
  WaitingSend* successor = entry->next;
  if (successor != nullptr) {
    successor->last = entry->last;
    successor->next_caller = entry->next_caller == entry ? successor : entry->next_caller;
    if (before != entry) before->next_caller = successor;
    newest_turn_ = successor;
  } else {
    --callers_;
    before->next_caller = entry->next_caller;
    newest_turn_ = callers_ == 0 ? nullptr : before;
  }
  --size_;
  entry->next = nullptr;
  return entry;
}

WaitingSend* SendQueue::detach_all() {
  WaitingSend* head = nullptr;
  WaitingSend** tail = &head;
  // From the caller whose turn is next, so that pushing them back keeps the order of turns.
  WaitingSend* oldest = newest_turn_ == nullptr ? nullptr : newest_turn_->next_caller;
  for (uint32_t i = 0; i < callers_ && oldest != nullptr; ++i) {
    WaitingSend* const following = oldest->next_caller;
    *tail = oldest;
    tail = &oldest->last->next;
    oldest = following;
  }
  newest_turn_ = nullptr;
  callers_ = 0;
  size_ = 0;
  return head;
}

uint64_t SendQueue::next_deadline() const {
  uint64_t earliest = kNever;
  const WaitingSend* oldest = newest_turn_;
  for (uint32_t i = 0; i < callers_ && oldest != nullptr; ++i, oldest = oldest->next_caller) {
    for (const WaitingSend* entry = oldest; entry != nullptr; entry = entry->next) {
      earliest = std::min(earliest, entry->deadline_ns);
    }
  }
  return earliest;
}

} // namespace rpmsg
