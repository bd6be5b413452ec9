// SPDX-License-Identifier: Apache-2.0
// Text for people in a trace buffer: ends with a zero byte, and begins anew when the buffer is
// full.
#pragma once

#include <cstdint>
#include <cstdio>

namespace rpmsg::sim {

class TraceLog {
public:
  void place(uint8_t* base, uint32_t size);
  /// One line. Nothing where there is no buffer.
  template<class... Values>
  void say(const char* format, Values... values) {
    char line[128];
    int length = 0;
    if constexpr (sizeof...(values) == 0)
      length = std::snprintf(line, sizeof line, "%s\n", format);
    else
      length = std::snprintf(line, sizeof line, format, values...);
    if (length > 0 && length < static_cast<int>(sizeof line))
      append(line, static_cast<uint32_t>(length));
  }

private:
  void append(const char* text, uint32_t length);

  uint8_t* base_ = nullptr;
  uint32_t size_ = 0;
  uint32_t end_ = 0;
};

} // namespace rpmsg::sim
