// SPDX-License-Identifier: Apache-2.0
// From a filled slot to the main thread: queues an endpoint's messages, hands over what was
// granted, frees slots when they are released. Link thread only.
#pragma once

#include <cstdint>

#include "link/endpoint.h"
#include "link/event_writer.h"

namespace rpmsg {

class Delivery {
public:
  explicit Delivery(EventWriter& events) : events_(events) {}

  EventWriter& events() { return events_; }

  /// Makes room at the endpoint and in the arena for one more message and reserves its slot: an
  /// endpoint whose queue is full, or that holds more than the arena has free, gives up its own
  /// oldest message first. -1 if there is none to give up, or if a stream holds them: the new
  /// message is dropped. Either way counted.
  int32_t reserve_slot(Endpoint& endpoint);
  /// One message more would be dropped, and need not be: the stream's socket may have room.
  static bool should_deliver_first(const Endpoint& endpoint);
  /// The reserved slot was filled.
  void accept(Endpoint& endpoint, uint32_t slot);

  void grant(Endpoint& endpoint, uint64_t limit_seq);
  void release(Endpoint& endpoint, uint64_t up_to_seq);
  /// A stream begins: what JavaScript has a copy of and has not given to anybody, from `from_seq`
  /// on, goes into it; what lies before was delivered.
  void take_back(Endpoint& endpoint, uint64_t from_seq);
  /// A stream is over: what is left goes to JavaScript, as far as that was granted.
  void give_over(Endpoint& endpoint) { mark_ready(endpoint); }
  void sync(Endpoint& endpoint, SyncRequest& request);
  /// Frees all that the endpoint holds; it is reported closed by hand_over(), after its syncs.
  void close(Endpoint& endpoint);

  /// Hands over as much as fits, an endpoint a turn, whichever remote it is on: a flood from one
  /// takes no other's place. True when something is left for lack of room.
  bool hand_over();

private:
  static bool has_place(const Endpoint& endpoint);
  void mark_ready(Endpoint& endpoint);
  void drop_oldest(Endpoint& endpoint);
  bool hand_over_one(Endpoint& endpoint);
  bool answer_syncs(Endpoint& endpoint);
  bool hand_over_ready();
  bool report_closed();
  static bool has_granted(const Endpoint& endpoint);

  EventWriter& events_;
  Endpoint* first_ready_ = nullptr;
  Endpoint* last_ready_ = nullptr;
  Endpoint* closed_ = nullptr; // not reported yet
};

} // namespace rpmsg
