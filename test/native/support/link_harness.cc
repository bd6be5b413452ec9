// SPDX-License-Identifier: Apache-2.0
#include "support/link_harness.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "rpmsg/rpmsg_header.h"

namespace rpmsg::test {

RemoteSetup sim_setup(const std::string& socket, const std::string& core, uint32_t vdevs) {
  const bool second = core == "cm41";
  RemoteSetup setup;
  setup.sim_socket = socket;
  setup.core = core;
  setup.vdevs = vdevs;
  setup.vring_base = second ? 0x90100000 : 0x90000000;
  setup.vring_stride = 0x10000;
  setup.vring1_offset = 0x8000;
  setup.buffer_base = second ? 0x90600000 : 0x90400000;
  setup.buffer_stride = 0x40000;
  return setup;
}

LinkHarness::LinkHarness(BoardChoice boards)
    : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      link_(
          [this] {
            const uint64_t one = 1;
            (void)!write(wake_.get(), &one, sizeof one);
          },
          std::move(boards)) {}

int LinkHarness::open(const RemoteSetup& setup) {
  const auto opened = open_named(setup);
  return opened.ok ? static_cast<int>(opened.index) : -1;
}

Link::OpenedRemote LinkHarness::open_named(const RemoteSetup& setup) {
  auto opened = link_.open_remote(setup);
  if (!opened.ok) {
    error = opened.message;
    return opened;
  }
  for (uint32_t vdev = 0; vdev < setup.vdevs; ++vdev) {
    const uint32_t id = endpoint(opened.index, vdev, 53);
    name_endpoints_[id] = {opened.index, vdev};
  }
  return opened;
}

bool LinkHarness::start() {
  return link_.start().ok();
}

uint32_t LinkHarness::endpoint(uint32_t remote, uint32_t vdev, uint32_t local, uint32_t rx_queue,
                               uint32_t credits) {
  const uint32_t id = next_id_++;
  const auto opened = link_.open_endpoint({id, remote, vdev, local, rx_queue, credits, 0});
  if (!opened) {
    error = errc_name(opened.error().code);
    return 0;
  }
  link_.grant(id, UINT64_MAX >> 1);
  return id;
}

bool LinkHarness::until(const std::function<bool()>& is_done, int timeout_ms) {
  const uint64_t deadline = monotonic_ns() + static_cast<uint64_t>(timeout_ms) * kNsPerMs;
  for (;;) {
    pump();
    if (is_done()) return true;
    const uint64_t now = monotonic_ns();
    if (now >= deadline) return false;
    pollfd waiting{wake_.get(), POLLIN, 0};
    // Some conditions are counters, which nobody announces: they are looked at again soon.
    poll(&waiting, 1, static_cast<int>(std::min<uint64_t>((deadline - now) / kNsPerMs + 1, 2)));
    uint64_t count = 0;
    (void)!read(wake_.get(), &count, sizeof count);
  }
}

void LinkHarness::pump() {
  while (link_.drain(1 << 16, [this](const EventHeader& header, std::span<const uint8_t> record) {
    handle(header, record);
  })) {
  }
  if (hold) return;
  for (auto& [id, messages] : received) {
    if (!messages.empty()) link_.release(id, messages.back().seq + 1);
  }
}

void LinkHarness::handle(const EventHeader& header, std::span<const uint8_t> record) {
  const auto* pair = reinterpret_cast<const PairEvent*>(record.data());
  switch (header.kind) {
  case EventKind::remote_state: {
    const auto& event = *reinterpret_cast<const RemoteStateEvent*>(record.data());
    remote_states[event.remote] = static_cast<RemoteState>(event.state);
    moves.push_back({event.remote, static_cast<RemoteState>(event.state)});
    generations[event.remote] = event.generation;
    const char* reason = reinterpret_cast<const char*>(record.data()) + sizeof event;
    if (event.reason_bytes > 0) remote_reasons[event.remote] = {reason, event.reason_bytes};
    return;
  }
  case EventKind::remote_ready:
    evidence.push_back(
        static_cast<Evidence>(reinterpret_cast<const RemoteReadyEvent*>(record.data())->evidence));
    return;
  case EventKind::vdev_state: {
    const auto& event = *reinterpret_cast<const VdevStateEvent*>(record.data());
    vdev_states[{event.remote, event.vdev}] = static_cast<VdevState>(event.state);
    vdev_reasons[{event.remote, event.vdev}] = std::string(
        reinterpret_cast<const char*>(record.data()) + sizeof event, event.reason_bytes);
    return;
  }
  case EventKind::message:
    on_message(*reinterpret_cast<const MessageEvent*>(record.data()),
               record.data() + sizeof(MessageEvent));
    return;
  case EventKind::synced: synced.push_back(pair->second); return;
  case EventKind::send_done:
    done[pair->first] = static_cast<Errc>(pair->second);
    done_order.push_back(pair->first);
    return;
  case EventKind::endpoint_closed: closed.push_back(pair->first); return;
  case EventKind::board_gone: ++boards_gone; return;
  case EventKind::remote_reset: {
    const auto& event = *reinterpret_cast<const RemoteResetEvent*>(record.data());
    resets.push_back({event.remote, event.generation, static_cast<ResetCause>(event.cause)});
    return;
  }
  case EventKind::remote_partition:
    partitions[pair->first] = static_cast<int32_t>(pair->second);
    return;
  case EventKind::stream_note: {
    const auto& event = *reinterpret_cast<const StreamNoteEvent*>(record.data());
    StreamNotes& notes = stream_notes[event.endpoint];
    notes.dropped += event.dropped;
    notes.refused += event.refused;
    if (event.refused > 0) {
      notes.refused_bytes = event.refused_bytes;
      notes.refusal = static_cast<Refusal>(event.refusal);
    }
    if (event.peer != kAnyAddress) notes.peer = event.peer;
    return;
  }
  case EventKind::stream_over: {
    const auto& event = *reinterpret_cast<const StreamOverEvent*>(record.data());
    streams_over[event.endpoint] = {static_cast<StreamEnd>(event.why), event.next_seq};
    return;
  }
  case EventKind::table_retired:
  case EventKind::guard_retired:
  case EventKind::capture_over: return; // the last is not the link's
  }
}

void LinkHarness::on_message(const MessageEvent& event, const uint8_t* data) {
  Message message{event.seq, event.source, event.generation, {data, data + event.data_bytes}};
  if (name_endpoints_.count(event.endpoint) != 0) {
    on_name(event.endpoint, message.data);
    link_.release(event.endpoint, message.seq + 1);
    return;
  }
  received[event.endpoint].push_back(std::move(message));
}

void LinkHarness::on_name(uint32_t endpoint, const std::vector<uint8_t>& data) {
  if (data.size() != 40) return;
  const auto* text = reinterpret_cast<const char*>(data.data());
  uint32_t address = 0;
  std::memcpy(&address, data.data() + 32, sizeof address);
  const NameEndpoint& on = name_endpoints_[endpoint];
  const std::string name(text, strnlen(text, 32));
  names[std::to_string(on.remote) + "/" + std::to_string(on.vdev) + "/" + name] = address;
}

uint32_t LinkHarness::wait_name(uint32_t remote, uint32_t vdev, const std::string& name) {
  const std::string key = std::to_string(remote) + "/" + std::to_string(vdev) + "/" + name;
  return until([&] { return names.count(key) != 0; }) ? names[key] : 0;
}

bool LinkHarness::wait_vdev(uint32_t remote, uint32_t vdev, VdevState state) {
  return until([&] {
    const auto found = vdev_states.find({remote, vdev});
    return found != vdev_states.end() && found->second == state;
  });
}

bool LinkHarness::wait_remote(uint32_t remote, RemoteState state) {
  return until([&] {
    const auto found = remote_states.find(remote);
    return found != remote_states.end() && found->second == state;
  });
}

SendOutcome LinkHarness::begin(uint32_t endpoint, uint32_t destination,
                               const std::vector<uint8_t>& data, uint32_t timeout_ms,
                               uint32_t caller, uint32_t token) {
  return link_.send(endpoint, destination, data, caller, timeout_ms, token);
}

Errc LinkHarness::send(uint32_t endpoint, uint32_t destination, const std::vector<uint8_t>& data,
                       uint32_t timeout_ms, uint32_t caller) {
  const uint32_t token = 0x40000000 + next_token_++;
  const SendOutcome outcome = begin(endpoint, destination, data, timeout_ms, caller, token);
  if (outcome.kind == SendOutcome::Kind::sent) return Errc::ok;
  if (outcome.kind == SendOutcome::Kind::failed) return outcome.error;
  return until([&] { return done.count(token) != 0; }) ? done[token] : Errc::cancelled;
}

} // namespace rpmsg::test
