// SPDX-License-Identifier: Apache-2.0
// Streams as the main thread begins, resumes and ends them.
#include <algorithm>

#include "link/link.h"
#include "virtio/persist.h"

namespace rpmsg {

/// On a lossless vdev every slot may be one endpoint's.
uint32_t Link::queue_capacity(Vdev& vdev, uint32_t rx_queue) {
  return vdev.is_lossless() ? std::max(rx_queue, vdev.arena().slots()) : rx_queue;
}

Result<void> Link::open_stream(uint32_t id, UniqueFd socket, const StreamOptions& options,
                               uint32_t peer, uint32_t generation, uint64_t first_seq) {
  Endpoint* const endpoint = find(id);
  if (is_closed_) return Error{Errc::shutting_down, 0, "open a stream", id};
  if (endpoint == nullptr) return Error{Errc::no_such_endpoint, 0, "open a stream", id};
  if (stream_of_.count(id) != 0) return Error{Errc::busy, 0, "open a stream", id};
  // Within what is left for others even if this one holds all it may.
  const uint32_t most = std::max(1u, endpoint->vdev.arena().slots() / 2);
  if (!socket || options.hold < 1 || options.hold > most || !(options.reads || options.writes)) {
    return Error{Errc::invalid_argument, 0, "open a stream", id};
  }
  StreamRecord* const record = endpoint->vdev.stream_state().add(id, options, peer, generation);
  if (record == nullptr) return Error{Errc::quota_exceeded, 0, "open a stream", id};
  start_stream(*endpoint, *record, std::move(socket), first_seq);
  return {};
}

void Link::start_stream(Endpoint& endpoint, StreamRecord& record, UniqueFd socket,
                        uint64_t first_seq) {
  // A successor keeps as much until it has the stream again.
  const uint32_t capacity =
      queue_capacity(endpoint.vdev, std::max(record.hold, endpoint.record.rx_queue));
  if (record.hold > endpoint.record.rx_queue) {
    persist_store(endpoint.record.rx_queue, record.hold);
  }
  const uint32_t remote = endpoints_.at(&endpoint).first;
  auto owned =
      std::make_unique<Stream>(remote, endpoint, record, std::move(socket), capacity, first_seq);
  Stream* const stream = owned.get();
  streams_.emplace(stream, std::move(owned));
  stream_of_[endpoint.id] = stream;
  Command open;
  open.kind = CommandKind::open_stream;
  open.remote = remote;
  open.endpoint = &endpoint;
  open.stream = stream;
  command(open);
}

bool Link::resume_stream(uint32_t id, UniqueFd socket) {
  Endpoint* const endpoint = find(id);
  const auto found = unresumed_.find(id);
  if (endpoint == nullptr || found == unresumed_.end() || !socket || is_closed_) return false;
  StreamRecord& record = *found->second;
  unresumed_.erase(found);
  start_stream(*endpoint, record, std::move(socket), 0);
  return true;
}

void Link::close_stream(uint32_t id) {
  Endpoint* const endpoint = find(id);
  if (endpoint == nullptr || stream_of_.count(id) == 0) return;
  command_number(CommandKind::close_stream, id, 0);
}

void Link::set_stream_peer(uint32_t id, uint32_t peer, uint32_t generation) {
  command_number(CommandKind::stream_peer, id, uint64_t{generation} << 32 | peer);
}

void Link::guard(uint32_t remote, uint32_t index, std::vector<uint32_t> addresses) {
  if (vdev(remote, index) == nullptr) return;
  std::sort(addresses.begin(), addresses.end());
  Command guard;
  guard.kind = CommandKind::guard;
  guard.remote = remote;
  guard.vdev = index;
  guard.addresses = new AddressGuard(std::move(addresses));
  command(guard);
}

/// Streams of an earlier process on the endpoints that were reopened: each waits for its socket.
void Link::find_streams(Vdev& vdev) {
  for (StreamRecord* const record : vdev.stream_state().load()) {
    const Endpoint* const endpoint = find(record->endpoint);
    if (endpoint != nullptr && &endpoint->vdev == &vdev) {
      unresumed_.emplace(record->endpoint, record);
    } else {
      StreamState::forget(*record);
      vdev.stream_state().give_back(*record);
    }
  }
}

void Link::drop_unresumed() {
  for (const auto& [id, record] : unresumed_) {
    StreamState::forget(*record);
    find(id)->vdev.stream_state().give_back(*record);
  }
  unresumed_.clear();
}

void Link::retire_stream(Stream& stream) {
  stream.endpoint.vdev.stream_state().give_back(stream.record);
  if (const auto known = stream_of_.find(stream.endpoint.id);
      known != stream_of_.end() && known->second == &stream) {
    stream_of_.erase(known);
  }
  streams_.erase(&stream);
}

} // namespace rpmsg
