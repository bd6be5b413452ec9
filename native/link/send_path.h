// SPDX-License-Identifier: Apache-2.0
// From a payload into the ring, and the remote told. The mutex of the remote covers vring1, TR and
// CR and is held for one descriptor at most, so that nobody who sends delays the link thread; where
// sends are forgotten, for a walk over those that wait, SendQueue::kCapacity at most.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "link/endpoint.h"
#include "link/event_writer.h"
#include "link/pi_mutex.h"
#include "link/send_queue.h"
#include "link/tap.h"
#include "link/vdev.h"
#include "mu/word_sender.h"

namespace rpmsg {

struct SendRequest {
  uint32_t destination = 0;
  std::span<const uint8_t> payload;
  uint32_t caller = 0;
  uint32_t token = 0;
  uint64_t deadline_ns = 0; // 0: would_block instead of waiting
};

struct SendOutcome {
  enum class Kind : uint8_t { sent, queued, failed } kind = Kind::failed;
  Errc error = Errc::ok;
  bool wake_link_thread = false;
};

class SendPath {
public:
  SendPath(PiMutex& mutex, WordSender& words, const Tap& tap)
      : mutex_(mutex), words_(words), tap_(tap) {}
  SendPath(const SendPath&) = delete;
  SendPath& operator=(const SendPath&) = delete;
  ~SendPath();

  /// Any thread but the link thread. Never blocks on the remote. A full ring, a used-up credit or
  /// somebody who waits already make it wait its turn or fail with would_block.
  SendOutcome send(Vdev& vdev, Endpoint& endpoint, const SendRequest& request);
  /// Forgets what waits of a caller, unreported. Any thread but the link thread, which may find a
  /// free buffer before it is told, and send for somebody of whom everybody knows that he is gone.
  void cancel_caller(Vdev& vdev, uint32_t caller);

  // The link thread's.

  struct Reserved {
    uint32_t buffers = 0;
    bool is_short = false;  // none, for want of a buffer and not of a credit
    bool is_closed = false; // none, as nothing can be sent now
  };
  /// Sets up to `wanted` idle buffers aside, within the endpoint's credit; none while the vdev
  /// cannot be sent to. Before a packet leaves its socket, so that it has a place. Ends with
  /// unreserve().
  Reserved reserve(Vdev& vdev, Endpoint& endpoint, uint32_t wanted);
  /// Posts into one of them, or gives it up: false when the queue is poisoned. Without a kick.
  bool post_reserved(Vdev& vdev, Endpoint& endpoint, uint32_t destination,
                     std::span<const uint8_t> payload, NumberUpdate also);
  /// Gives up those that were not posted into.
  void unreserve(Vdev& vdev, uint32_t buffers);
  /// Tells the remote what was posted.
  void kick(Vdev& vdev);
  /// Asks a remote that has all the buffers there are, or all of somebody's credit, to let us know
  /// when it is done with some. Not again before it has taken some, but for once: the first word
  /// may have been taken just before it began.
  void await_buffers(Vdev& vdev);
  /// Whether a stream waits for a buffer: then no send goes past it.
  void set_streams_wait(Vdev& vdev, bool streams_wait);
  /// The open endpoint with this id, or null.
  Endpoint* find_sender(Vdev& vdev, uint32_t id);
  struct Share {
    uint32_t callers; // whose sends wait
    uint32_t buffers; // for each of them and of the streams, at least 1
  };
  /// How the buffers that are idle now are shared between those who wait for one.
  Share share(Vdev& vdev, uint32_t streams);

  /// Takes used TX buffers, at most `limit`; how many, and credits go back to their endpoints.
  uint32_t reclaim(Vdev& vdev, uint32_t limit);
  /// Posts what waits and may go, `limit` messages at most, one descriptor a turn of the mutex;
  /// true if anything was posted.
  bool pump(Vdev& vdev, uint32_t limit = UINT32_MAX);
  /// Ends the waiting sends whose deadline passed.
  void expire(Vdev& vdev, uint64_t now_ns);
  /// Ends all of them, or those of an endpoint.
  void fail_all(Vdev& vdev, Errc error);
  void fail_endpoint(Vdev& vdev, const Endpoint& endpoint, Errc error);
  /// Reports the sends that ended; false when the event ring has no room for all of them now.
  bool report(EventWriter& events);
  /// The earliest deadline of a waiting send on this vdev, or kNever.
  uint64_t next_deadline(Vdev& vdev);

private:
  bool has_credit(Vdev& vdev, Endpoint& endpoint);
  bool reclaim_one(Vdev& vdev);
  void post(Vdev& vdev, Endpoint& endpoint, uint32_t destination, std::span<const uint8_t> payload);
  bool put(Vdev& vdev, Endpoint& endpoint, uint32_t destination, std::span<const uint8_t> payload,
           NumberUpdate also);
  void kick_locked(Vdev& vdev);
  bool may_go_now(Vdev& vdev, Endpoint& endpoint, uint32_t caller);
  void end(Vdev& vdev, WaitingSend* entry, Errc result);
  SendOutcome enqueue(Vdev& vdev, Endpoint& endpoint, const SendRequest& request,
                      WaitingSend* spare);

  PiMutex& mutex_;
  WordSender& words_;
  const Tap& tap_;
  WaitingSend* ended_first_ = nullptr; // under the mutex, until reported
  WaitingSend* ended_last_ = nullptr;
};

} // namespace rpmsg
