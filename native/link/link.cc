// SPDX-License-Identifier: Apache-2.0
#include "link/link.h"

#include <algorithm>
#include <mutex>

#include "base/clock.h"
#include "rpmsg/rpmsg_header.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

/// What a command owns that nobody will execute.
void discard(const Command& command) {
  delete command.table;
  delete command.addresses;
}

} // namespace

Link::Link(std::function<void()> wake, BoardChoice boards)
    : boards_(std::move(boards)), event_ring_(kEventBytes), events_(event_ring_, std::move(wake)),
      delivery_(events_), commands_(kCommands),
      thread_(std::make_unique<LinkThread>(remotes_, scus_, commands_, delivery_)) {}

Link::OpenedRemote Link::open_remote(const RemoteSetup& setup) {
  if (is_started_ || is_closed_) {
    OpenedRemote refused;
    refused.code = Errc::invalid_argument;
    refused.message = "remotes are opened before the link starts";
    return refused;
  }
  const auto index = static_cast<uint32_t>(remotes_.size());
  Remote::Opened opened = Remote::open(index, setup, boards_, delivery_, commands_);
  OpenedRemote result;
  result.index = index;
  result.code = opened.code;
  result.message = std::move(opened.message);
  if (!opened.remote) return result;
  result.ok = true;
  result.resume = opened.remote->resume().kind;
  result.reason = opened.remote->resume().reason;
  result.generation = opened.remote->first_generation();
  join_scu(setup, *opened.remote);
  remotes_.push_back(std::move(opened.remote));
  books_.resize(remotes_.size() * kMaxVdevs);
  for (uint32_t i = 0; i < setup.vdevs; ++i)
    reopen_endpoints(index, *vdev(index, i), result.endpoints);
  return result;
}

/// A board's System Controller is shared by the remotes on it. Without one the remote works all the
/// same: it says itself when it is ready.
void Link::join_scu(const RemoteSetup& setup, Remote& remote) {
  if (!BoardScu::is_on(remote.soc())) return;
  const std::string name = BoardChoice::scu_name(setup);
  if (name.empty()) return remote.set_notices(nullptr, "no notice of resets: no scu_mu_base");
  auto found = std::find_if(scus_.begin(), scus_.end(),
                            [&](const auto& scu) { return scu->name() == name; });
  if (found == scus_.end()) {
    OpenedPlatform opened = boards_.open_scu(setup);
    if (!opened.platform) {
      if (opened.error.is_absent) return;
      return remote.set_notices(nullptr, "no notice of resets: " + opened.error.message);
    }
    scus_.push_back(std::make_unique<BoardScu>(name, std::move(opened.platform),
                                               BoardChoice::scu_resource(setup)));
    found = scus_.end() - 1;
  }
  (*found)->add(remote, setup.core, setup.partition);
  remote.set_notices(found->get(), {});
}

Result<void> Link::start(int realtime_priority, uint32_t busy_poll_us) {
  if (is_started_ || is_closed_) return Error{Errc::invalid_argument, 0, "start the link", 0};
  auto started = thread_->start(realtime_priority, busy_poll_us);
  is_started_ = started.ok();
  return started;
}

Vdev* Link::vdev(uint32_t remote, uint32_t index) {
  if (remote >= remotes_.size() || index >= remotes_[remote]->vdevs().size()) return nullptr;
  return remotes_[remote]->vdevs()[index].get();
}

uint32_t Link::unused_messages(uint32_t remote, Vdev& vdev) {
  const std::lock_guard<PiMutex> lock(send_mutex(remote));
  return vdev.tx().unused_buffers();
}

