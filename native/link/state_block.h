// SPDX-License-Identifier: Apache-2.0
// The memory that a crash must not lose: one mapping a remote, plain data only. Anonymous today; a
// file of the same layout makes it outlive the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace rpmsg {

/// At the start of a remote's block. Stable format, host byte order.
struct RemoteRecord {
  uint32_t layout_version;
  uint32_t phase; // RemotePhase
  uint32_t generation;
  uint32_t vdevs;
  uint64_t reserved[6];
};
static_assert(sizeof(RemoteRecord) == 64);

/// How far the present life has come, as a successor of this process must know it.
enum class RemotePhase : uint32_t { none = 0, resetting = 1, waiting = 2, attached = 3 };

class StateBlock {
public:
  static constexpr uint32_t kLayoutVersion = 1;

  /// Maps `vdevs` areas of `vdev_bytes` each behind a RemoteRecord, all zero.
  static Result<StateBlock> map_anonymous(uint32_t vdevs, size_t vdev_bytes);

  StateBlock(StateBlock&& other) noexcept;
  StateBlock& operator=(StateBlock&&) = delete;
  StateBlock(const StateBlock&) = delete;
  ~StateBlock();

  RemoteRecord& remote() { return *static_cast<RemoteRecord*>(base_); }
  std::span<std::byte> vdev(uint32_t index);

private:
  StateBlock(void* base, size_t size, size_t vdev_bytes)
      : base_(base), size_(size), vdev_bytes_(vdev_bytes) {}

  void* base_;
  size_t size_;
  size_t vdev_bytes_;
};

} // namespace rpmsg
