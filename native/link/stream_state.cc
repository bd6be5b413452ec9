// SPDX-License-Identifier: Apache-2.0
#include "link/stream_state.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>

#include "virtio/persist.h"

namespace rpmsg {

namespace {

enum Flag : uint32_t {
  kReads = 1,
  kWrites = 2,
  kWithHeader = 4,
  kZeroLength = 8,
  kKeepOnReset = 16,
  kFixedPeer = 32,
  kBoundPeer = 64,
  kAllFlags = 127,
};

constexpr size_t round_up(size_t bytes) {
  return (bytes + 63) & ~size_t{63};
}

constexpr size_t kPacketsBytes = round_up(kStreamBatch * sizeof(mmsghdr));
constexpr size_t kVectorsBytes = round_up(kStreamBatch * sizeof(iovec));
constexpr size_t kSeqsBytes = round_up(kStreamBatch * sizeof(uint64_t));

/// Takes the next `bytes` of a block as an array.
template<class Item>
std::span<Item> carve(std::byte*& at, size_t count, size_t bytes) {
  auto* const first = reinterpret_cast<Item*>(at);
  at += bytes;
  return {first, count};
}

// The kernel stores it too, behind the compiler's back.
unsigned length_of(const mmsghdr& packet) {
  return *static_cast<const volatile unsigned*>(&packet.msg_len);
}

uint32_t leading_moved(std::span<const mmsghdr> packets, uint32_t asked) {
  uint32_t moved = 0;
  while (moved < asked && length_of(packets[moved]) != StreamState::kNotMoved)
    ++moved;
  return moved;
}

} // namespace

uint32_t stream_flags(const StreamOptions& options) {
  return (options.reads ? kReads : 0u) | (options.writes ? kWrites : 0u) |
         (options.with_header ? kWithHeader : 0u) | (options.zero_length ? kZeroLength : 0u) |
         (options.keep_on_reset ? kKeepOnReset : 0u) | (options.fixed_peer ? kFixedPeer : 0u) |
         (options.bound_peer ? kBoundPeer : 0u);
}

StreamOptions stream_options(const StreamRecord& record) {
  const uint32_t flags = record.flags;
  return {(flags & kReads) != 0,       (flags & kWrites) != 0,
          (flags & kWithHeader) != 0,  (flags & kZeroLength) != 0,
          (flags & kKeepOnReset) != 0, (flags & kFixedPeer) != 0,
          (flags & kBoundPeer) != 0,   record.hold};
}

size_t StreamState::state_bytes(uint32_t buffer_bytes) {
  return kMaxStreams * sizeof(StreamRecord) + 2 * sizeof(StreamBatchHeader) + 2 * kPacketsBytes +
         2 * kVectorsBytes + kSeqsBytes + round_up(size_t{kStreamBatch} * buffer_bytes);
}

StreamState::StreamState(std::span<std::byte> state, uint32_t buffer_bytes)
    : buffer_bytes_(buffer_bytes) {
  assert(state.size() >= state_bytes(buffer_bytes));
  assert(reinterpret_cast<uintptr_t>(state.data()) % 8 == 0);
  std::byte* at = state.data();
  records_ = carve<StreamRecord>(at, kMaxStreams, kMaxStreams * sizeof(StreamRecord));
  incoming_ = carve<StreamBatchHeader>(at, 1, sizeof(StreamBatchHeader)).data();
  outgoing_ = carve<StreamBatchHeader>(at, 1, sizeof(StreamBatchHeader)).data();
  incoming_packets_ = carve<mmsghdr>(at, kStreamBatch, kPacketsBytes);
  outgoing_packets_ = carve<mmsghdr>(at, kStreamBatch, kPacketsBytes);
  incoming_vectors_ = carve<iovec>(at, kStreamBatch, kVectorsBytes);
  outgoing_vectors_ = carve<iovec>(at, kStreamBatch, kVectorsBytes);
  outgoing_seqs_ = carve<uint64_t>(at, kStreamBatch, kSeqsBytes);
  incoming_bytes_ = carve<uint8_t>(at, size_t{kStreamBatch} * buffer_bytes, 0);
}

StreamRecord* StreamState::add(uint32_t endpoint, const StreamOptions& options, uint32_t peer,
                               uint32_t generation) {
  uint32_t index = never_used_;
  if (!unused_.empty()) {
    index = unused_.back();
    unused_.pop_back();
  } else if (never_used_ == kMaxStreams) {
    return nullptr;
  } else {
    ++never_used_;
  }
  StreamRecord& record = records_[index];
  assert(endpoint != 0 && record.endpoint == 0);
  persist_store(record.flags, stream_flags(options));
  persist_store(record.hold, options.hold);
  persist_store(record.peer, peer);
  persist_store(record.generation, generation);
  persist_store(record.endpoint, endpoint);
  return &record;
}

void StreamState::forget(StreamRecord& record) {
  persist_store(record.endpoint, 0);
}

void StreamState::give_back(StreamRecord& record) {
  unused_.push_back(static_cast<uint32_t>(&record - records_.data()));
}

std::vector<StreamRecord*> StreamState::load() {
  std::vector<StreamRecord*> found;
  std::unordered_set<uint32_t> endpoints;
  unused_.clear();
  never_used_ = 0;
  for (uint32_t i = 0; i < kMaxStreams; ++i) {
    StreamRecord& record = records_[i];
    if (record.endpoint == 0) continue;
    const bool is_plausible = (record.flags & ~kAllFlags) == 0 && record.hold >= 1 &&
                              (record.flags & (kReads | kWrites)) != 0;
    if (!is_plausible || !endpoints.insert(record.endpoint).second) {
      forget(record);
      continue;
    }
    found.push_back(&record);
    for (; never_used_ < i; ++never_used_)
      unused_.push_back(never_used_);
    never_used_ = i + 1;
  }
  return found;
}

void StreamState::clear() {
  for (StreamRecord& record : records_)
    if (record.endpoint != 0) forget(record);
  if (incoming_->asked != 0) persist_store(incoming_->asked, 0);
  if (outgoing_->asked != 0) persist_store(outgoing_->asked, 0);
  unused_.clear();
  never_used_ = 0;
}

void StreamState::begin_incoming(const StreamBatchHeader& batch, uint32_t count,
                                 uint32_t packet_bytes) {
  assert(count >= 1 && count <= kStreamBatch && packet_bytes <= buffer_bytes_);
  persist_store(incoming_->asked, 0);
  for (uint32_t i = 0; i < count; ++i) {
    incoming_vectors_[i] = {incoming_bytes_.data() + size_t{i} * buffer_bytes_, packet_bytes};
    incoming_packets_[i].msg_hdr = {};
    incoming_packets_[i].msg_hdr.msg_iov = &incoming_vectors_[i];
    incoming_packets_[i].msg_hdr.msg_iovlen = 1;
    persist_store(incoming_packets_[i].msg_len, kNotMoved);
  }
  persist_store(incoming_->endpoint, batch.endpoint);
  persist_store(incoming_->flags, batch.flags);
  persist_store(incoming_->destination, batch.destination);
  persist_store(incoming_->generation, batch.generation);
  persist_store(incoming_->taken, kUndecided);
  persist_store(incoming_->done, 0);
  persist_store(incoming_->asked, count);
}

const uint8_t* StreamState::incoming_bytes(uint32_t entry) const {
  return incoming_bytes_.data() + size_t{entry} * buffer_bytes_;
}

uint32_t StreamState::moved_in() const {
  return leading_moved(incoming_packets_, std::min(incoming_->asked, kStreamBatch));
}

void StreamState::begin_outgoing(uint32_t endpoint) {
  persist_store(outgoing_->asked, 0);
  persist_store(outgoing_->endpoint, endpoint);
}

void StreamState::add_outgoing(uint32_t entry, uint64_t seq, std::span<const uint8_t> packet) {
  assert(entry < kStreamBatch);
  outgoing_vectors_[entry] = {const_cast<uint8_t*>(packet.data()), packet.size()};
  outgoing_packets_[entry].msg_hdr = {};
  outgoing_packets_[entry].msg_hdr.msg_iov = &outgoing_vectors_[entry];
  outgoing_packets_[entry].msg_hdr.msg_iovlen = 1;
  persist_store(outgoing_packets_[entry].msg_len, kNotMoved);
  persist_store(outgoing_seqs_[entry], seq);
}

void StreamState::arm_outgoing(uint32_t count) {
  persist_store(outgoing_->asked, count);
}

void StreamState::end_outgoing() {
  persist_store(outgoing_->asked, 0);
}

bool StreamState::delivered(uint32_t& endpoint, uint64_t& seq) const {
  const uint32_t moved = leading_moved(outgoing_packets_, std::min(outgoing_->asked, kStreamBatch));
  if (moved == 0) return false;
  endpoint = outgoing_->endpoint;
  seq = outgoing_seqs_[moved - 1] + 1;
  return true;
}

} // namespace rpmsg
