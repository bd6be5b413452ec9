// SPDX-License-Identifier: Apache-2.0
#include "link/endpoint_table.h"

#include <cassert>
#include <unordered_set>

#include "rpmsg/rpmsg_header.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

bool is_plausible(const EndpointRecord& record) {
  return record.local != kAnyAddress && record.rx_queue >= 1 && record.rx_queue <= 65536 &&
         record.tx_credits >= 1 && record.released_seq <= record.next_seq;
}

} // namespace

EndpointTable::EndpointTable(std::span<std::byte> state)
    : records_(reinterpret_cast<EndpointRecord*>(state.data()), kCapacity) {
  assert(state.size() >= state_bytes());
  assert(reinterpret_cast<uintptr_t>(state.data()) % 8 == 0);
}

EndpointRecord* EndpointTable::add(uint32_t id, uint32_t local, uint32_t rx_queue,
                                   uint32_t tx_credits, uint64_t next_seq) {
  uint32_t index = never_used_;
  if (!unused_.empty()) {
    index = unused_.back();
    unused_.pop_back();
  } else if (never_used_ == kCapacity) {
    return nullptr;
  } else {
    ++never_used_;
  }
  EndpointRecord& record = records_[index];
  assert(id != 0 && record.id == 0);
  persist_store(record.local, local);
  persist_store(record.rx_queue, rx_queue);
  persist_store(record.tx_credits, tx_credits);
  persist_store(record.next_seq, next_seq);
  persist_store(record.released_seq, next_seq);
  persist_store(record.id, id);
  return &record;
}

void EndpointTable::forget(EndpointRecord& record) {
  persist_store(record.id, 0);
}

void EndpointTable::give_back(EndpointRecord& record) {
  unused_.push_back(static_cast<uint32_t>(&record - records_.data()));
}

std::vector<EndpointRecord*> EndpointTable::load() {
  std::vector<EndpointRecord*> found;
  std::unordered_set<uint32_t> ids;
  std::unordered_set<uint32_t> locals;
  unused_.clear();
  never_used_ = 0;
  for (uint32_t i = 0; i < kCapacity; ++i) {
    EndpointRecord& record = records_[i];
    if (record.id == 0) continue;
    if (is_plausible(record) && ids.insert(record.id).second &&
        locals.insert(record.local).second) {
      found.push_back(&record);
      for (; never_used_ < i; ++never_used_)
        unused_.push_back(never_used_);
      never_used_ = i + 1;
    } else {
      forget(record);
    }
  }
  return found;
}

void EndpointTable::clear() {
  for (EndpointRecord& record : records_) {
    if (record.id != 0) forget(record);
  }
  unused_.clear();
  never_used_ = 0;
}

std::span<uint64_t> EndpointTable::numbers() {
  return {reinterpret_cast<uint64_t*>(records_.data()), state_bytes() / sizeof(uint64_t)};
}

} // namespace rpmsg
