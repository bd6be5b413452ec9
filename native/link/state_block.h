// SPDX-License-Identifier: Apache-2.0
// The memory that a crash must not lose: one mapping a remote, a RemoteRecord and an area a vdev,
// plain data only. A file on tmpfs in the daemon, so that it outlives the process; anonymous memory
// where nobody resumes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "link/life_record.h"

namespace rpmsg {

class StateBlock {
public:
  static size_t file_bytes(uint32_t vdevs, size_t vdev_bytes) {
    return sizeof(RemoteRecord) + vdevs * vdev_bytes;
  }

  /// All zero: `vdevs` areas of `vdev_bytes` each behind a RemoteRecord. Errors: os.
  static Result<StateBlock> map_anonymous(uint32_t vdevs, size_t vdev_bytes);

  /// The same as a new file beside `path`, mode 0600, with all of its blocks allocated, so that no
  /// store can fail later. It replaces what is at `path` with publish(), and not before. Errors:
  /// os.
  static Result<StateBlock> create_file(const std::string& path, uint32_t vdevs, size_t vdev_bytes);

  /// Maps the file at `path`, which is at least as long as a RemoteRecord; what is in it is for the
  /// caller to judge. Errors: os, with ENOENT when there is none; invalid_argument, with its size
  /// in bytes, when it is too short or no regular file of this user.
  static Result<StateBlock> open_file(const std::string& path);

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
  /// The area of one vdev of `vdev_bytes`; the block is long enough.
  std::span<std::byte> vdev(uint32_t index, size_t vdev_bytes);

private:
  StateBlock(void* base, size_t size) : base_(base), size_(size) {}
  static Result<StateBlock> map(int fd, size_t size);

  void* base_;
  size_t size_;
  std::string path_; // where publish() puts it; empty when there is nothing to publish
};

} // namespace rpmsg
