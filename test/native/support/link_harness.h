// SPDX-License-Identifier: Apache-2.0
// A Link driven without Node: its events collected on the test's thread, names learned from address
// 53, and waits that end with an event or a deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "link/link.h"
#include "support/soc_process.h"

namespace rpmsg::test {

/// A remote's windows as the simulated i.MX8 places them; fill in the socket and the rest.
RemoteSetup sim_setup(const std::string& socket, const std::string& core, uint32_t vdevs);

struct Message {
  uint64_t seq = 0;
  uint32_t source = 0;
  uint32_t generation = 0;
  std::vector<uint8_t> data;
};

class LinkHarness {
public:
  explicit LinkHarness(BoardChoice boards = BoardChoice());

  Link& link() { return link_; }
  /// Opens the remote and a name service endpoint on each of its vdevs. -1 with `error` set.
  int open(const RemoteSetup& setup);
  /// The same, with all that opening it says.
  Link::OpenedRemote open_named(const RemoteSetup& setup);
  bool start();
  /// Opens an endpoint with everything granted; its messages are in `received`.
  uint32_t endpoint(uint32_t remote, uint32_t vdev, uint32_t local, uint32_t rx_queue = 256,
                    uint32_t credits = 128);

  /// Handles events until `done` is true; false at the deadline.
  bool until(const std::function<bool()>& done, int timeout_ms = kPatienceMs);
  /// The address that announced `name`, 0 at the deadline.
  uint32_t wait_name(uint32_t remote, uint32_t vdev, const std::string& name);
  bool wait_vdev(uint32_t remote, uint32_t vdev, VdevState state);
  bool wait_remote(uint32_t remote, RemoteState state);
  /// One waiting send, begun and ended: the outcome's error.
  Errc send(uint32_t endpoint, uint32_t destination, const std::vector<uint8_t>& data,
            uint32_t timeout_ms = 5000, uint32_t caller = 1);
  /// Begun; its token, or 0 with `sent` or `failed` told by `last`.
  SendOutcome begin(uint32_t endpoint, uint32_t destination, const std::vector<uint8_t>& data,
                    uint32_t timeout_ms, uint32_t caller, uint32_t token);

  std::string error;
  std::map<uint32_t, std::vector<Message>> received; // by endpoint id
  std::map<uint32_t, Errc> done;                     // by token
  std::vector<uint32_t> done_order;
  std::map<std::string, uint32_t> names; // "remote/vdev/name"
  std::map<uint32_t, RemoteState> remote_states;
  std::map<uint32_t, std::string> remote_reasons; // of the last move that had one
  std::map<uint32_t, uint32_t> generations;
  std::map<std::pair<uint32_t, uint32_t>, VdevState> vdev_states;
  std::map<std::pair<uint32_t, uint32_t>, std::string> vdev_reasons;
  struct Move {
    uint32_t remote;
    RemoteState state;
  };
  std::vector<Move> moves; // all, in order
  struct Reset {
    uint32_t remote;
    uint32_t generation;
    ResetCause cause;
  };
  std::vector<Reset> resets;
  std::map<uint32_t, int32_t> partitions; // of SCFW, by remote
  struct StreamNotes {
    uint64_t dropped = 0;
    uint32_t refused = 0;
    uint32_t refused_bytes = 0;
    Refusal refusal = Refusal::none;
    uint32_t peer = 0;
  };
  struct StreamOver {
    StreamEnd why = StreamEnd::closed;
    uint64_t next_seq = 0;
  };
  std::map<uint32_t, StreamNotes> stream_notes; // by endpoint, added up
  std::map<uint32_t, StreamOver> streams_over;
  std::vector<Evidence> evidence;
  std::vector<uint32_t> synced;
  std::vector<uint32_t> closed;
  uint32_t boards_gone = 0;
  /// Messages are kept in their slots, not released as they come.
  bool hold = false;

private:
  void handle(const EventHeader& header, std::span<const uint8_t> record);
  void on_message(const MessageEvent& event, const uint8_t* data);
  void on_name(uint32_t endpoint, const std::vector<uint8_t>& data);
  void pump();

  struct NameEndpoint {
    uint32_t remote;
    uint32_t vdev;
  };

  UniqueFd wake_;
  std::map<uint32_t, NameEndpoint> name_endpoints_;
  uint32_t next_id_ = 1;
  uint32_t next_token_ = 1;
  Link link_;
};

} // namespace rpmsg::test
