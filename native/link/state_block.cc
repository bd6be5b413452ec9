// SPDX-License-Identifier: Apache-2.0
#include "link/state_block.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace rpmsg {

Result<StateBlock> StateBlock::map_anonymous(uint32_t vdevs, size_t vdev_bytes) {
  const size_t size = sizeof(RemoteRecord) + vdevs * vdev_bytes;
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return Error{Errc::os, errno, "map the state block", size};
  StateBlock block(base, size, vdev_bytes);
  block.remote().layout_version = kLayoutVersion;
  block.remote().vdevs = vdevs;
  return block;
}

StateBlock::StateBlock(StateBlock&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(other.size_),
      vdev_bytes_(other.vdev_bytes_) {}

StateBlock::~StateBlock() {
  if (base_ != nullptr) munmap(base_, size_);
}

std::span<std::byte> StateBlock::vdev(uint32_t index) {
  std::byte* first = static_cast<std::byte*>(base_) + sizeof(RemoteRecord);
  return {first + index * vdev_bytes_, vdev_bytes_};
}

} // namespace rpmsg
