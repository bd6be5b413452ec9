// SPDX-License-Identifier: Apache-2.0
// One vdev as an RPMsg-Lite remote sees it, or an OpenAMP one: two rings, the link state,
// announcements, endpoints.
#pragma once

#include <array>
#include <cstdint>

#include "sim/firmware/apps.h"
#include "sim/firmware/board.h"
#include "sim/firmware/device_ring.h"
#include "sim/firmware/options.h"
#include "sim/firmware/resource_table.h"
#include "sim/firmware/word_port.h"

namespace rpmsg::sim {

constexpr uint32_t kHeaderBytes = 16;
constexpr uint32_t kPayloadBytes = 496;

class Link {
public:
  Link(const FirmwareOptions& options, const AttachedBoard& board, WordPort& words,
       ResourceTable& table, uint32_t index);

  /// The word for vring0 came. To RPMsg-Lite the link is up, whatever the ring holds.
  void on_link_word(int64_t now_ms);
  /// The word for vring1 came.
  void on_message_word() { receive_due_ = true; }
  /// Works for a bounded while. True if there is more to do at once.
  bool work(bool hold, int64_t now_ms);
  /// -1: nothing to wait for but an interrupt.
  int timeout_ms(int64_t now_ms) const;
  /// Starts over as a program that was loaded again.
  void forget();
  uint32_t index() const { return index_; }
  bool restart_asked() const { return restart_asked_; }
  TraceLog& trace() { return table_.trace(); }
  /// Whether this is an occasion on which to misbehave so.
  bool fault_due(Fault fault) { return options_.fault.due(fault, index_, fault_count_); }

  /// Room for a payload, or null if the host has returned no buffer yet.
  uint8_t* begin(uint32_t length);
  /// Sends what begin() gave.
  void commit(uint32_t src, uint32_t dst, uint32_t length);
  /// Whom an endpoint of OpenAMP talks to: whoever spoke to it first. Else who sent the message.
  uint32_t peer_of(uint32_t number, const Message& message);

private:
  bool is_openamp() const { return options_.behaviour == Behaviour::openamp; }
  void come_up(int64_t now_ms);
  void follow_status(int64_t now_ms);
  void place_rings(uint64_t vring0, uint64_t vring1);
  void act_on_status_fault();
  void announce(int64_t now_ms);
  void announce_channels();
  bool announce_one(const char* name, uint32_t address, uint32_t bytes);
  bool announce_fault();
  void receive(uint32_t budget);
  bool deliver(const Descriptor& descriptor);
  void mark_held(const Descriptor& descriptor, uint32_t held);
  bool dispatch(const Message& message);
  void publish(const Descriptor& descriptor, uint8_t* header, bool is_announcement);
  void signal_sent();

  const FirmwareOptions& options_;
  const AttachedBoard& board_;
  WordPort& words_;
  ResourceTable& table_;
  uint32_t index_;
  uint32_t base_address_;
  DeviceRing send_ring_;    // vring0
  DeviceRing receive_ring_; // vring1
  Apps apps_;
  bool up_ = false;
  bool receive_due_ = false;
  bool starved_ = false; // a send waits for the host to return a buffer
  bool consumed_ = false;
  bool restart_asked_ = false;
  int64_t announce_at_ms_ = 0;
  uint32_t next_announcement_ = 0;
  bool fault_announced_ = false;
  uint32_t fault_count_ = 0;
  std::array<uint32_t, kMostApps + 1> peers_ = {}; // by application; 0: nobody yet
  Descriptor sending_ = {};
};

} // namespace rpmsg::sim
