// SPDX-License-Identifier: Apache-2.0
// Owns one shared mapping of a descriptor's memory and removes it once.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <utility>

namespace rpmsg {

class Mapping {
public:
  Mapping() = default;
  /// Readable and writable; false afterwards, with errno as mmap(2) left it, if that failed. The
  /// descriptor may be closed.
  Mapping(int fd, uint64_t length, uint64_t offset)
      : base_(::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                     static_cast<off_t>(offset))),
        length_(length) {}
  Mapping(Mapping&& other) noexcept
      : base_(std::exchange(other.base_, MAP_FAILED)), length_(other.length_) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(length_, other.length_);
    return *this;
  }
  ~Mapping() {
    if (*this) ::munmap(base_, length_);
  }
  explicit operator bool() const { return base_ != MAP_FAILED; }
  void* base() const { return base_; }

private:
  void* base_ = MAP_FAILED;
  size_t length_ = 0;
};

} // namespace rpmsg
