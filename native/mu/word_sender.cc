// SPDX-License-Identifier: Apache-2.0
// The kick rules, and the round robin of words that found the transmit register full.
#include "mu/word_sender.h"

#include <bit>
#include <cassert>

namespace rpmsg {

WordSender::WordSender(Mu& mu, unsigned channel) : mu_(mu), channel_(channel) {}

void WordSender::reset() {
  is_held_ = false;
  is_heard_ = false;
  pending_ = 0;
  last_queue_ = kUnknown;
  words_at_reset_ = words_written_;
  // Written whatever we believe: a former process, or a reset of the MU, may have left it
  // otherwise.
  transmit_interrupt_ = false;
  mu_.set_transmit_interrupt(channel_, false);
}

Kick WordSender::kick(unsigned queue) {
  assert(queue < kMaxMuQueues);
  const uint32_t bit = 1u << queue;
  if (is_held_) {
    pending_ |= bit;
    return Kick::pending;
  }
  if (!mu_.transmit_empty(channel_)) {
    // Our word of this queue is still in TR, and every remote reads RR before it reads the ring. It
    // has not read RR yet, so its read of the ring comes after our index, which the caller's full
    // barrier put before the look at TE. A remote that looked at the ring first would break this
    // rule.
    if (last_queue_ == queue) return Kick::unneeded;
    pending_ |= bit;
    set_transmit_interrupt(true);
    return Kick::pending;
  }
  if (pending_ == 0) {
    write(queue);
    return Kick::written;
  }
  // Those that wait go first: a busy queue that finds TE set again and again must not starve them.
  pending_ |= bit;
  on_transmit_empty();
  return pending_ & bit ? Kick::pending : Kick::written;
}

void WordSender::kick_and_hear(unsigned queue) {
  (void)kick(queue);
  is_heard_ = true;
  on_transmit_empty();
}

void WordSender::mark_pending(uint32_t queue_mask) {
  assert((queue_mask >> kMaxMuQueues) == 0);
  pending_ |= queue_mask;
  on_transmit_empty();
}

void WordSender::hold(bool on) {
  is_held_ = on;
  on_transmit_empty();
}

void WordSender::on_transmit_empty() {
  if (is_held_) return set_transmit_interrupt(false);
  // Ends after kMaxMuQueues words even if the remote takes them as fast as they come.
  while (pending_ != 0 && mu_.transmit_empty(channel_)) {
    const uint32_t from_next = pending_ & (~0u << next_queue_);
    write(static_cast<unsigned>(std::countr_zero(from_next ? from_next : pending_)));
  }
  is_heard_ = is_heard_ && !mu_.transmit_empty(channel_);
  set_transmit_interrupt(pending_ != 0 || is_heard_);
}

bool WordSender::taken_since_reset() {
  const uint64_t written = words_written_ - words_at_reset_;
  // A second word is only ever written once the first was taken.
  return written > 1 || (written == 1 && mu_.transmit_empty(channel_));
}

void WordSender::write(unsigned queue) {
  mu_.transmit(channel_, queue << 16);
  pending_ &= ~(1u << queue);
  last_queue_ = queue;
  next_queue_ = (queue + 1) % kMaxMuQueues;
  words_written_++;
}

void WordSender::set_transmit_interrupt(bool on) {
  if (on == transmit_interrupt_) return;
  transmit_interrupt_ = on;
  mu_.set_transmit_interrupt(channel_, on);
}

} // namespace rpmsg
