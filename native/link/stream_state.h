// SPDX-License-Identifier: Apache-2.0
// What of a vdev's streams must survive a crash: which endpoints have one, and the one batch of
// packets each way that was being moved. Plain data in persistent memory; the kernel itself stores
// how much of a batch has moved (mmsghdr.msg_len), which no crash can separate from moving it.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rpmsg {

/// Streams of one vdev at most.
inline constexpr uint32_t kMaxStreams = 1024;
/// Packets moved by one system call at most: what a remote may have to wait for us.
inline constexpr uint32_t kStreamBatch = 32;

/// How a stream was acquired.
struct StreamOptions {
  bool reads = true;          // remote to client
  bool writes = true;         // client to remote
  bool with_header = false;   // each packet begins with the RPMsg header
  bool zero_length = false;   // empty messages are delivered, as a packet of no bytes
  bool keep_on_reset = false; // what a reset finds in the socket goes to the next life
  bool fixed_peer = false;    // the peer's address stays over resets
  bool bound_peer = false;    // the peer is a channel: nobody becomes it by sending
  uint32_t hold = 0;          // messages kept for a client that does not read, at most
};

/// Stable format, 64 bytes, host byte order.
struct StreamRecord {
  uint32_t endpoint; // the link's handle; 0 = the record is free. Stored last
  uint32_t flags;
  uint32_t hold;
  uint32_t peer;       // kAnyAddress while it is not known
  uint32_t generation; // of the life for which the packets in the socket were written
  uint32_t reserved[11];
};
static_assert(sizeof(StreamRecord) == 64 && offsetof(StreamRecord, generation) == 16);

uint32_t stream_flags(const StreamOptions& options);
StreamOptions stream_options(const StreamRecord& record);

/// At the start of a batch, 64 bytes. `asked` not 0: packets of `endpoint` are being moved.
struct StreamBatchHeader {
  uint32_t asked; // entries given to the kernel; stored last as a batch begins, 0 as it ends
  uint32_t endpoint;
  uint32_t taken;       // from a client: entries that are messages, kUndecided until that is known
  uint32_t flags;       // from a client: StreamRecord.flags
  uint32_t destination; // from a client: the peer
  uint32_t generation;  // from a client: of the life they are for
  uint64_t done;        // from a client: entries that were dealt with; one of the queue's numbers
  uint64_t reserved[4];
};
static_assert(sizeof(StreamBatchHeader) == 64 && offsetof(StreamBatchHeader, done) == 24);

class StreamState {
public:
  static constexpr uint32_t kUndecided = 0xFFFFFFFF;
  /// What msg_len says of a packet that has not moved.
  static constexpr unsigned kNotMoved = ~0u;

  /// Bytes for buffers of `buffer_bytes` each, a multiple of 64.
  static size_t state_bytes(uint32_t buffer_bytes);

  /// `state` is 8-byte aligned, at least state_bytes() long, zeroed or an earlier process's.
  StreamState(std::span<std::byte> state, uint32_t buffer_bytes);

  // Records: the main thread's, but for forget() and what is inside of one in use.

  /// A record for a new stream, or nullptr when all are in use.
  StreamRecord* add(uint32_t endpoint, const StreamOptions& options, uint32_t peer,
                    uint32_t generation);
  static void forget(StreamRecord& record);
  void give_back(StreamRecord& record);
  /// Of what an earlier process left: those in use.
  std::vector<StreamRecord*> load();
  void clear();

  // The batch from a client to the ring. The link thread's.

  StreamBatchHeader& incoming() { return *incoming_; }
  /// Prepares `count` entries of up to `packet_bytes` each; then recvmmsg() into
  /// incoming_packets().
  void begin_incoming(const StreamBatchHeader& batch, uint32_t count, uint32_t packet_bytes);
  std::span<mmsghdr> incoming_packets() { return incoming_packets_; }
  const uint8_t* incoming_bytes(uint32_t entry) const;
  /// How many entries from the first on the kernel has stored, of `asked`.
  uint32_t moved_in() const;
  /// The one number that a post changes (DriverQueue::set_numbers).
  std::span<uint64_t> numbers() { return {&incoming_->done, 1}; }

  // The batch from slots to a client. The link thread's.

  void begin_outgoing(uint32_t endpoint);
  void add_outgoing(uint32_t entry, uint64_t seq, std::span<const uint8_t> packet);
  /// From here on what the kernel moves counts as delivered.
  void arm_outgoing(uint32_t count);
  std::span<mmsghdr> outgoing_packets() { return outgoing_packets_; }
  void end_outgoing();
  /// Of a batch that a crash interrupted: whose messages before `seq` were delivered. False: none.
  bool delivered(uint32_t& endpoint, uint64_t& seq) const;

private:
  std::span<StreamRecord> records_;
  StreamBatchHeader* incoming_;
  std::span<mmsghdr> incoming_packets_;
  std::span<iovec> incoming_vectors_;
  std::span<uint8_t> incoming_bytes_;
  StreamBatchHeader* outgoing_;
  std::span<mmsghdr> outgoing_packets_;
  std::span<iovec> outgoing_vectors_;
  std::span<uint64_t> outgoing_seqs_;
  uint32_t buffer_bytes_;
  uint32_t never_used_ = 0;
  std::vector<uint32_t> unused_;
};

} // namespace rpmsg
