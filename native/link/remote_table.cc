// SPDX-License-Identifier: Apache-2.0
#include "link/remote_table.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "memory/barrier.h"
#include "memory/shared_copy.h"
#include "virtio/driver_queue.h"

namespace rpmsg {

namespace {

using namespace virtio_status;

// Of the configuration, which was checked: everything lies below 4 GiB.
VdevMemory memory_of(const RemoteSetup& setup, uint32_t vdev) {
  const uint64_t vring0 = setup.vring_base + vdev * setup.vring_stride;
  VdevMemory memory;
  memory.vrings = {static_cast<uint32_t>(vring0),
                   static_cast<uint32_t>(vring0 + setup.vring1_offset)};
  memory.vring_bytes = static_cast<uint32_t>(DriverQueue::ring_bytes(setup.geometry));
  memory.align = setup.geometry.align;
  memory.num = setup.geometry.num;
  memory.buffers = static_cast<uint32_t>(setup.buffer_base + vdev * setup.buffer_stride);
  memory.buffer_bytes = static_cast<uint32_t>(2 * setup.half_bytes());
  return memory;
}

} // namespace

RemoteTable::RemoteTable(SharedSpan shared, const RemoteSetup& setup)
    : shared_(shared), vdevs_(setup.vdevs), state_(shared ? Look::missing : Look::none) {
  for (uint32_t i = 0; i < vdevs_; ++i)
    memory_[i] = memory_of(setup, i);
  for (auto& at : status_at_)
    at.store(kNowhere, std::memory_order_relaxed);
}

RemoteTable::Look RemoteTable::look() {
  if (!shared_) return Look::none;
  std::array<uint8_t, table_layout::kMaxBytes> copy;
  const size_t bytes = std::min(copy.size(), shared_.size());
  copy_from_shared(std::span(copy).first(bytes), shared_.at(0, bytes));
  const TableReading reading = read_table(std::span(copy).first(bytes));
  if (reading.kind == TableKind::broken) return note_broken(reading.fault);
  if (reading.kind == TableKind::missing) {
    std::snprintf(problem_.data(), problem_.size(),
                  "no resource table at 0x%" PRIx64 " (its first word is not version 1)",
                  shared_.physical());
    same_faults_ = 0;
    return settle(Look::missing);
  }
  const auto memory = std::span(memory_).first(vdevs_);
  if (const auto fault = check_fit(reading.table, memory)) return note_broken(*fault);
  fill_in(shared_, reading.table, memory);
  problem_[0] = '\0';
  same_faults_ = 0;
  for (uint32_t i = 0; i < vdevs_; ++i)
    status_at_[i].store(reading.table.vdevs[i].status_at(), std::memory_order_relaxed);
  const TableTrace& trace = reading.table.trace;
  trace_.store(trace.address | uint64_t{trace.bytes} << 32, std::memory_order_relaxed);
  return settle(Look::sound);
}

RemoteTable::Look RemoteTable::settle(Look look) {
  state_ = look;
  if (look == Look::sound) return look;
  for (auto& at : status_at_)
    at.store(kNowhere, std::memory_order_relaxed);
  trace_.store(0, std::memory_order_relaxed);
  return look;
}

RemoteTable::Look RemoteTable::note_broken(const TableFault& fault) {
  const bool is_same = same_faults_ > 0 && fault == fault_;
  same_faults_ = is_same ? same_faults_ + 1 : 1;
  fault_ = fault;
  const int length = std::snprintf(problem_.data(), problem_.size(),
                                   "resource table at 0x%" PRIx64 ", ", shared_.physical());
  const auto at = static_cast<size_t>(length); // far shorter than its place
  print_fault(fault, std::span(problem_).subspan(at));
  return settle(Look::broken);
}

uint8_t RemoteTable::load(uint32_t vdev) const {
  return *shared_.at(status_at_[vdev].load(std::memory_order_relaxed), 1);
}

void RemoteTable::store(uint32_t vdev, uint8_t value) {
  shared_full_barrier(); // what the byte stands for first; pairs with the remote's after it read it
  *shared_.at(status_at_[vdev].load(std::memory_order_relaxed), 1) = value;
}

void RemoteTable::reset(bool may_be_live) {
  asked_ = 0;
  if (look() != Look::sound) return;
  for (uint32_t i = 0; i < vdevs_; ++i) {
    const uint8_t now = load(i);
    const bool is_asked = may_be_live && (now & (kDriverOk | kNeedsReset)) == kDriverOk;
    if (is_asked) asked_ |= 1u << i;
    store(i, is_asked ? static_cast<uint8_t>((now & ~kDriverOk) | kNeedsReset) : uint8_t{0});
  }
}

bool RemoteTable::is_answered() const {
  if (state_ != Look::sound || asked_ == 0) return false;
  for (uint32_t i = 0; i < vdevs_; ++i)
    if ((asked_ >> i & 1) != 0 && load(i) != 0) return false;
  return true;
}

bool RemoteTable::show_driver_ok(uint32_t vdev) {
  if (state_ != Look::sound) return false;
  asked_ &= ~(1u << vdev);
  uint8_t shown = load(vdev) & (kAcknowledge | kDriver | kDriverOk);
  for (const uint8_t step : {kAcknowledge, kDriver, kDriverOk}) {
    if ((shown & step) != 0) continue;
    shown |= step;
    store(vdev, shown);
  }
  return true;
}

void RemoteTable::show_failed(uint32_t vdev) {
  if (state_ == Look::sound) store(vdev, load(vdev) | kFailed);
}

bool RemoteTable::shows_driver_ok(uint32_t vdev) const {
  return state_ == Look::sound && (load(vdev) & kDriverOk) != 0;
}

bool RemoteTable::wants_reset(uint32_t vdev) const {
  if (state_ != Look::sound) return false;
  const uint8_t now = load(vdev); // once
  return now == 0 || (now & kNeedsReset) != 0;
}

std::optional<uint8_t> RemoteTable::status(uint32_t vdev) const {
  const uint32_t at = status_at_[vdev].load(std::memory_order_relaxed);
  if (at == kNowhere) return {};
  return *shared_.at(at, 1);
}

TableTrace RemoteTable::trace() const {
  const uint64_t trace = trace_.load(std::memory_order_relaxed);
  return {static_cast<uint32_t>(trace), static_cast<uint32_t>(trace >> 32)};
}

} // namespace rpmsg
