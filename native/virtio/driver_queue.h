// SPDX-License-Identifier: Apache-2.0
// The driver side of one split virtqueue: posts buffers, checks and takes what the remote returns.
// Knows rings and buffers; knows nothing of MU words, addresses or who waits for a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "memory/shared_span.h"
#include "virtio/queue_geometry.h"
#include "virtio/queue_state.h"
#include "virtio/ring_fault.h"
#include "virtio/ring_layout.h"
#include "virtio/slot_arena.h"

namespace rpmsg {

/// What the remote does with the buffers of a queue.
enum class BufferUse : uint8_t {
  remote_writes, // vring0: remote to host
  remote_reads,  // vring1: host to remote
};

/// One validated entry of the used ring, as values: nothing in it is read from the ring again.
struct UsedBuffer {
  uint16_t id = 0;
  uint32_t length_bytes = 0; // as the remote reports it: at most what was posted
  uint32_t owner = 0;        // as given to post_message()
  uint64_t position = 0;     // which use of the ring, counted from 0 since start_fresh()
};

/// A number beside the queue (see set_numbers) that changes in the commit of a take or a post.
struct NumberUpdate {
  uint64_t* where = nullptr; // null: none
  uint64_t value = 0;
};

/// Descriptor k is bound to buffer k. All that the remote can only read (descriptors, avail) is
/// written from a private shadow in `state` and never read back; each field that it can write is
/// read once, checked, then used. The first violation poisons the queue until start_fresh().
///
/// Survives a SIGKILL at any instruction: a message is posted or it is not, a used entry is taken
/// or it is not; resume() finishes what was committed. Not thread-safe. No allocation after
/// construction, no system call ever.
class DriverQueue {
public:
  /// Bytes of persistent state, and of ring, that a queue of this geometry needs.
  static size_t state_bytes(const QueueGeometry& geometry);
  static size_t ring_bytes(const QueueGeometry& geometry);

  /// The geometry is valid (is_valid), the ring's base 16-byte aligned, the state's 8-byte aligned;
  /// `buffers` holds num × buffer_bytes. The memory outlives the queue and is not touched here:
  /// call start_fresh() or resume() before anything else. Only has_used() may be asked before that,
  /// with zeroed state: has somebody used this ring already?
  DriverQueue(const QueueGeometry& geometry, BufferUse use, SharedSpan ring, SharedSpan buffers,
              std::span<std::byte> state);

  /// Persistent numbers, at the same place in every life of the state, that a take or a post may
  /// change in its commit. Before resume() or recover(); none unless called.
  void set_numbers(std::span<uint64_t> numbers) { numbers_ = numbers; }

  /// Cold start: zeroes the ring, forgets everything, poison included. Interrupts are wanted. Posts
  /// nothing. Legal only while no remote uses the ring. A crash inside leaves a state that resume()
  /// refuses.
  void start_fresh();

  /// Takes over a live ring: finishes the operation that a crash interrupted, rebuilds what is not
  /// persistent, writes the avail ring again from the shadow (the same values: idempotent). `arena`
  /// is where messages of this queue go (vring0) and is rebuilt too; null for a queue without one.
  /// Leaves avail.flags alone: call set_interrupts(). False, with nothing written to the ring, when
  /// the state is not one of this geometry and use or contradicts itself.
  [[nodiscard]] bool resume(SlotArena* arena = nullptr);

  /// Before start_fresh() over the state of an earlier process: applies what it had committed, so
  /// that a message it took is in its slot, and touches no ring. False, with nothing applied, when
  /// the state is not one of this geometry and use. `arena` as in resume(), rebuilt by the caller.
  bool recover(SlotArena* arena);

  /// Takes over a live ring whose state is lost (ARCHITECTURE.md): what the remote used counts
  /// as taken, what is available beyond it as in flight, with no owner. False, with nothing
  /// stored, unless the ids are in range and distinct and every descriptor is exactly as this queue
  /// writes it. Leaves avail.flags alone. Allocates.
  bool adopt();
  /// From here on resume() refuses, until start_fresh() or adopt().
  void discard_state();
  /// No driver ever laid this ring out: its indexes and its first descriptor are zero.
  bool ring_is_blank() const;

  /// Calls visit(owner) for each buffer that the remote may use.
  template<class Visit>
  void for_each_in_flight(Visit visit) const {
    for (uint32_t i = 0; i < geometry_.num; ++i) {
      if (state_.in_flight[i] != 0) visit(state_.owner[i]);
    }
  }

