// SPDX-License-Identifier: Apache-2.0
// The native half as the main thread sees it: remotes, endpoints by number, sends straight into the
// ring, events in batches. Knows nothing of JavaScript; every method is for one and the same
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "link/board_choice.h"
#include "link/command.h"
#include "link/endpoint.h"
#include "link/event_writer.h"
#include "link/link_thread.h"
#include "link/remote.h"
#include "link/spsc_bytes.h"
#include "link/spsc_queue.h"

namespace rpmsg {

struct EndpointSetup {
  uint32_t id = 0; // the caller's choice, unique
  uint32_t remote = 0;
  uint32_t vdev = 0;
  uint32_t local = 0;
  uint32_t rx_queue = 256;   // messages kept until they are released
  uint32_t tx_credits = 128; // TX buffers in flight at most
  uint64_t next_seq = 0;     // of the first message
};

class Link {
public:
  /// `boards` opens what remotes are made of. `wake` is called on the link thread, must not block,
  /// and leads to drain() on the main thread.
  explicit Link(std::function<void()> wake, BoardChoice boards = BoardChoice());
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { close(); }

  /// An endpoint that an earlier process had open.
  struct Unclaimed {
    uint32_t id = 0;
    uint32_t vdev = 0;
    uint32_t local = 0;
    uint64_t first_seq = 0; // the lowest that is kept, next_seq when none is
    uint64_t next_seq = 0;
  };
  struct OpenedRemote {
    bool ok = false;
    uint32_t index = 0;
    Errc code = Errc::ok;
    std::string message; // why not, for a person
    Resume::Kind resume = Resume::Kind::cold;
    std::string reason;      // for it; may be empty
    uint32_t generation = 0; // that the remote begins with
    std::vector<Unclaimed> endpoints;
  };
  /// Before start() only. Endpoints that setup.state_file knows of are open from here on: messages
  /// for them are kept. Each waits to be claimed by open_endpoint(), or for drop_unclaimed().
  OpenedRemote open_remote(const RemoteSetup& setup);
  /// `busy_poll_us`: see LinkThread::start().
  Result<void> start(int realtime_priority = 0, uint32_t busy_poll_us = 0);

  /// An id that an earlier process had open is claimed: numbers, queue and credits go on as they
  /// were, and what was kept is handed over from its first_seq on, once granted.
  /// invalid_argument if its place is another. quota_exceeded at EndpointTable::kCapacity.
  Result<void> open_endpoint(const EndpointSetup& setup);
  /// Closes every endpoint of an earlier process that was not claimed; endpoint_closed follows.
  void drop_unclaimed();
  /// endpoint_closed follows; its waiting sends end with no_such_endpoint. Unknown ids are ignored,
  /// here and below: their endpoint_closed is on its way.
  void close_endpoint(uint32_t id);
  void grant(uint32_t id, uint64_t limit_seq);
  /// Messages before this number are delivered for good, for this process and those after it.
  void release(uint32_t id, uint64_t up_to_seq);
  /// As release(), but only stores it: no system call, and no slot is free yet. release() follows.
  void note_released(uint32_t id, uint64_t up_to_seq);
  void sync(uint32_t id, uint32_t tag);
  /// `timeout_ms` 0: would_block instead of waiting.
  /// The endpoint's payload goes through `socket`, a connected SOCK_SEQPACKET one, from now on;
  /// what waits at the endpoint from `first_seq` on goes first, what lies before counts as
  /// delivered. The peer is `peer` (kAnyAddress: not known) in life `generation`. stream_over
  /// follows once. busy: the endpoint has one; quota_exceeded: the vdev has kMaxStreams.
  Result<void> open_stream(uint32_t id, UniqueFd socket, const StreamOptions& options,
                           uint32_t peer, uint32_t generation, uint64_t first_seq);
  /// Goes on with a stream that an earlier process had on this endpoint. False: it had none.
  bool resume_stream(uint32_t id, UniqueFd socket);
  /// Whether an earlier process had a stream on this endpoint that was not resumed.
  bool had_stream(uint32_t id) const { return unresumed_.count(id) != 0; }
  /// Ends the stream of an endpoint; without one: no effect.
  void close_stream(uint32_t id);
  /// No socket comes any more for those that were not resumed: their endpoints go on without.
  void drop_unresumed();
  void set_stream_peer(uint32_t id, uint32_t peer, uint32_t generation);
  /// Addresses on a vdev that packets with a header may not name, but for the stream's own peer.
  void guard(uint32_t remote, uint32_t vdev, std::vector<uint32_t> addresses);
  SendOutcome send(uint32_t id, uint32_t destination, std::span<const uint8_t> payload,
                   uint32_t caller, uint32_t timeout_ms, uint32_t token);
  /// Forgets every waiting send of a caller: none of them is sent once this has returned, and no
  /// send_done comes for them.
  void cancel_caller(uint32_t caller);
  void reinitialize(uint32_t remote);

