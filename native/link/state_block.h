// SPDX-License-Identifier: Apache-2.0
// The memory that a crash must not lose: one mapping a remote, a RemoteRecord, an area a vdev and
// an area for the streams of each vdev, plain data only. A file on tmpfs in the daemon, so that it
// outlives the process; anonymous memory where nobody resumes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "link/life_record.h"

namespace rpmsg {

/// Bytes of the areas behind the RemoteRecord: first those of the vdevs, then those of their
/// streams, which states of the first version end without.
struct StateSizes {
  uint32_t vdevs = 1;
  size_t vdev_bytes = 0;
  size_t stream_bytes = 0;

  size_t first_version() const { return sizeof(RemoteRecord) + vdevs * vdev_bytes; }
  size_t total() const { return first_version() + vdevs * stream_bytes; }
};

class StateBlock {
public:
  /// All zero. Errors: os.
  static Result<StateBlock> map_anonymous(const StateSizes& sizes);

  /// The same as a new file beside `path`, mode 0600, with all of its blocks allocated, so that no
  /// store can fail later. It replaces what is at `path` with publish(), and not before. Errors:
  /// os.
  static Result<StateBlock> create_file(const std::string& path, const StateSizes& sizes);

  /// Maps the file at `path`, which is at least as long as a RemoteRecord; what is in it is for the
  /// caller to judge. Errors: os, with ENOENT when there is none; invalid_argument, with its size
  /// in bytes, when it is too short or no regular file of this user.
  static Result<StateBlock> open_file(const std::string& path);

  /// Makes the opened file and its mapping longer, with zeros. Errors: os, and nothing changed.
  Result<void> extend(const std::string& path, size_t size);

  /// Puts the created file at its path. From then on a successor finds it.
  Result<void> publish();

  StateBlock(StateBlock&& other) noexcept;
  StateBlock& operator=(StateBlock&& other) noexcept;
  StateBlock(const StateBlock&) = delete;
  StateBlock& operator=(const StateBlock&) = delete;
  ~StateBlock();

  size_t size() const { return size_; }
  RemoteRecord& remote() { return *static_cast<RemoteRecord*>(base_); }
  const RemoteRecord& remote() const { return *static_cast<const RemoteRecord*>(base_); }
  /// The areas of one vdev; the block is long enough.
  std::span<std::byte> vdev(uint32_t index, const StateSizes& sizes);
  std::span<std::byte> streams(uint32_t index, const StateSizes& sizes);

private:
  StateBlock(void* base, size_t size) : base_(base), size_(size) {}
  static Result<StateBlock> map(int fd, size_t size);

  void* base_;
  size_t size_;
  std::string path_; // where publish() puts it; empty when there is nothing to publish
};

} // namespace rpmsg
