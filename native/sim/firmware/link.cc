// SPDX-License-Identifier: Apache-2.0
// Sending and receiving as rpmsg_lite.c does: header fields, used lengths and words alike; and what
// is otherwise in OpenAMP's rpmsg_virtio.c.
#include "sim/firmware/link.h"

#include <cstring>

#include <algorithm>

#include "sim/firmware/halt.h"

namespace rpmsg::sim {
namespace {

constexpr uint64_t kVdevStride = 0x10000;
constexpr uint32_t kDynamicBase = 1024; // OpenAMP's first address, RPMsg-Lite's is 1
constexpr uint32_t kNameService = 53;
constexpr uint32_t kReceiveBudget = 64;
constexpr uint32_t kSendBudget = 64;
constexpr int kBufferPollMs = 1; // RPMsg-Lite polls for a free buffer this often
constexpr int kDriverPollMs = 1; // OpenAMP for DRIVER_OK
constexpr int kStatusPollMs = 10;

struct Header {
  uint32_t src, dst, reserved;
  uint16_t length, flags;
};
static_assert(sizeof(Header) == kHeaderBytes);

} // namespace

Link::Link(const FirmwareOptions& options, const AttachedBoard& board, WordPort& words,
           ResourceTable& table, uint32_t index)
    : options_(options), board_(board), words_(words), table_(table), index_(index),
      base_address_(is_openamp() ? kDynamicBase - 1 : 0) {
  const uint64_t base = board.reply().vring_base + index * kVdevStride;
  place_rings(base, base + kRingBytes);
}

void Link::place_rings(uint64_t vring0, uint64_t vring1) {
  uint8_t* const send = board_.at(vring0, kRingBytes);
  uint8_t* const receive = board_.at(vring1, kRingBytes);
  if (send == nullptr || receive == nullptr) halt("vdev %u has no ring memory on this SoC", index_);
  send_ring_.place(send);
  receive_ring_.place(receive);
}

// OpenAMP takes every word for "look at the rings", which it does anyway.
void Link::on_link_word(int64_t now_ms) {
  if (!is_openamp()) come_up(now_ms);
}

void Link::come_up(int64_t now_ms) {
  if (up_) return;
  up_ = true;
  announce_at_ms_ = now_ms + options_.announce_delay_ms;
  table_.trace().say("vdev %u: up\n", index_);
}

/// The driver's status byte is all that brings an OpenAMP device up, or down.
void Link::follow_status(int64_t now_ms) {
  const uint8_t status = table_.status(index_);
  const bool is_asked = (status & (kDriverOk | kNeedsReset)) == kNeedsReset;
  const bool is_driven = (status & (kDriverOk | kNeedsReset)) == kDriverOk;
  if (up_ && is_driven) return;
  if (up_) {
    table_.trace().say("vdev %u: reset by the host, status 0x%02x\n", index_, unsigned{status});
    forget();
  }
  if (is_asked) table_.set_status(index_, 0);
  if (!is_driven) return;
  place_rings(table_.vring_address(index_, 0), table_.vring_address(index_, 1));
  send_ring_.set_no_notify();
  receive_due_ = true;
  come_up(now_ms);
}

void Link::forget() {
  send_ring_.forget();
  receive_ring_.forget();
  apps_.forget();
  up_ = receive_due_ = starved_ = consumed_ = restart_asked_ = false;
  next_announcement_ = 0;
  peers_ = {};
}

bool Link::work(bool hold, int64_t now_ms) {
  if (is_openamp()) follow_status(now_ms);
  if (!up_) return false;
  starved_ = false;
  announce(now_ms);
  if (receive_due_ && !hold) receive(kReceiveBudget);
  const bool owes_more = apps_.send_owed(*this, kSendBudget, now_ms);
  return owes_more || (receive_due_ && !hold && !starved_);
}

int Link::timeout_ms(int64_t now_ms) const {
  if (!up_) return is_openamp() ? kDriverPollMs : -1;
  if (starved_) return kBufferPollMs;
  const bool has_announced =
      options_.quiet || next_announcement_ == all_apps().size() + options_.channels;
  const int64_t soonest =
      std::min(has_announced ? Apps::kNever : announce_at_ms_, apps_.next_due_ms());
  if (soonest == Apps::kNever) return is_openamp() ? kStatusPollMs : -1;
  const int64_t kLongest = is_openamp() ? kStatusPollMs : 1000;
  return static_cast<int>(std::clamp<int64_t>(soonest - now_ms, 1, kLongest));
}

uint8_t* Link::begin(uint32_t length) {
  if (!up_ || !send_ring_.available()) {
    starved_ = true;
    return nullptr;
  }
  sending_ = send_ring_.peek();
  uint8_t* buffer = board_.at(sending_.physical, sending_.length);
  if (buffer == nullptr || sending_.length < kHeaderBytes + length)
    halt("vdev %u: descriptor %u of vring0 is no buffer for %u bytes", index_, sending_.id,
         kHeaderBytes + length);
  return buffer + kHeaderBytes;
}

void Link::commit(uint32_t src, uint32_t dst, uint32_t length) {
  uint8_t* buffer = board_.at(sending_.physical, sending_.length);
  Header header = {src, dst, 0, static_cast<uint16_t>(length), 0};
  std::memcpy(&header.reserved, buffer + 8, sizeof header.reserved); // left as it was
  std::memcpy(buffer, &header, sizeof header);
  publish(sending_, buffer, dst == kNameService);
}

void Link::publish(const Descriptor& descriptor, uint8_t* header, bool is_announcement) {
  uint32_t id = descriptor.id;
  uint32_t used_length = descriptor.length; // the whole buffer, as RPMsg-Lite
  const auto set_header_length = [header](uint16_t bytes) {
    std::memcpy(header + 12, &bytes, sizeof bytes);
  };
  if (!is_announcement) {
    const uint32_t nobody = 0xDEAD;
    if (fault_due(Fault::bad_length)) set_header_length(600);
    if (fault_due(Fault::unknown_dst)) std::memcpy(header + 4, &nobody, sizeof nobody);
    if (fault_due(Fault::used_id_range)) id |= 0x10000; // right in its low 16 bits
    if (fault_due(Fault::short_used_len)) used_length = 8;
    if (fault_due(Fault::header_len_overrun)) {
      set_header_length(kPayloadBytes);
      used_length = 20;
    }
    if (fault_due(Fault::silent_restart)) restart_asked_ = true;
  }
  send_ring_.take();
  send_ring_.put_used(id, used_length);
  if (!is_announcement && fault_due(Fault::used_idx_jump)) send_ring_.jump_used(1000);
  signal_sent();
  if (!is_announcement && fault_due(Fault::bad_word)) words_.send(63u << 16);
  if (!is_announcement && table_.is_there()) act_on_status_fault();
}

// A device that gave up, or began anew, and says so: any word makes the host look at once.
void Link::act_on_status_fault() {
  const bool needs_reset = fault_due(Fault::needs_reset);
  if (!needs_reset && !fault_due(Fault::status_zero)) return;
  const uint8_t status = table_.status(index_);
  table_.set_status(index_, needs_reset ? static_cast<uint8_t>(status | kNeedsReset) : uint8_t{0});
  forget();
  words_.kick(2 * index_);
}

// One word a message. RPMsg-Lite looks at its own used.flags, OpenAMP at the driver's avail.flags.
void Link::signal_sent() {
  const bool muted =
      is_openamp() ? send_ring_.driver_wants_no_interrupt() : send_ring_.own_no_notify();
  if (!muted) words_.kick(2 * index_);
}

void Link::receive(uint32_t budget) {
  for (uint32_t n = 0; n < budget; n++) {
    if (!receive_ring_.available()) {
      receive_due_ = false;
      const bool is_muted = is_openamp() && receive_ring_.driver_wants_no_interrupt();
      if (consumed_ && options_.consumed_notify && !is_muted) words_.kick(2 * index_ + 1);
      consumed_ = false;
      return;
    }
    const Descriptor descriptor = receive_ring_.peek();
    if (is_openamp()) mark_held(descriptor, 1);
    if (!deliver(descriptor) || !up_) return; // or the answer ended this life
    if (is_openamp()) mark_held(descriptor, 0);
    receive_ring_.take();
    receive_ring_.put_used(descriptor.id, descriptor.length);
    if (fault_due(Fault::used_id_duplicate))
      receive_ring_.put_used(descriptor.id, descriptor.length);
    consumed_ = true;
    if (restart_asked_) return; // the old life does not look at the rings again
  }
}

// OpenAMP keeps the buffer's number and how often it is held in the received header's reserved
// word.
void Link::mark_held(const Descriptor& descriptor, uint32_t held) {
  uint8_t* const buffer = board_.at(descriptor.physical, descriptor.length);
  const uint32_t reserved = (descriptor.id & 0xFFFF) | held << 16;
  if (buffer != nullptr && descriptor.length >= kHeaderBytes)
    std::memcpy(buffer + 8, &reserved, sizeof reserved);
}

uint32_t Link::peer_of(uint32_t number, const Message& message) {
  if (!is_openamp()) return message.src;
  uint32_t& peer = peers_[number];
  if (peer == 0) {
    peer = message.src;
    table_.trace().say("vdev %u: %s talks to %u\n", index_, all_apps()[number - 1].name, peer);
  }
  return peer;
}

bool Link::deliver(const Descriptor& descriptor) {
  const uint8_t* buffer = board_.at(descriptor.physical, descriptor.length);
  if (buffer == nullptr || descriptor.length < kHeaderBytes)
    halt("vdev %u: descriptor %u of vring1 is no message", index_, descriptor.id);
  Header header;
  std::memcpy(&header, buffer, sizeof header);
  if (header.length > descriptor.length - kHeaderBytes)
    halt("vdev %u: the host sent %u bytes in a buffer of %u", index_, unsigned{header.length},
         descriptor.length);
  return dispatch({header.src, header.dst, header.length, buffer + kHeaderBytes});
}

bool Link::dispatch(const Message& message) {
  if (message.dst == kQuietAddress) return apps_.handle(*this, 0, message);
  const uint32_t number = message.dst - base_address_;
  for (const AppInfo& app : all_apps())
    if (app.number == number && (options_.apps >> (number - 1) & 1) != 0)
      return apps_.handle(*this, number, message);
  if (number - kFirstChannel < options_.channels) return apps_.handle(*this, number, message);
  return true; // nobody has that address: dropped in silence, as every stack does
}

} // namespace rpmsg::sim
