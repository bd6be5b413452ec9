// SPDX-License-Identifier: Apache-2.0
// Tells the remote, through the one-deep transmit register of a MU, that a queue has something new:
// never a spin, never an interrupt storm, and no word where one on its way says the same.
#pragma once

#include <cstdint>

#include "mu/mu.h"

namespace rpmsg {

/// Eight vdevs of two queues; queue 2i is vdev i's vring0, 2i + 1 its vring1.
inline constexpr unsigned kMaxMuQueues = 16;

/// How a kick was served. In every case the remote has been told, or will be without the caller.
enum class Kick : uint8_t {
  written,  // the word is in TR
  unneeded, // a word of this queue waits in TR, and the remote looks at the ring after it takes it
  pending,  // TR holds another queue's word: ours follows it, at the TX-empty interrupt
};

/// All calls under the MU's transmit lock, bounded and without blocking. Words are queue << 16
/// (RPMsg-Lite platform_notify). A word is never written while TE is 0.
class WordSender {
public:
  explicit WordSender(Mu& mu, unsigned channel = kRpmsgMuChannel);
  WordSender(const WordSender&) = delete;
  WordSender& operator=(const WordSender&) = delete;

  /// After Mu::open and at each reset of the remote: nothing pending, TIE off, and the last word
  /// counts as unknown. A word left in TR stays there: it is a hint, and the rings it points at are
  /// fresh.
  void reset();

  /// Tells the remote about a queue (below kMaxMuQueues). The caller has stored avail.idx and then
  /// executed a full barrier: without it "unneeded" could be wrong.
  Kick kick(unsigned queue);
  /// As kick(), and the TX-empty interrupt comes once the remote has taken what is in TR. A remote
  /// that serves a ring takes the next word when it is done with it: so whoever waits for buffers
  /// hears of them from one that need not say that it returned any (RPMsg-Lite).
  void kick_and_hear(unsigned queue);
  /// Adds queues (bit n = queue n) to those pending and sends what it can, e.g. every queue of a
  /// link that is taken over alive.
  void mark_pending(uint32_t queue_mask);
  /// The TX-empty interrupt, or any look at the MU: sends what is pending, round robin, as far as
  /// TE allows, and leaves TIE on exactly while something is pending.
  void on_transmit_empty();

  /// While held no word is written: kicks stay pending, TIE is off. Until hold(false) or reset().
  void hold(bool on);

  /// Queues whose word has not been written yet, bit n = queue n.
  uint32_t pending() const { return pending_; }
  /// A word of ours has not been taken yet (TE is 0). Reads a register.
  bool word_waiting() { return !mu_.transmit_empty(channel_); }
  /// The remote took a word that was written after the last reset(). Reads a register at most.
  bool taken_since_reset();
  /// Words written since construction.
  uint64_t words_written() const { return words_written_; }

private:
  void write(unsigned queue);
  void set_transmit_interrupt(bool on);

  static constexpr unsigned kUnknown = ~0u;

  Mu& mu_;
  unsigned channel_;
  uint32_t pending_ = 0;
  unsigned last_queue_ = kUnknown; // of the word last written, if this sender wrote it in this life
  unsigned next_queue_ = 0;        // where the round robin goes on
  bool transmit_interrupt_ = false;
  bool is_held_ = false;
  bool is_heard_ = false; // the interrupt is wanted although nothing is pending
  uint64_t words_written_ = 0;
  uint64_t words_at_reset_ = 0;
};

} // namespace rpmsg
