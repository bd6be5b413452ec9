// SPDX-License-Identifier: Apache-2.0
// A ring of records of any length between one producer and one consumer thread, in private memory
// (never shared with a remote). A record is contiguous; what is in it is the users' business.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace rpmsg {

class SpscBytes {
public:
  /// Records are multiples of this many bytes and start at multiples of it.
  static constexpr uint32_t kAlignment = 8;

  /// A power of two, 64 bytes to 1 GiB. The only allocation.
  explicit SpscBytes(uint32_t capacity_bytes);
  SpscBytes(const SpscBytes&) = delete;
  SpscBytes& operator=(const SpscBytes&) = delete;

  uint32_t capacity() const { return capacity_; }

  // The producer.

  /// Room for one record of `bytes` (a multiple of kAlignment, at least one), or nullptr when there
  /// is none now. Up to half the capacity, there always is once the ring is empty. A reservation
  /// that is not committed is forgotten by the next.
  uint8_t* reserve(uint32_t bytes);
  /// Hands the reserved record to the consumer.
  void commit();
  /// Bytes not in use. At the end of the buffer up to one record's size of it can be lost to keep a
  /// record contiguous.
  uint32_t free_bytes();

  // The consumer.

  /// Whole records, in order, that are contiguous in memory; empty when there is nothing. There may
  /// be more behind them, after consume(). Valid until consumed.
  std::span<const uint8_t> readable();
  /// Frees the first bytes of the last readable(): whole records, not necessarily all.
  void consume(uint32_t bytes);

private:
  // Positions count bytes since the beginning and never wrap in practice; a lap is one pass of them
  // over the buffer.
  uint64_t offset(uint64_t position) const { return position & (capacity_ - 1); }
  uint64_t lap(uint64_t position) const { return position & ~uint64_t{capacity_ - 1}; }

  const uint32_t capacity_;
  const std::unique_ptr<uint64_t[]> buffer_; // of words, for the alignment of records

  // Written by the producer.
  alignas(64) std::atomic<uint64_t> head_{0}; // end of what is committed
  std::atomic<uint64_t> lap_end_{0};          // where the records of the last finished lap end
  uint64_t known_tail_ = 0;
  uint64_t reserved_at_ = 0;
  uint32_t reserved_bytes_ = 0;

  // Written by the consumer.
  alignas(64) std::atomic<uint64_t> tail_{0}; // end of what is consumed
};

} // namespace rpmsg