  /// Null for an index that does not exist.
  Vdev* vdev(uint32_t remote, uint32_t index);
  /// Messages in the ring to a remote that it has not used yet: as it says at this moment.
  uint32_t unused_messages(uint32_t remote, Vdev& vdev);
  /// What guards the send side of a remote's vdevs.
  PiMutex& send_mutex(uint32_t remote) { return remotes_[remote]->send_mutex(); }
  uint32_t remotes() const { return static_cast<uint32_t>(remotes_.size()); }
  /// Valid until the Link is destroyed; `remote` is below remotes().
  Tap& tap(uint32_t remote) { return remotes_[remote]->tap(); }
  /// The virtio status byte; `vdev` is one of vdev()'s.
  uint8_t device_status(uint32_t remote, const Vdev& vdev) const {
    return remotes_[remote]->status(vdev);
  }
  /// invalid_argument for a remote that does not exist.
  TraceReader::Read read_trace(uint32_t remote, uint64_t offset, uint32_t max_bytes);
  const EndpointCounters* endpoint_counters(uint32_t id) const;
  /// Completed turns of the link thread, which is nudged: a live one moves on.
  uint64_t heartbeat();

  /// Passes up to `max_bytes` of event records to visit(const EventHeader&, record bytes), oldest
  /// first; true when there are more. Pointers in them are dead.
  template<class Visit>
  bool drain(uint32_t max_bytes, Visit visit);

  /// Ends the link thread with the rings left consistent. Idempotent; everything else is a no-op or
  /// fails with shutting_down afterwards.
  void close();

private:
  static constexpr uint32_t kEventBytes = 1u << 20;
  static constexpr uint32_t kCommands = 4096;

  // What the main thread remembers of a vdev's tables, to hand over roomier ones in time.
  struct VdevBook {
    std::unordered_set<uint32_t> addresses;
    uint32_t table_capacity = 0;
  };

  Endpoint* find(uint32_t id) const;
  VdevBook& book(uint32_t remote, uint32_t vdev) { return books_[remote * kMaxVdevs + vdev]; }
  void make_room(uint32_t remote, uint32_t index, Vdev& vdev);
  void command(Command command);
  void join_scu(const RemoteSetup& setup, Remote& remote);
  Result<void> claim(const EndpointSetup& setup);
  void reopen_endpoints(uint32_t remote, Vdev& vdev, std::vector<Unclaimed>& into);
  uint64_t reopen(uint32_t remote, EndpointRecord& record, Vdev& vdev,
                  const std::vector<uint32_t>& slots);
  void command_number(CommandKind kind, uint32_t id, uint64_t number);
  static uint32_t queue_capacity(Vdev& vdev, uint32_t rx_queue);
  void find_streams(Vdev& vdev);
  void start_stream(Endpoint& endpoint, StreamRecord& record, UniqueFd socket, uint64_t first_seq);
  void retire_stream(Stream& stream);
  void flush_backlog();
  void settle_record(const EventHeader& header);
  void note_seen(const EventHeader& message);

  BoardChoice boards_;
  SpscBytes event_ring_;
  EventWriter events_;
  Delivery delivery_;
  SpscQueue<Command> commands_;
  std::deque<Command> backlog_; // what did not fit, in order
  LinkThread::Remotes remotes_;
  LinkThread::Scus scus_;
  std::unique_ptr<LinkThread> thread_;
  bool is_started_ = false;
  bool is_closed_ = false;
  std::vector<VdevBook> books_;
  std::unordered_map<uint32_t, Endpoint*> by_id_;
  std::unordered_set<uint32_t> unclaimed_;
  std::unordered_map<Endpoint*, std::pair<uint32_t, std::unique_ptr<Endpoint>>> endpoints_;
  std::unordered_map<SyncRequest*, std::unique_ptr<SyncRequest>> syncs_;
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::unordered_map<uint32_t, Stream*> stream_of_; // by endpoint, until its end came
  std::unordered_map<uint32_t, StreamRecord*> unresumed_;
};

template<class Visit>
bool Link::drain(uint32_t max_bytes, Visit visit) {
  events_.on_drain_begins();
  flush_backlog();
  uint32_t passed = 0;
  bool more = false;
  for (;;) {
    const std::span<const uint8_t> run = event_ring_.readable();
    if (run.empty()) break;
    more = passed >= max_bytes;
    if (more) break;
    uint32_t at = 0;
    while (at < run.size() && passed + at < max_bytes) {
      const auto& header = *reinterpret_cast<const EventHeader*>(run.data() + at);
      if (header.kind == EventKind::message) note_seen(header);
      visit(header, run.subspan(at, header.bytes));
      settle_record(header);
      at += header.bytes;
    }
    event_ring_.consume(at);
    passed += at;
  }
  if (thread_) thread_->on_drained();
  return more;
}

} // namespace rpmsg