  /// Buffers altogether. Any thread.
  uint16_t num() const { return geometry_.num; }
  /// Buffers that are ours, and buffers that the remote may use. Their sum is num.
  uint16_t idle_buffers() const { return idle_count_; }
  uint16_t in_flight() const { return static_cast<uint16_t>(geometry_.num - idle_count_); }

  /// remote_writes: gives the remote one idle buffer. False when none is idle or the queue is
  /// poisoned.
  bool post_empty();

  /// remote_reads: one message of header and payload, together 16 to buffer_bytes bytes. On true
  /// the remote can see it (full barrier included: whatever decides about a kick may be read next).
  /// False when no buffer is idle or the queue is poisoned. `owner` comes back in UsedBuffer.
  bool post_message(std::span<const uint8_t> header, std::span<const uint8_t> payload,
                    uint32_t owner, NumberUpdate also = {});

  /// False if the remote asked not to be kicked (NO_NOTIFY) when it could see the latest post. A
  /// hint: a wrong one costs latency only.
  bool remote_wants_kick() const { return is_kick_wanted_; }

  enum class Peek : uint8_t { nothing, ready, fault };

  /// Looks at the next used entry. On `ready` `out` is valid until it is taken or peek() is called
  /// again. `fault` forever once the queue is poisoned.
  Peek peek(UsedBuffer& out);

  /// Copies [offset, offset + to.size()) of a peeked buffer into private memory; the range lies
  /// within its length_bytes. Parse the copy, never the buffer.
  void copy_out(const UsedBuffer& used, uint32_t offset, std::span<uint8_t> to) const;

  /// Takes the entry that peek() returned last: its buffer is idle and can be posted again.
  void take(const UsedBuffer& used, NumberUpdate also = {});

  /// The same, and in one commit the reserved slot, whose bytes were copied in already, becomes
  /// filled with `record` (its state is ignored): before it the ring owns the message, after it
  /// the slot.
  void take(const UsedBuffer& used, SlotArena& arena, uint32_t slot, const SlotRecord& record,
            NumberUpdate also = {});

  /// Says in avail.flags whether an interrupt for a used buffer is wanted; the remote may ignore
  /// it. True if there is something to peek at, looked at after the flag could be seen: when
  /// re-enabling, nothing can slip in between.
  bool set_interrupts(bool wanted);

  bool poisoned() const { return fault() != RingFault::none; }
  RingFault fault() const;
  /// The value that broke the rule; see RingFault.
  uint64_t fault_value() const;

  /// How many buffers were posted, and how many used ones taken, since start_fresh().
  uint64_t posted_position() const;
  uint64_t used_position() const;

  /// True if used.idx differs from ours: an unchecked hint, e.g. for polling.
  bool has_used() const;
  /// How many buffers the remote has and has not used, as it says now: as unchecked a hint.
  uint16_t unused_buffers() const;
  /// True if the remote had used every buffer that was posted before the latest post: it is why a
  /// returned buffer is worth a kick at all. Asked after the post, when its full barrier is behind
  /// us: a remote that found none before that sees the post, or we see that it had none.
  bool remote_had_none() const;

private:
  void write_descriptor(uint16_t id, uint32_t length_bytes);
  void post(uint16_t id, uint32_t length_bytes, uint32_t owner, NumberUpdate also);
  void publish_post(uint16_t id);
  void record_number(NumberUpdate also);
  void apply_number();
  void commit_take(const UsedBuffer& used, SlotArena* arena, uint32_t slot, NumberUpdate also);
  Peek poison(RingFault fault, uint64_t value);
  RingFault check(uint32_t id, uint32_t length_bytes) const;

  bool can_apply(const SlotArena* arena) const;
  void apply(SlotArena* arena);
  void apply_post();
  void apply_take(SlotArena* arena);
  void rewrite_ring();
  void write_identity();
  uint32_t own_descriptor(uint16_t id) const;
  void write_adopted(const std::vector<uint32_t>& lengths, const std::vector<uint16_t>& ids,
                     uint64_t used, uint16_t in_flight);
  void rebuild_volatile();
  void push_idle(uint16_t id);
  uint16_t pop_idle();

  QueueGeometry geometry_;
  BufferUse use_;
  RingLayout layout_;
  SharedSpan ring_;
  SharedSpan buffers_;
  QueueState state_;
  std::span<uint64_t> numbers_;
  uint16_t seen_used_index_ = 0; // used.idx as last read and checked
  bool is_kick_wanted_ = true;
  uint16_t idle_head_ = 0; // idle_[(idle_head_ + i) % num], i < idle_count_: first in, first out
  uint16_t idle_count_ = 0;
  std::vector<uint16_t> idle_;
};

} // namespace rpmsg
