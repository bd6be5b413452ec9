// SPDX-License-Identifier: Apache-2.0
#include "link/remote.h"

#include <algorithm>
#include <mutex>

#include "base/clock.h"

namespace rpmsg {

namespace {

using Lock = std::lock_guard<PiMutex>;

// Messages and words taken in one turn before the other remotes get theirs.
constexpr uint32_t kTurnBudget = 256;
// What a ready doorbell costs of it, and how many used TX buffers are taken at once.
constexpr uint32_t kDoorbellCost = 16;
constexpr uint32_t kReclaimBudget = 32;
// Taken from one vdev's ring before a new life begins: all that a usual ring can hold.
constexpr uint32_t kLastLook = 256;
constexpr uint64_t kFlagSampleWaitingNs = 1 * kNsPerMs;
constexpr uint64_t kFlagSampleNs = 1000 * kNsPerMs;
constexpr uint8_t kReadyDoorbell = 1u << kRpmsgMuChannel;

} // namespace

Remote::Remote(uint32_t index, const RemoteSetup& setup, std::unique_ptr<Platform> platform,
               SharedSpan table, StateBlock state, Delivery& delivery,
               const SpscQueue<Command>& commands)
    : index_(index), platform_(std::move(platform)),
      mu_(platform_->mu(), platform_->mu_generation()), words_(mu_), state_(std::move(state)),
      delivery_(delivery), receive_(delivery_, commands, tap_), sends_(mutex_, words_, tap_),
      streams_(sends_), table_(table, setup), trace_(*platform_, table_),
      life_(RemoteParts{index_, setup.ready_wait_ms, mutex_, mu_, words_, sends_, vdevs_,
                        state_.remote(), table_, delivery.events(), tap_}) {}

uint8_t Remote::status(const Vdev& vdev) const {
  return table_.status(vdev.index()).value_or(vdev.status());
}

SendOutcome Remote::send(Vdev& vdev, Endpoint& endpoint, const SendRequest& request) {
  SendOutcome outcome = sends_.send(vdev, endpoint, request);
  if (outcome.kind == SendOutcome::Kind::sent && watch_.arm()) outcome.wake_link_thread = true;
  return outcome;
}

void Remote::start(uint64_t now_ns) {
  {
    const Lock lock(mutex_);
    mu_.open();
  }
  life_.start(resume_, now_ns);
  if (!no_notices_.empty()) life_.restate(no_notices_.c_str());
  // Unconditionally, and before the first look: a dead owner may have left the line masked, and
  // what rang before we came is still pending.
  platform_->unmask_interrupt();
  uint32_t budget = kTurnBudget;
  drain_words(budget);
  // Evidence of a new life comes before anything is told or taken: a word would bring a remote that
  // started meanwhile up on the rings of its former life.
  sample_flags(now_ns);
  take_ready(budget, now_ns);
  life_.tell_taken_over();
  service(now_ns);
}

uint32_t Remote::first_generation() const {
  const RemoteRecord& record = state_.remote();
  if (resume_.kind != Resume::Kind::cold) return record.generation;
  return phase_of(record) == RemotePhase::resetting ? coming_generation(record)
                                                    : record.generation + 1;
}

void Remote::on_interrupt(uint64_t now_ns) {
  platform_->consume_interrupt();
  is_masked_ = true;
  burst_.on_interrupt(now_ns);
  service(now_ns);
}

void Remote::continue_work(uint64_t now_ns) {
  service(now_ns);
}

// Like NAPI: masked until two looks found nothing and no burst is on, unmasked, one more look.
void Remote::service(uint64_t now_ns) {
  if (is_gone_) return;
  service_ns_ = now_ns;
  uint32_t budget = kTurnBudget;
  (void)look_twice(budget, now_ns);
  if (budget > 0 && is_masked_ && !burst_.is_on(monotonic_ns())) {
    is_masked_ = false;
    platform_->unmask_interrupt();
    look(budget, now_ns);
  }
  sample_flags(now_ns);
  // A remote rings before it uses a ring. Looked at once more, after the last ring was: else a life
  // that began meanwhile would count as the use of the former, and its doorbell, found later, would
  // end it.
  take_ready(budget, now_ns);
  more_ = budget == 0 || is_masked_;
  looks_on_ = budget > 0 && is_masked_;
  life_.on_progress(now_ns);
}

bool Remote::take_ready(uint32_t& budget, uint64_t now_ns) {
  if ((mu_.pending_doorbells() & kReadyDoorbell) == 0) return false;
  const uint32_t generation = life_.generation();
  // Once acknowledged the doorbell cannot be seen again: if it ends a life, that is stored before.
  life_.expect_ready_doorbell();
  (void)mu_.take_doorbells();
  reap_last();
  life_.on_ready_doorbell(now_ns);
  // A new life zeroes and refills every ring: enough for one turn.
  const bool is_new_life = life_.generation() != generation;
  budget = is_new_life ? 0 : budget - std::min(budget, kDoorbellCost);
  return true;
}

bool Remote::look(uint32_t& budget, uint64_t now_ns) {
  bool found = drain_words(budget);
  found = take_ready(budget, now_ns) || found;
  const size_t count = vdevs_.size();
  bool reaped = false;
  for (size_t i = 0; life_.offered() && budget > 0 && i < count; ++i)
    reaped = reap(*vdevs_[(first_vdev_ + i) % count], budget) || reaped;
  first_vdev_ = first_vdev_ + 1 < count ? first_vdev_ + 1 : 0;
  drain_words(budget); // frees a remote that spins, before anything that may take longer
  if (reaped) last_reaped_ns_ = monotonic_ns();
  if (undelivered_ == 0 || !may_gather()) found = deliver_streams(budget) || found;
  drain_words(budget); // and again before the mutex is waited for
  return serve_transmit(budget) || found || reaped;
}

/// What a life that is over left in the rings: received by it, and delivered as its own.
void Remote::reap_last() {
  if (!life_.offered()) return;
  for (auto& vdev : vdevs_) {
    for (uint32_t budget = kLastLook; budget > 0;) {
      if (!reap(*vdev, budget)) break;
    }
  }
}

bool Remote::serve_transmit(uint32_t& budget) {
  {
    const Lock lock(mutex_);
    words_.on_transmit_empty();
  }
  bool found = false;
  for (auto& vdev : vdevs_) {
    if (life_.offered() && vdev->state() != VdevState::faulted) {
      const uint32_t reclaimed = sends_.reclaim(*vdev, std::min(budget, kReclaimBudget));
      budget -= reclaimed;
      found = reclaimed > 0 || found;
    }
    found = serve_senders(*vdev, budget) || found;
  }
  return found;
}

/// Callers and streams that wait take turns: each gets its share of the buffers there are, and
/// whoever is first gets the one that is left over.
bool Remote::serve_senders(Vdev& vdev, uint32_t& budget) {
  if (!StreamService::is_waiting(vdev)) {
    (void)streams_.collect(vdev, life_.generation(), budget, service_ns_); // none waits any more
    return sends_.pump(vdev);
  }
  const uint32_t streams = std::max(1u, vdev.streams().with_packets.size()); // or what a death left
  const SendPath::Share share = sends_.share(vdev, streams);
  const bool callers_first =
      share.callers > 0 && turn_++ % (share.callers + streams) < share.callers;
  bool found = callers_first && sends_.pump(vdev, share.callers * share.buffers);
  const uint32_t moved = streams_.collect(vdev, life_.generation(), budget, service_ns_);
  budget -= std::min(budget, moved);
  if (share.callers > 0 && !callers_first) {
    found = sends_.pump(vdev, share.callers * share.buffers) || found;
  }
  return moved > 0 || found;
}

void Remote::sample_flags(uint64_t now_ns) {
  next_flag_sample_ns_ = now_ns + (life_.offered() ? kFlagSampleNs : kFlagSampleWaitingNs);
  life_.on_flags(mu_.remote_flags(), now_ns);
  life_.look_at_table(now_ns);
}

void Remote::on_timer(uint64_t now_ns) {
  if (is_gone_) return;
  if (next_flag_sample_ns_ <= now_ns) sample_flags(now_ns);
  life_.on_timer(now_ns);
  for (auto& vdev : vdevs_)
    sends_.expire(*vdev, now_ns);
  service(now_ns);
}

void Remote::settle(uint64_t now_ns) {
  service_ns_ = now_ns;
  watch_.disarm();
  for (auto& vdev : vdevs_)
    streams_.begin_life(*vdev, life_.generation());
  bool has_new_fault = false;
  for (auto& vdev : vdevs_) {
    if (is_gone_ || !life_.offered() || life_.is_quiet() || vdev->state() == VdevState::faulted) {
      watch_.after_look(vdev->index(), false, false, 0, now_ns);
      continue;
    }
    if (vdev->is_lossless()) give_back_empties(*vdev); // slots were released
    uint32_t budget = kReclaimBudget;
    more_ = serve_senders(*vdev, budget) || more_;
    more_ = streams_.looks_on(*vdev) || more_;
    sends_.reclaim(*vdev, kReclaimBudget);
    if (vdev->streams().is_short || sends_.share(*vdev, 0).callers > 0) {
      sends_.await_buffers(*vdev);
    }
    const Lock lock(mutex_);
    has_new_fault = vdev->tx().poisoned() || has_new_fault; // we or a sender came upon it
    const bool is_wanted = vdev->waiting().size() > 0 || StreamService::is_waiting(*vdev);
    if (watch_.after_look(vdev->index(), is_wanted, vdev->tx().in_flight() > 0,
                          vdev->tx().used_position(), now_ns)) {
      words_.kick(vdev->tx_queue_id());
    }
  }
  if (!watch_.is_idle()) watch_.arm(); // we look by ourselves
  if (has_new_fault) life_.on_progress(now_ns);
}

bool Remote::report() {
  EventWriter& events = delivery_.events();
  bool told = life_.report();
  if (is_gone_unreported_) is_gone_unreported_ = !events.pair(EventKind::board_gone, index_, 0);
  told = told && !is_gone_unreported_;
  for (auto& vdev : vdevs_)
    told = StreamService::report(events, *vdev) && told;
  told = streams_.report_ends(delivery_) && told;
  return sends_.report(events) && told;
}

uint64_t Remote::next_deadline(uint64_t) {
  if (is_gone_) return kNever;
  uint64_t earliest = std::min(
      {next_flag_sample_ns_, life_.next_deadline(), watch_.next_look(), streams_.next_deadline()});
  for (auto& vdev : vdevs_)
    earliest = std::min(earliest, sends_.next_deadline(*vdev));
  return earliest;
}

void Remote::open_stream(Stream& stream, uint64_t tag) {
  if (stream.options.reads) delivery_.take_back(stream.endpoint, stream.first_seq);
  streams_.open(stream, tag, life_.generation());
  more_ = true;
}

void Remote::close_stream(Endpoint& endpoint) {
  if (endpoint.stream == nullptr) return;
  streams_.close(*endpoint.stream, life_.generation());
}

void Remote::set_stream_peer(Endpoint& endpoint, uint32_t address, uint32_t generation) {
  if (endpoint.stream == nullptr || generation < life_.generation()) return;
  streams_.set_peer(*endpoint.stream, address);
  more_ = true;
}

void Remote::on_stream(Stream& stream, uint32_t events) {
  streams_.on_socket(stream, events);
  more_ = true;
}

void Remote::close_endpoint(Endpoint& endpoint) {
  close_stream(endpoint);
  sends_.fail_endpoint(endpoint.vdev, endpoint, Errc::no_such_endpoint);
  endpoint.vdev.addresses().erase(endpoint.local);
  delivery_.close(endpoint);
}

void Remote::cancel_caller(uint32_t caller) {
  for (auto& vdev : vdevs_)
    sends_.cancel_caller(*vdev, caller);
}

void Remote::reinitialize(uint64_t now_ns) {
  if (is_gone_) return;
  life_.reinitialize(now_ns);
  service(now_ns);
}

void Remote::set_notices(ResetNotices* notices, std::string why_not) {
  life_.set_notices(notices);
  no_notices_ = std::move(why_not);
}

void Remote::on_no_notices(const char* reason, uint64_t now_ns) {
  if (!is_gone_) life_.on_no_notices(reason, now_ns);
}

void Remote::on_status(const ResetStatus& status, uint64_t now_ns) {
  if (is_gone_) return;
  if (status.rebooted) reap_last();
  life_.on_status(status, now_ns);
}

void Remote::on_board_gone() {
  is_gone_ = true;
  is_gone_unreported_ = true;
  more_ = looks_on_ = false;
  life_.on_board_gone();
}

void Remote::stop() {
  for (auto& vdev : vdevs_)
    streams_.stop(*vdev);
  if (is_gone_) return;
  for (auto& vdev : vdevs_) {
    streams_.tell_remote(*vdev);
    vdev->rx().set_interrupts(false);
    const Lock lock(mutex_);
    vdev->tx().set_interrupts(false);
  }
  const Lock lock(mutex_);
  mu_.close();
}

} // namespace rpmsg
