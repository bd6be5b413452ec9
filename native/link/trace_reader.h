// SPDX-License-Identifier: Apache-2.0
// Reads the trace buffer that a remote's resource table names: text in the remote's own memory,
// which it goes on writing meanwhile. Main thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "link/remote_table.h"
#include "platform/platform.h"

namespace rpmsg {

class TraceReader {
public:
  /// What one read copies at most.
  static constexpr uint32_t kMaxBytes = 65536;

  TraceReader(Platform& platform, const RemoteTable& table) : platform_(platform), table_(table) {}

  struct Read {
    Errc code = Errc::ok; // not_supported: there is no trace buffer, or none that can be read
    std::string message;  // why not, for a person
    std::vector<uint8_t> bytes;
    uint64_t next_offset = 0;
  };
  /// From `offset` in the buffer up to `max_bytes`, to the first zero byte or to the buffer's end.
  /// Begins at 0 where the text does not reach `offset` any more: the remote began it anew.
  Read read(uint64_t offset, uint32_t max_bytes);

private:
  Platform& platform_;
  const RemoteTable& table_;
  TableTrace mapped_; // what span_ is of
  SharedSpan span_;
};

} // namespace rpmsg
