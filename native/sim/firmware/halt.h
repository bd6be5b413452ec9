// SPDX-License-Identifier: Apache-2.0
// Where a real core would hang in an assertion: one line on standard error, then the end.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace rpmsg::sim {

constexpr int kHalted = 70; // EX_SOFTWARE

template<class... Values>
[[noreturn]] void halt(const char* format, Values... values) {
  std::fputs("rpmsg-firmware: ", stderr);
  if constexpr (sizeof...(values) == 0)
    std::fputs(format, stderr);
  else
    std::fprintf(stderr, format, values...);
  std::fputc('\n', stderr);
  std::_Exit(kHalted);
}

} // namespace rpmsg::sim
