// SPDX-License-Identifier: Apache-2.0
#include "sim/firmware/trace_log.h"

#include <cstring>

namespace rpmsg::sim {

void TraceLog::place(uint8_t* base, uint32_t size) {
  base_ = base;
  size_ = size;
  end_ = 0;
  std::memset(base_, 0, size_);
}

// The first byte comes last: a reader sees the whole line or none of it.
void TraceLog::append(const char* text, uint32_t length) {
  if (base_ == nullptr) return;
  if (end_ + length >= size_) place(base_, size_);
  std::memcpy(base_ + end_ + 1, text + 1, length - 1);
  base_[end_ + length] = 0;
  __atomic_store_n(base_ + end_, static_cast<uint8_t>(text[0]), __ATOMIC_RELEASE);
  end_ += length;
}

} // namespace rpmsg::sim
