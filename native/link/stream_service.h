// SPDX-License-Identifier: Apache-2.0
// Moves packets between the sockets of a remote's streams and its rings and slots, a batch a system
// call, with no lock held across one. Link thread only.
#pragma once

#include <cstdint>
#include <span>

#include "base/clock.h"
#include "link/delivery.h"
#include "link/event_writer.h"
#include "link/send_path.h"
#include "link/stream.h"
#include "link/vdev.h"

namespace rpmsg {

class StreamService {
public:
  explicit StreamService(SendPath& sends) : sends_(sends) {}

  /// Whose sockets the link thread waits for, before the first open().
  void set_epoll(int epoll_fd) { epoll_ = epoll_fd; }

  /// Begins to serve it, in life `generation`; `tag` is what epoll reports.
  void open(Stream& stream, uint64_t tag, uint32_t generation);
  /// What its socket holds goes into the ring as far as that has room; then it is over.
  void close(Stream& stream, uint32_t generation);
  /// Its socket has something new to say: EPOLLIN and its kin.
  void on_socket(Stream& stream, uint32_t events);
  /// The peer's address is known, has changed, or is not known any more (kAnyAddress).
  void set_peer(Stream& stream, uint32_t address);
  /// A life began: what the sockets hold was written for the former one. Again: no effect.
  void begin_life(Vdev& vdev, uint32_t generation);

  /// From slots to clients; how many messages left their slots, about `budget` at most.
  uint32_t deliver(Vdev& vdev, uint32_t generation, uint32_t budget);
  /// From clients into the ring; how many packets left their sockets, `budget` at most.
  uint32_t collect(Vdev& vdev, uint32_t generation, uint32_t budget, uint64_t now_ns);
  /// At the end of a turn. True: more packets are about to come, and the link thread is to look on
  /// rather than sleep. Else the remote is told of all that was put into the ring.
  bool looks_on(Vdev& vdev);
  /// The remote is told of what collect() put into the ring and did not tell it of: messages after
  /// which more were known to come, less than a quarter of the ring.
  void tell_remote(Vdev& vdev);
  /// Some stream has packets: they go as soon as there is a buffer, a credit or a peer.
  static bool is_waiting(Vdev& vdev) {
    return !vdev.streams().with_packets.empty() || vdev.stream_state().incoming().asked != 0;
  }
  /// When collect() wants to be called although nothing happened, or kNever.
  uint64_t next_deadline() const { return lingering_ > 0 ? linger_look_ns_ : kNever; }

  /// Tells what happened on the vdev's streams, and which of all are over; false when the event
  /// ring has no room for all of it now.
  static bool report(EventWriter& events, Vdev& vdev);
  bool report_ends(Delivery& delivery);
  /// Serves none any more; the sockets stay as they are for a successor.
  void stop(Vdev& vdev);

private:
  struct Step {
    enum Outcome : uint8_t { served, no_buffer, no_credit, closed, no_peer } outcome;
    uint32_t moved;
  };
  struct Packet {
    std::span<const uint8_t> payload;
    uint32_t length_bytes = 0; // as it was sent: may be more than there is room for
    uint32_t destination = 0;
    Refusal refusal = Refusal::none;
  };

  Step collect_from(Stream& stream, uint32_t wanted);
  void take_what_is_there(Stream& stream);
  static uint32_t take_packets(Stream& stream, uint32_t asked);
  static int receive_packets(const Stream& stream, std::span<mmsghdr> packets, int flags);
  static bool is_at_end(const Stream& stream);
  void post_batch(Vdev& vdev, Endpoint& endpoint, uint32_t taken, uint32_t& places);
  bool resume_batch(Vdev& vdev, uint32_t generation);
  static Packet packet_at(Vdev& vdev, uint32_t entry);
  static void refuse(Endpoint& endpoint, const Packet& packet);

  uint32_t deliver_to(Stream& stream, uint32_t generation);
  static uint32_t fill_batch(Stream& stream, uint32_t generation);
  uint32_t drop_undeliverable(Stream& stream, uint32_t generation);
  static bool is_deliverable(const Stream& stream, const SlotRecord& record, uint32_t generation);
  void learn_peer(Stream& stream, const SlotRecord& record, uint32_t generation);
  void on_send_error(Stream& stream, int error);
  bool watch(Stream& stream, int operation);

  static void begin_life(Stream& stream, uint32_t generation);
  static void discard(Stream& stream);
  bool may_stay(Stream& stream, Step::Outcome outcome, uint64_t now_ns);
  void end(Stream& stream, StreamEnd why);
  static bool tell(EventWriter& events, Stream& stream);

  SendPath& sends_;
  int epoll_ = -1;
  uint32_t lingering_ = 0; // streams whose client is gone and whose last packets wait
  uint64_t linger_look_ns_ = 0;
  Stream* over_ = nullptr; // not told yet
};

} // namespace rpmsg
