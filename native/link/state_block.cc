// SPDX-License-Identifier: Apache-2.0
#include "link/state_block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/unique_fd.h"

namespace rpmsg {

namespace {

std::string unpublished(const std::string& path) {
  return path + ".new";
}

} // namespace

Result<StateBlock> StateBlock::map(int fd, size_t size) {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (base == MAP_FAILED) return Error{Errc::os, errno, "map the state", size};
  return StateBlock(base, size);
}

Result<StateBlock> StateBlock::map_anonymous(const StateSizes& sizes) {
  return map(-1, sizes.total());
}

Result<StateBlock> StateBlock::create_file(const std::string& path, const StateSizes& sizes) {
  const size_t size = sizes.total();
  const std::string beside = unpublished(path);
  if (unlink(beside.c_str()) != 0 && errno != ENOENT) { // of an owner that died right here
    return Error{Errc::os, errno, "remove an unfinished state file", size};
  }
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const UniqueFd fd(::open(beside.c_str(), kFlags, 0600));
  if (!fd) return Error{Errc::os, errno, "create the state file", size};
  // A hole would be SIGBUS at some later store, once the file system is full.
  if (const int error = posix_fallocate(fd.get(), 0, static_cast<off_t>(size)); error != 0) {
    unlink(beside.c_str());
    return Error{Errc::os, error, "allocate the state file", size};
  }
  auto block = map(fd.get(), size);
  if (block) block->path_ = path;
  return block;
}

Result<StateBlock> StateBlock::open_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return Error{Errc::os, errno, "open the state file", 0};
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return Error{Errc::os, errno, "look at the state file", 0};
  const auto size = static_cast<uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || size < sizeof(RemoteRecord)) {
    return Error{Errc::invalid_argument, 0, "use the state file", size};
  }
  // Somebody may have punched a hole into it: a full file system is noticed now or never.
  if (const int error = posix_fallocate(fd.get(), 0, info.st_size); error != 0) {
    return Error{Errc::os, error, "allocate the state file", size};
  }
  return map(fd.get(), size);
}

Result<void> StateBlock::extend(const std::string& path, size_t size) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return Error{Errc::os, errno, "open the state file", size};
  if (const int error = posix_fallocate(fd.get(), 0, static_cast<off_t>(size)); error != 0) {
    return Error{Errc::os, error, "allocate the state file", size};
  }
  auto longer = map(fd.get(), size);
  if (!longer) return longer.error();
  *this = std::move(*longer);
  return {};
}

Result<void> StateBlock::publish() {
  if (path_.empty()) return {};
  if (std::rename(unpublished(path_).c_str(), path_.c_str()) != 0) {
    return Error{Errc::os, errno, "put the state file in its place", size_};
  }
  path_.clear();
  return {};
}

StateBlock::StateBlock(StateBlock&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(other.size_),
      path_(std::exchange(other.path_, {})) {}

StateBlock& StateBlock::operator=(StateBlock&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

StateBlock::~StateBlock() {
  if (base_ != nullptr) munmap(base_, size_);
  if (!path_.empty()) unlink(unpublished(path_).c_str());
}

std::span<std::byte> StateBlock::vdev(uint32_t index, const StateSizes& sizes) {
  std::byte* first = static_cast<std::byte*>(base_) + sizeof(RemoteRecord);
  return {first + index * sizes.vdev_bytes, sizes.vdev_bytes};
}

std::span<std::byte> StateBlock::streams(uint32_t index, const StateSizes& sizes) {
  std::byte* first = static_cast<std::byte*>(base_) + sizes.first_version();
  return {first + index * sizes.stream_bytes, sizes.stream_bytes};
}

} // namespace rpmsg
