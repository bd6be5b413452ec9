// SPDX-License-Identifier: Apache-2.0
#include "link/tap.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rpmsg {

TapWake::TapWake() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

// The reader stores its wish and then looks at the rings; a producer commits a record and then
// looks at the wish. With a full barrier between the two on both sides one of them sees the other.
void TapWake::expect_any() {
  is_any_expected_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void TapWake::after_record() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!is_any_expected_.load(std::memory_order_relaxed)) return;
  if (is_any_expected_.exchange(false, std::memory_order_relaxed)) ring();
}

void TapWake::ring() {
  const uint64_t one = 1;
  while (write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void TapWake::drain() {
  uint64_t count = 0;
  while (read(fd_.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
}

void TapRing::set_filter(uint32_t vdev_mask, uint32_t snap_bytes) {
  vdev_mask_.store(vdev_mask | 1u << kWholeRemote, std::memory_order_relaxed);
  snap_bytes_.store(snap_bytes, std::memory_order_relaxed);
}

std::span<uint8_t> TapRing::begin(TapRecord record, uint32_t data_bytes) {
  if ((vdev_mask_.load(std::memory_order_relaxed) >> record.vdev & 1u) == 0) return {};
  const uint32_t most =
      record.kind == TapKind::life ? kTextBytes : snap_bytes_.load(std::memory_order_relaxed);
  const uint32_t kept = std::min({data_bytes, most, uint32_t{UINT16_MAX}});
  constexpr auto kMask = SpscBytes::kAlignment - 1;
  record.bytes = static_cast<uint32_t>(sizeof record) + ((kept + kMask) & ~kMask);
  uint8_t* const at = ring_.reserve(record.bytes);
  if (at == nullptr) {
    dropped_[record.vdev].add();
    return {};
  }
  record.data_bytes = static_cast<uint16_t>(kept);
  record.dropped = dropped_[record.vdev].get();
  std::memcpy(at, &record, sizeof record); // private memory
  begun_bytes_ = record.bytes;
  return {at + sizeof record, kept};
}

void TapRing::commit() {
  ring_.commit();
  since_wake_ += begun_bytes_;
  if (since_wake_ < kWakeBytes) return wake_.after_record();
  since_wake_ = 0;
  wake_.ring();
}

void TapRing::put(const TapRecord& record, std::span<const uint8_t> head,
                  std::span<const uint8_t> rest) {
  const auto whole = static_cast<uint32_t>(head.size() + rest.size());
  const std::span<uint8_t> place = begin(record, whole);
  if (place.empty()) return;
  const size_t first = std::min(head.size(), place.size());
  const size_t second = place.size() - first;
  std::memcpy(place.data(), head.data(), first);                          // private memory
  if (second > 0) std::memcpy(place.data() + first, rest.data(), second); // private memory
  commit();
}

void TapRing::put_text(uint8_t vdev, uint64_t time_ns, std::string_view text) {
  TapRecord record;
  record.kind = TapKind::life;
  record.vdev = vdev;
  record.time_ns = time_ns;
  put(record, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, {});
}

void Tap::open(TapWake& wake, uint32_t vdev_mask, uint32_t snap_bytes) {
  if (!received_) received_ = std::make_unique<TapRing>(wake);
  if (!sent_) sent_ = std::make_unique<TapRing>(wake);
  received_->set_filter(vdev_mask, snap_bytes);
  sent_->set_filter(vdev_mask, snap_bytes);
  received_now_.store(received_.get(), std::memory_order_release);
  sent_now_.store(sent_.get(), std::memory_order_release);
}

void Tap::close() {
  received_now_.store(nullptr, std::memory_order_relaxed);
  sent_now_.store(nullptr, std::memory_order_relaxed);
}

} // namespace rpmsg