Endpoint* Link::find(uint32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

const EndpointCounters* Link::endpoint_counters(uint32_t id) const {
  const Endpoint* endpoint = find(id);
  return endpoint == nullptr ? nullptr : &endpoint->counters;
}

void Link::make_room(uint32_t remote, uint32_t index, Vdev& target) {
  VdevBook& known = book(remote, index);
  if (known.addresses.size() < known.table_capacity) return;
  known.table_capacity *= 2;
  Command adopt;
  adopt.kind = CommandKind::adopt_table;
  adopt.remote = remote;
  adopt.vdev = index;
  adopt.table = new AddressTable(known.table_capacity);
  command(adopt);
  auto roomier = std::make_unique<AddressTable>(known.table_capacity);
  const std::lock_guard<PiMutex> lock(remotes_[remote]->send_mutex());
  roomier = target.adopt_senders(std::move(roomier));
}

Result<void> Link::open_endpoint(const EndpointSetup& setup) {
  Vdev* const target = vdev(setup.remote, setup.vdev);
  if (is_closed_) return Error{Errc::shutting_down, 0, "open an endpoint", setup.id};
  if (target == nullptr) return Error{Errc::invalid_argument, 0, "find vdev", setup.vdev};
  if (unclaimed_.count(setup.id) != 0) return claim(setup);
  if (setup.id == 0 || setup.local == kAnyAddress || setup.rx_queue < 1 || setup.rx_queue > 65536 ||
      setup.tx_credits < 1 || find(setup.id) != nullptr) {
    return Error{Errc::invalid_argument, 0, "open an endpoint", setup.id};
  }
  VdevBook& known = book(setup.remote, setup.vdev);
  if (known.addresses.count(setup.local) != 0) {
    return Error{Errc::address_in_use, 0, "bind address", setup.local};
  }
  EndpointRecord* const record = target->endpoints().add(setup.id, setup.local, setup.rx_queue,
                                                         setup.tx_credits, setup.next_seq);
  if (record == nullptr) return Error{Errc::quota_exceeded, 0, "open an endpoint", setup.id};
  make_room(setup.remote, setup.vdev, *target);
  known.addresses.insert(setup.local);
  const SlotQueue queue(target->arena(), queue_capacity(*target, setup.rx_queue));
  auto owned = std::make_unique<Endpoint>(*record, *target, queue, setup.next_seq);
  Endpoint* const endpoint = owned.get();
  endpoints_.emplace(endpoint, std::pair(setup.remote, std::move(owned)));
  by_id_.emplace(setup.id, endpoint);
  {
    const std::lock_guard<PiMutex> lock(remotes_[setup.remote]->send_mutex());
    target->senders().insert(setup.id, endpoint);
  }
  Command open;
  open.kind = CommandKind::open_endpoint;
  open.remote = setup.remote;
  open.endpoint = endpoint;
  command(open);
  return {};
}

void Link::close_endpoint(uint32_t id) {
  Endpoint* const endpoint = find(id);
  if (endpoint == nullptr || is_closed_) return;
  const uint32_t remote = endpoints_.at(endpoint).first;
  by_id_.erase(id);
  unclaimed_.erase(id);
  book(remote, endpoint->vdev.index()).addresses.erase(endpoint->local);
  {
    const std::lock_guard<PiMutex> lock(remotes_[remote]->send_mutex());
    endpoint->vdev.senders().erase(id);
  }
  if (const auto stream = unresumed_.find(id); stream != unresumed_.end()) {
    StreamState::forget(*stream->second);
    endpoint->vdev.stream_state().give_back(*stream->second);
    unresumed_.erase(stream);
  }
  Command close;
  close.kind = CommandKind::close_endpoint;
  close.remote = remote;
  close.endpoint = endpoint;
  command(close);
}

void Link::grant(uint32_t id, uint64_t limit_seq) {
  command_number(CommandKind::grant, id, limit_seq);
}

void Link::note_released(uint32_t id, uint64_t up_to_seq) {
  Endpoint* const endpoint = find(id);
  if (endpoint == nullptr || is_closed_) return;
  // Only what came out of the event ring can have been delivered.
  up_to_seq = std::min(up_to_seq, endpoint->seen_seq);
  if (up_to_seq > endpoint->record.released_seq) {
    persist_store(endpoint->record.released_seq, up_to_seq);
  }
}

void Link::release(uint32_t id, uint64_t up_to_seq) {
  // At once, so that a crash before the link thread frees the slots repeats nothing.
  note_released(id, up_to_seq);
  const Endpoint* const endpoint = find(id);
  if (endpoint == nullptr || is_closed_) return;
  command_number(CommandKind::release, id, std::min(up_to_seq, endpoint->seen_seq));
}

void Link::command_number(CommandKind kind, uint32_t id, uint64_t number) {
  Endpoint* const endpoint = find(id);
  if (endpoint == nullptr) return;
  Command about;
  about.kind = kind;
  about.remote = endpoints_.at(endpoint).first;
  about.endpoint = endpoint;
  about.number = number;
  command(about);
}

void Link::sync(uint32_t id, uint32_t tag) {
  Endpoint* const endpoint = find(id);
  if (endpoint == nullptr || is_closed_) return;
  auto owned = std::make_unique<SyncRequest>();
  owned->tag = tag;
  Command sync;
  sync.kind = CommandKind::sync;
  sync.remote = endpoints_.at(endpoint).first;
  sync.endpoint = endpoint;
  sync.sync = owned.get();
  syncs_.emplace(owned.get(), std::move(owned));
  command(sync);
}

SendOutcome Link::send(uint32_t id, uint32_t destination, std::span<const uint8_t> payload,
                       uint32_t caller, uint32_t timeout_ms, uint32_t token) {
  if (is_closed_) return {SendOutcome::Kind::failed, Errc::shutting_down, false};
  Endpoint* const endpoint = find(id);
  if (endpoint == nullptr) return {SendOutcome::Kind::failed, Errc::no_such_endpoint, false};
  flush_backlog(); // what was asked before may be what the answer needs
  if (destination == kAnyAddress) return {SendOutcome::Kind::failed, Errc::not_connected, false};
  SendRequest request;
  request.destination = destination;
  request.payload = payload;
  request.caller = caller;
  request.token = token;
  if (timeout_ms > 0) request.deadline_ns = monotonic_ns() + timeout_ms * kNsPerMs;
  Remote& remote = *remotes_[endpoints_.at(endpoint).first];
  const SendOutcome outcome = remote.send(endpoint->vdev, *endpoint, request);
  if (outcome.wake_link_thread) thread_->wake();
  return outcome;
}

void Link::cancel_caller(uint32_t caller) {
  for (auto& remote : remotes_)
    remote->cancel_caller(caller);
}

void Link::reinitialize(uint32_t remote) {
  if (remote >= remotes_.size()) return;
  Command reinitialize;
  reinitialize.kind = CommandKind::reinitialize;
  reinitialize.remote = remote;
  command(reinitialize);
}

TraceReader::Read Link::read_trace(uint32_t remote, uint64_t offset, uint32_t max_bytes) {
  if (remote < remotes_.size()) return remotes_[remote]->trace().read(offset, max_bytes);
  TraceReader::Read nobody;
  nobody.code = Errc::invalid_argument;
  return nobody;
}

uint64_t Link::heartbeat() {
  flush_backlog();
  // Looked at before the wake-up: the turn that it causes is seen by the next call, never by this
  // one, which would then leave nothing for the next to see.
  const uint64_t beats = thread_->beats();
  thread_->wake();
  return beats;
}

void Link::command(Command command) {
  if (is_closed_) return discard(command);
  flush_backlog();
  if (!backlog_.empty() || !commands_.push(command)) {
    backlog_.push_back(command);
    thread_->want_room();
  }
  thread_->wake();
}

void Link::flush_backlog() {
  if (backlog_.empty()) return;
  while (!backlog_.empty() && commands_.push(backlog_.front()))
    backlog_.pop_front();
  if (!backlog_.empty()) thread_->want_room();
  thread_->wake();
}

void Link::settle_record(const EventHeader& header) {
  const auto& pair = reinterpret_cast<const PairEvent&>(header); // if it is one
  switch (header.kind) {
  case EventKind::stream_note: {
    const auto& note = reinterpret_cast<const StreamNoteEvent&>(header);
    auto* const stream = reinterpret_cast<Stream*>(note.pointer);
    stream->is_note_out.store(false, std::memory_order_release);
    return;
  }
  case EventKind::stream_over: {
    const auto& over = reinterpret_cast<const StreamOverEvent&>(header);
    return retire_stream(*reinterpret_cast<Stream*>(over.pointer));
  }
  case EventKind::synced: syncs_.erase(reinterpret_cast<SyncRequest*>(pair.pointer)); return;
  case EventKind::endpoint_closed: {
    auto* const closed = reinterpret_cast<Endpoint*>(pair.pointer);
    closed->vdev.endpoints().give_back(closed->record);
    endpoints_.erase(closed);
    return;
  }
  case EventKind::table_retired: delete reinterpret_cast<AddressTable*>(pair.pointer); return;
  case EventKind::guard_retired: delete reinterpret_cast<AddressGuard*>(pair.pointer); return;
  default: return;
  }
}

void Link::note_seen(const EventHeader& message) {
  const auto& event = reinterpret_cast<const MessageEvent&>(message);
  Endpoint* const endpoint = find(event.endpoint);
  if (endpoint != nullptr && event.seq >= endpoint->seen_seq) endpoint->seen_seq = event.seq + 1;
}

void Link::close() {
  if (is_closed_) return;
  thread_->stop();
  while (drain(UINT32_MAX, [](const EventHeader&, std::span<const uint8_t>) {})) {
  }
  is_closed_ = true;
  Command left;
  while (commands_.pop(left))
    discard(left);
  for (const Command& late : backlog_)
    discard(late);
  backlog_.clear();
}

} // namespace rpmsg
