// SPDX-License-Identifier: Apache-2.0
#include "link/send_path.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "base/clock.h"
#include "rpmsg/rpmsg_header.h"

namespace rpmsg {

namespace {

using Lock = std::lock_guard<PiMutex>;

SendOutcome failed(Errc error) {
  return {SendOutcome::Kind::failed, error, false};
}

/// Idle and not set aside for a stream.
uint32_t idle_buffers(Vdev& vdev) {
  return vdev.tx().idle_buffers() - vdev.tx_reserved;
}

Errc refusal(Vdev& vdev) {
  if (vdev.tx().poisoned() || vdev.state() == VdevState::faulted) return Errc::peer_fault;
  return vdev.is_quiet || vdev.state() == VdevState::down ? Errc::remote_down : Errc::ok;
}

} // namespace

SendPath::~SendPath() {
  while (ended_first_ != nullptr) {
    const std::unique_ptr<WaitingSend> entry(ended_first_);
    ended_first_ = entry->next;
  }
}

bool SendPath::has_credit(Vdev& vdev, Endpoint& endpoint) {
  if (endpoint.tx_life != vdev.tx_life) {
    endpoint.tx_life = vdev.tx_life;
    endpoint.tx_in_flight = 0;
  }
  return endpoint.tx_in_flight < endpoint.tx_credits;
}

bool SendPath::reclaim_one(Vdev& vdev) {
  UsedBuffer used;
  if (vdev.tx().peek(used) != DriverQueue::Peek::ready) return false;
  vdev.tx().take(used);
  Endpoint* const owner = vdev.senders().find(used.owner);
  if (owner != nullptr && owner->tx_life == vdev.tx_life && owner->tx_in_flight > 0) {
    --owner->tx_in_flight;
  }
  return true;
}

bool SendPath::put(Vdev& vdev, Endpoint& endpoint, uint32_t destination,
                   std::span<const uint8_t> payload, NumberUpdate also) {
  RpmsgHeader header;
  header.source = endpoint.local;
  header.destination = destination;
  header.length = static_cast<uint16_t>(payload.size());
  std::array<uint8_t, kHeaderBytes> head;
  encode_header(header, head);
  // Before it is posted: the answer may come before we are back. Under the mutex nothing but a
  // broken ring, which is known, keeps it from being posted.
  if (TapRing* const ring = tap_.sent(); ring != nullptr && !vdev.tx().poisoned()) {
    TapRecord tapped;
    tapped.kind = TapKind::sent;
    tapped.vdev = static_cast<uint8_t>(vdev.index());
    tapped.original_bytes = static_cast<uint32_t>(kHeaderBytes + payload.size());
    tapped.time_ns = monotonic_ns();
    ring->put(tapped, head, payload);
  }
  if (!vdev.tx().post_message(head, payload, endpoint.id, also)) return false;
  ++endpoint.tx_in_flight;
  endpoint.counters.tx_messages.add();
  endpoint.counters.tx_bytes.add(payload.size());
  vdev.counters().tx_messages.add();
  vdev.counters().tx_bytes.add(payload.size());
  return true;
}

void SendPath::post(Vdev& vdev, Endpoint& endpoint, uint32_t destination,
                    std::span<const uint8_t> payload) {
  if (put(vdev, endpoint, destination, payload, {})) kick_locked(vdev);
}

void SendPath::kick_locked(Vdev& vdev) {
  // post_message() ended with the full barrier that the kick rules ask for.
  if (!vdev.tx().remote_wants_kick()) return;
  if (words_.kick(vdev.tx_queue_id()) != Kick::unneeded) vdev.counters().tx_words.add();
}

bool SendPath::may_go_now(Vdev& vdev, Endpoint& endpoint, uint32_t caller) {
  SendQueue& waiting = vdev.waiting();
  if (vdev.streams_wait) return false;
  if (waiting.size() > 0) {
    // Nobody barges, except past those who wait for their own endpoint's credit and could not use
    // the buffer; and never past one's own.
    if (!vdev.waiting_for_credit_only || endpoint.tx_waiting > 0 || waiting.has_caller(caller)) {
      return false;
    }
  }
  for (unsigned i = 0; i < 8; ++i) { // bounded; a credit may be any of the buffers returned
    if (idle_buffers(vdev) > 0 && has_credit(vdev, endpoint)) return true;
    if (!reclaim_one(vdev)) return false;
  }
  return idle_buffers(vdev) > 0 && has_credit(vdev, endpoint);
}

SendOutcome SendPath::send(Vdev& vdev, Endpoint& endpoint, const SendRequest& request) {
  if (request.payload.size() > vdev.mtu_bytes()) return failed(Errc::message_too_long);
  WaitingSend* spare = nullptr;
  {
    const Lock lock(mutex_);
    if (const Errc error = refusal(vdev); error != Errc::ok) return failed(error);
    if (may_go_now(vdev, endpoint, request.caller)) {
      post(vdev, endpoint, request.destination, request.payload);
      return {SendOutcome::Kind::sent, Errc::ok, false};
    }
    if (vdev.tx().poisoned()) return {SendOutcome::Kind::failed, Errc::peer_fault, true};
    if (request.deadline_ns == 0) return failed(Errc::would_block);
    if (vdev.waiting().full()) return failed(Errc::quota_exceeded);
    spare = vdev.waiting().take_pooled();
  }
  if (spare == nullptr) { // allocated outside the mutex, then reused for good
    spare = new WaitingSend;
    spare->bytes = std::make_unique<uint8_t[]>(vdev.mtu_bytes());
  }
  return enqueue(vdev, endpoint, request, spare);
}

SendOutcome SendPath::enqueue(Vdev& vdev, Endpoint& endpoint, const SendRequest& request,
                              WaitingSend* spare) {
  spare->endpoint = &endpoint;
  spare->destination = request.destination;
  spare->caller = request.caller;
  spare->token = request.token;
  spare->deadline_ns = request.deadline_ns;
  spare->length_bytes = static_cast<uint32_t>(request.payload.size());
  if (spare->length_bytes > 0) {
    const uint8_t* from = request.payload.data();
    std::memcpy(spare->bytes.get(), from, spare->length_bytes); // private memory
  }
  const Lock lock(mutex_);
  // The life may have ended while the mutex was free: then nobody would ever post this.
  if (const Errc error = refusal(vdev); error != Errc::ok) {
    spare->next = nullptr;
    vdev.waiting().put_pooled(spare);
    return failed(error == Errc::remote_down ? Errc::remote_reset : error);
  }
  vdev.waiting().push(spare);
  vdev.waiting_for_credit_only = false; // until the link thread has looked
  ++endpoint.tx_waiting;
  vdev.counters().tx_waits.add();
  return {SendOutcome::Kind::queued, Errc::ok, true};
}

uint32_t SendPath::reclaim(Vdev& vdev, uint32_t limit) {
  uint32_t reclaimed = 0;
  while (reclaimed < limit) {
    const Lock lock(mutex_);
    if (!reclaim_one(vdev)) break;
    ++reclaimed;
  }
  return reclaimed;
}

bool SendPath::pump(Vdev& vdev, uint32_t limit) {
  bool posted = false;
  for (; limit > 0; --limit) {
    const Lock lock(mutex_);
    if (vdev.waiting().size() == 0 || refusal(vdev) != Errc::ok) return posted;
    if (idle_buffers(vdev) == 0) {
      vdev.waiting_for_credit_only = false;
      return posted;
    }
    WaitingSend* entry = vdev.waiting().pop_next(
        [&](const WaitingSend& next) { return has_credit(vdev, *next.endpoint); });
    if (entry == nullptr) {
      vdev.waiting_for_credit_only = true;
      return posted;
    }
    post(vdev, *entry->endpoint, entry->destination,
         std::span<const uint8_t>(entry->bytes.get(), entry->length_bytes));
    end(vdev, entry, Errc::ok);
    posted = true;
  }
  return posted;
}

SendPath::Reserved SendPath::reserve(Vdev& vdev, Endpoint& endpoint, uint32_t wanted) {
  const Lock lock(mutex_);
  if (refusal(vdev) != Errc::ok) return {0, false, true};
  const uint32_t idle = idle_buffers(vdev);
  if (idle == 0) return {0, true, false};
  if (!has_credit(vdev, endpoint)) return {};
  const uint32_t credit = endpoint.tx_credits - endpoint.tx_in_flight;
  const uint32_t buffers = std::min({wanted, idle, credit});
  vdev.tx_reserved += buffers;
  return {buffers, false, false};
}

bool SendPath::post_reserved(Vdev& vdev, Endpoint& endpoint, uint32_t destination,
                             std::span<const uint8_t> payload, NumberUpdate also) {
  const Lock lock(mutex_);
  --vdev.tx_reserved;
  return put(vdev, endpoint, destination, payload, also);
}

void SendPath::unreserve(Vdev& vdev, uint32_t buffers) {
  const Lock lock(mutex_);
  vdev.tx_reserved -= buffers;
}

void SendPath::kick(Vdev& vdev) {
  const Lock lock(mutex_);
  kick_locked(vdev);
}

void SendPath::await_buffers(Vdev& vdev) {
  constexpr uint8_t kMostWords = 2;
  const Lock lock(mutex_);
  const uint64_t used = vdev.tx().used_position();
  if (vdev.awaited_from != used || vdev.awaited_life != vdev.tx_life) {
    vdev.awaited_from = used;
    vdev.awaited_life = vdev.tx_life;
    vdev.awaiting_words = 0;
  }
  if (vdev.awaiting_words == kMostWords) return;
  if (vdev.tx().in_flight() == 0 || !vdev.tx().remote_wants_kick()) return;
  ++vdev.awaiting_words;
  words_.kick_and_hear(vdev.tx_queue_id());
}

void SendPath::set_streams_wait(Vdev& vdev, bool streams_wait) {
  const Lock lock(mutex_);
  vdev.streams_wait = streams_wait;
}

Endpoint* SendPath::find_sender(Vdev& vdev, uint32_t id) {
  const Lock lock(mutex_);
  return vdev.senders().find(id);
}

SendPath::Share SendPath::share(Vdev& vdev, uint32_t streams) {
  const Lock lock(mutex_);
  const uint32_t callers = vdev.waiting().callers();
  return {callers, std::max(1u, idle_buffers(vdev) / std::max(1u, callers + streams))};
}

void SendPath::end(Vdev& vdev, WaitingSend* entry, Errc result) {
  --entry->endpoint->tx_waiting;
  entry->result = result;
  entry->endpoint = nullptr;
  entry->vdev = &vdev;
  entry->next = nullptr;
  (ended_first_ == nullptr ? ended_first_ : ended_last_->next) = entry;
  ended_last_ = entry;
}

void SendPath::expire(Vdev& vdev, uint64_t now_ns) {
  const Lock lock(mutex_);
  if (vdev.waiting().next_deadline() > now_ns) return;
  vdev.waiting().remove_if([&](const WaitingSend& entry) { return entry.deadline_ns <= now_ns; },
                           [&](WaitingSend* entry) {
                             vdev.counters().tx_timeouts.add();
                             end(vdev, entry, Errc::timed_out);
                           });
}

void SendPath::fail_all(Vdev& vdev, Errc error) {
  const Lock lock(mutex_);
  vdev.waiting().remove_if([](const WaitingSend&) { return true; },
                           [&](WaitingSend* entry) { end(vdev, entry, error); });
}

void SendPath::fail_endpoint(Vdev& vdev, const Endpoint& endpoint, Errc error) {
  const Lock lock(mutex_);
  if (endpoint.tx_waiting == 0) return;
  vdev.waiting().remove_if([&](const WaitingSend& entry) { return entry.endpoint == &endpoint; },
                           [&](WaitingSend* entry) { end(vdev, entry, error); });
}

void SendPath::cancel_caller(Vdev& vdev, uint32_t caller) {
  const Lock lock(mutex_);
  if (!vdev.waiting().has_caller(caller)) return;
  vdev.waiting().remove_if([&](const WaitingSend& entry) { return entry.caller == caller; },
                           [&](WaitingSend* entry) {
                             --entry->endpoint->tx_waiting;
                             entry->next = nullptr;
                             vdev.waiting().put_pooled(entry);
                           });
}

bool SendPath::report(EventWriter& events) {
  for (;;) {
    const Lock lock(mutex_);
    WaitingSend* const entry = ended_first_;
    if (entry == nullptr) return true;
    if (!events.pair(EventKind::send_done, entry->token, static_cast<uint32_t>(entry->result))) {
      return false;
    }
    ended_first_ = entry->next;
    entry->next = nullptr;
    entry->vdev->waiting().put_pooled(entry);
  }
}

uint64_t SendPath::next_deadline(Vdev& vdev) {
  const Lock lock(mutex_);
  return vdev.waiting().next_deadline();
}

} // namespace rpmsg
