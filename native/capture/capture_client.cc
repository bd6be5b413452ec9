// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_client.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <ctime>

#include "base/clock.h"

namespace rpmsg {

namespace {

constexpr char kClockComment[] =
    "Times are CLOCK_MONOTONIC plus what CLOCK_REALTIME was ahead of it when the capture began.";

uint64_t realtime_ahead_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto real =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
  return real - monotonic_ns(); // wraps, and back, where the clock was never set
}

const char* note_text(TapNote note) {
  switch (note) {
  case TapNote::none: return "";
  case TapNote::malformed: return "dropped: its length field exceeds what its buffer holds";
  case TapNote::no_endpoint: return "dropped: no endpoint has this address";
  case TapNote::no_room: return "dropped: its endpoint's queue is full";
  }
  return "";
}

} // namespace

CaptureClient::CaptureClient(uint32_t id, UniqueFd pipe, CaptureRequest request, uint64_t now_ns)
    : id_(id), pipe_(std::move(pipe)), request_(std::move(request)), begin_ns_(now_ns),
      offset_ns_(realtime_ahead_ns()) {
  for (const CapturePlace& place : request_.places) {
    index_.resize(std::max<size_t>(index_.size(), (place.remote + size_t{1}) * kPlaces), -1);
    index_of(place.remote, place.vdev) = static_cast<int32_t>(interfaces_.size());
    interfaces_.emplace_back();
  }
  open_file(now_ns);
}

/// Into an empty pipe, which has room for far more interfaces than a machine has.
void CaptureClient::open_file(uint64_t now_ns) {
  const auto put = [&](auto block) {
    if (block()) return true;
    return flush() && block();
  };
  bool fits = put([&] { return blocks_.section(request_.application, kClockComment); });
  for (const CapturePlace& place : request_.places) {
    const InterfaceBlock block{request_.snap_bytes, place.name, place.description};
    fits = fits && put([&] { return blocks_.interface(block); });
  }
  for (uint32_t i = 0; i < request_.places.size(); ++i) {
    if (request_.places[i].opening.empty()) continue;
    PacketBlock block;
    block.interface = i;
    block.time_ns = real_ns(now_ns);
    block.comment = request_.places[i].opening;
    fits = fits && put([&] { return blocks_.packet(block, {}); });
  }
  is_over_ = is_over_ || !fits; // without its interfaces a file is nothing
  (void)flush();
}

CaptureClient::Interface* CaptureClient::find(uint32_t remote, uint8_t vdev, uint32_t& index) {
  if (remote * kPlaces + vdev >= index_.size() || index_of(remote, vdev) < 0) return nullptr;
  index = static_cast<uint32_t>(index_of(remote, vdev));
  return &interfaces_[index];
}

void CaptureClient::lose(uint32_t remote, uint8_t vdev, uint64_t lost) {
  uint32_t index = 0;
  Interface* const interface = find(remote, vdev, index);
  if (interface == nullptr) return;
  interface->received += lost;
  interface->dropped += lost;
  interface->unsaid += lost;
}

void CaptureClient::take(uint32_t remote, const TapRecord& record, std::span<const uint8_t> data,
                         uint64_t lost) {
  uint32_t index = 0;
  Interface* const interface = find(remote, record.vdev, index);
  if (interface == nullptr || is_over_ || record.time_ns < begin_ns_) return;
  if (lost > 0) lose(remote, record.vdev, lost);
  if (write_packet(index, record, data) || (flush() && write_packet(index, record, data))) {
    interface->received += 1;
    interface->unsaid = 0;
    return;
  }
  lose(remote, record.vdev, 1);
}

bool CaptureClient::write_packet(uint32_t index, const TapRecord& record,
                                 std::span<const uint8_t> data) {
  std::array<char, BlockBuffer::kMostCommentBytes> comment{};
  const uint64_t unsaid = interfaces_[index].unsaid;
  int length = 0;
  if (unsaid > 0) {
    length =
        std::snprintf(comment.data(), comment.size(), "%" PRIu64 " before this %s not captured",
                      unsaid, unsaid == 1 ? "was" : "were");
  }
  const bool is_text = record.kind == TapKind::life;
  const std::string_view text =
      is_text ? std::string_view(reinterpret_cast<const char*>(data.data()), data.size())
              : std::string_view(note_text(record.note));
  if (!text.empty()) {
    const auto at = static_cast<size_t>(length);
    length += std::snprintf(comment.data() + at, comment.size() - at, "%s%.*s", at > 0 ? "; " : "",
                            static_cast<int>(text.size()), text.data());
  }
  PacketBlock block;
  block.interface = index;
  block.time_ns = real_ns(record.time_ns);
  block.original_bytes = record.original_bytes;
  block.dropped = unsaid;
  block.comment = {comment.data(),
                   std::min<size_t>(static_cast<size_t>(length), comment.size() - 1)};
  if (is_text) return blocks_.packet(block, {});
  block.direction = record.kind == TapKind::sent ? PacketBlock::Direction::outbound
                                                 : PacketBlock::Direction::inbound;
  return blocks_.packet(block, data.first(std::min<size_t>(data.size(), request_.snap_bytes)));
}

void CaptureClient::settle(uint64_t now_ns, bool is_last) {
  for (uint32_t i = 0; i < interfaces_.size() && !is_over_; ++i) {
    Interface& interface = interfaces_[i];
    if (!is_last && interface.dropped == interface.stated) continue;
    const StatisticsBlock block{i, real_ns(now_ns), interface.received, interface.dropped};
    if (!blocks_.statistics(block) && !(flush() && blocks_.statistics(block))) return;
    interface.stated = interface.dropped;
  }
  (void)flush();
}

/// Writes everything, or nothing. True: the buffer is empty.
bool CaptureClient::flush() {
  if (is_over_) return false;
  if (blocks_.empty()) return true;
  const std::span<const uint8_t> bytes = blocks_.bytes();
  ssize_t written = -1;
  do
    written = write(pipe_.get(), bytes.data(), bytes.size());
  while (written < 0 && errno == EINTR);
  if (written < 0) {
    is_over_ = errno != EAGAIN;
    return false;
  }
  blocks_.clear();
  return true;
}

} // namespace rpmsg
