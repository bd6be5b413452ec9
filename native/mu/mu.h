// SPDX-License-Identifier: Apache-2.0
// The driver of one Messaging Unit, our side of it: words, doorbells and flags of any generation
// over a RegisterWindow. It knows nothing of queues, threads or what a word means.
#pragma once

#include <cstdint>

#include "mu/mu_layout.h"
#include "mu/register_window.h"

namespace rpmsg {

/// The data channel of RPMsg words and the general interrupt "rxdb" (RPMsg-Lite RPMSG_MU_CHANNEL;
/// the mailbox cells <0 1>, <1 1> and <3 1> of Linux device trees).
inline constexpr unsigned kRpmsgMuChannel = 1;

/// No call blocks, spins or fails. The receive side touches status, RR and GIP only; the transmit
/// side touches status, TR and the control registers. So one thread may receive, without a lock,
/// while others transmit under one lock.
class Mu {
public:
  /// The window must outlive the Mu. Touches no register.
  Mu(RegisterWindow& registers, MuGeneration generation);
  Mu(const Mu&) = delete;
  Mu& operator=(const Mu&) = delete;

  /// Enables the interrupts of received words and of doorbells (bit n = channel n; by default
  /// kRpmsgMuChannel) and no other. Neither a waiting word nor a doorbell that rang before is lost:
  /// nothing is cleared, both raise the line. TIE is off afterwards (WordSender::reset follows). Fn
  /// is kept. Holds the transmit lock; may be called again.
  void open(uint8_t receive_channels = 1u << kRpmsgMuChannel,
            uint8_t doorbells = 1u << kRpmsgMuChannel);
  /// Masks every interrupt of this side; words, doorbells and flags stay. Holds the transmit lock.
  void close();

  // Receive side: the link thread, no lock.

  /// Takes the word that waits on a channel (0..3). Reading RR releases the remote that waits for
  /// TE.
  bool receive(unsigned channel, uint32_t& word);
  /// The doorbells pending, bit n = general interrupt n; none is acknowledged.
  uint8_t pending_doorbells();
  /// The doorbells pending, bit n = general interrupt n, acknowledged: a ring that comes after the
  /// look stays pending. Act on the result after this call, never before.
  uint8_t take_doorbells();
  /// Fn as the other side shows it, bits 2:0. There is no interrupt for it.
  uint8_t remote_flags();

  // Transmit side: the holder of the transmit lock.

  /// True when the last word on the channel was taken, so that transmit is allowed.
  bool transmit_empty(unsigned channel);
  /// Writes a word; only after transmit_empty. All memory written before by this thread is visible
  /// to the remote when it reads the word.
  void transmit(unsigned channel, uint32_t word);
  /// TIE. The line is level: leave it on only while there is a word to send, or it is a storm.
  void set_transmit_interrupt(unsigned channel, bool on);
  /// Rings the other side's general interrupt; one that still rings is not rung twice.
  void ring_doorbell(unsigned channel);
  /// The other side has not acknowledged our general interrupt yet.
  bool doorbell_rings(unsigned channel);
  /// Shows flags (bits 2:0) to the other side. False, and nothing changed, while an earlier update
  /// is still crossing (FUP): try again later.
  bool set_flags(uint8_t flags);

private:
  void modify(uint32_t offset, uint32_t clear, uint32_t set);

  RegisterWindow& registers_;
  const MuLayout& layout_;
};

} // namespace rpmsg
