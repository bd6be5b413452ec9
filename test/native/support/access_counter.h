// SPDX-License-Identifier: Apache-2.0
// Sees every load and store that this thread makes in some pages, by forbidding them and single-
// stepping over each fault. x86-64 only; not under ThreadSanitizer, which defers signals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/barrier.h"

#if defined(__x86_64__) && !defined(RPMSG_THREAD_SANITIZER)
#define RPMSG_CAN_COUNT_ACCESSES 1
#endif

namespace rpmsg::test {

class AccessCounter {
public:
  struct Access {
    size_t offset; // of its first byte
    bool is_store;
  };

  /// Whole pages. One at a time in a process.
  AccessCounter(void* base, size_t size_bytes);
  ~AccessCounter();
  AccessCounter(const AccessCounter&) = delete;
  AccessCounter& operator=(const AccessCounter&) = delete;

  /// Ends the counting; the accesses in the order in which they were made (at most 4,096).
  std::vector<Access> stop();
};

} // namespace rpmsg::test
