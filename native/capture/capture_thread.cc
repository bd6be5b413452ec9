// SPDX-License-Identifier: Apache-2.0
// The capture thread: takes records out of the taps' rings in the order of their times and gives
// them to every client. It looks a hundred times a second while there is traffic, sooner where a
// ring fills up, and sleeps without any.
#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>

#include "base/clock.h"
#include "capture/capture.h"

namespace rpmsg {

namespace {

constexpr int kTickMs = 10;
// How long the end of all captures may wait for those who have not read what went before.
constexpr uint64_t kLastWordMs = 100;

const TapRecord& first_record(std::span<const uint8_t> run) {
  return *reinterpret_cast<const TapRecord*>(run.data());
}

} // namespace

void Capture::run() {
  // A pipe whose reader is gone is an error of write(), and signals are the main thread's.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  pthread_setname_np(pthread_self(), "rpmsg-capture");
  while (!stopping_.load(std::memory_order_relaxed)) {
    // In this order, so that a client misses nothing of what passes after it was told that it is
    // one.
    const uint64_t until_ns = monotonic_ns();
    welcome();
    const bool found = drain(until_ns);
    settle(false);
    sleep(found);
  }
  welcome();
  (void)drain(kNever);
  settle(true);
  wait_for_room();
  settle(false);
  clients_.clear();
}

void Capture::welcome() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& client : arrivals_) {
    for (const CapturePlace& place : client->request().places) {
      Tap& tap = link_.tap(place.remote);
      // The sent ring second: what an answer answers is seen when the answer is.
      add_source(place.remote, tap.received_ring(), false);
      add_source(place.remote, tap.sent_ring(), false);
    }
    clients_.push_back(std::move(client));
  }
  arrivals_.clear();
}

/// A ring that was there before has dropped what nobody here asks for; else it was made for this.
void Capture::add_source(uint32_t remote, TapRing* ring, bool was_there) {
  const bool is_known = std::any_of(sources_.begin(), sources_.end(),
                                    [&](const Source& source) { return source.ring == ring; });
  if (is_known) return;
  Source source{remote, ring, {}, {}};
  for (uint8_t vdev = 0; was_there && vdev <= kWholeRemote; ++vdev)
    source.accounted[vdev] = ring->dropped(vdev);
  sources_.push_back(source);
}

/// The ring whose next record is the oldest of all, not younger than `until_ns`; or null.
Capture::Source* Capture::oldest(uint64_t until_ns) {
  Source* found = nullptr;
  for (Source& source : sources_) {
    if (source.run.empty()) source.run = source.ring->records().readable();
    if (source.run.empty()) continue;
    const uint64_t time_ns = first_record(source.run).time_ns;
    if (time_ns > until_ns) continue;
    if (found == nullptr || time_ns < first_record(found->run).time_ns) found = &source;
  }
  return found;
}

bool Capture::drain(uint64_t until_ns) {
  bool found = false;
  while (Source* const source = oldest(until_ns)) {
    found = true;
    const TapRecord& record = first_record(source->run);
    uint64_t& accounted = source->accounted[record.vdev];
    const uint64_t lost = record.dropped > accounted ? record.dropped - accounted : 0;
    accounted += lost;
    for (auto& client : clients_)
      client->take(source->remote, record, source->run.subspan(sizeof record, record.data_bytes),
                   lost);
    const uint32_t bytes = record.bytes;
    source->run = source->run.subspan(bytes);
    source->ring->records().consume(bytes);
  }
  for (Source& source : sources_)
    account(source);
  return found;
}

/// What a ring had no room for and was followed by nothing.
void Capture::account(Source& source) {
  for (uint8_t vdev = 0; vdev <= kWholeRemote; ++vdev) {
    const uint64_t dropped = source.ring->dropped(vdev);
    if (!source.run.empty() || dropped <= source.accounted[vdev]) continue;
    for (auto& client : clients_)
      client->lose(source.remote, vdev, dropped - source.accounted[vdev]);
    source.accounted[vdev] = dropped;
  }
}

void Capture::settle(bool is_last) {
  const uint64_t now_ns = monotonic_ns();
  std::vector<uint32_t> over;
  for (auto& client : clients_) {
    client->settle(now_ns, is_last);
    if (client->is_over()) over.push_back(client->id());
  }
  if (over.empty()) return;
  std::erase_if(clients_, [](const auto& client) { return client->is_over(); });
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_.insert(over_.end(), over.begin(), over.end());
  }
  wake_();
}

/// A moment for readers who are only late.
void Capture::wait_for_room() {
  const uint64_t until_ns = monotonic_ns() + kLastWordMs * kNsPerMs;
  for (const auto& client : clients_) {
    const uint64_t now_ns = monotonic_ns();
    if (!client->has_pending() || now_ns >= until_ns) continue;
    pollfd room{client->fd(), POLLOUT, 0};
    (void)poll(&room, 1, static_cast<int>((until_ns - now_ns) / kNsPerMs));
  }
}

void Capture::sleep(bool is_busy) {
  std::vector<pollfd> watched{{tap_wake_.fd(), POLLIN, 0}};
  for (const auto& client : clients_) {
    const auto events = static_cast<short>(client->has_pending() ? POLLOUT : 0);
    watched.push_back({client->fd(), events, 0});
  }
  int timeout_ms = kTickMs;
  if (!is_busy) {
    tap_wake_.expect_any();
    timeout_ms = oldest(kNever) == nullptr ? -1 : 0;
  }
  (void)poll(watched.data(), watched.size(), timeout_ms);
  tap_wake_.expect_none();
  if (watched[0].revents != 0) tap_wake_.drain();
  for (size_t i = 0; i < clients_.size(); ++i) {
    if ((watched[i + 1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) clients_[i]->end();
  }
}

} // namespace rpmsg
