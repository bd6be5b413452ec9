// SPDX-License-Identifier: Apache-2.0
#include "resource/table_fault.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

namespace rpmsg {

size_t print_fault(const TableFault& fault, std::span<char> to) {
  if (to.empty()) return 0;
  std::array<char, 24> where{};
  std::array<char, 24> bound{};
  if (fault.entry == TableFault::kHeader) {
    std::snprintf(where.data(), where.size(), "header");
  } else {
    std::snprintf(where.data(), where.size(), "entry %" PRId32, fault.entry);
  }
  if (fault.bound != TableFault::kNoBound) {
    std::snprintf(bound.data(), bound.size(), " 0x%" PRIx64, fault.bound);
  }
  const int length =
      std::snprintf(to.data(), to.size(), "%s, offset 0x%" PRIx32 ": %s is 0x%" PRIx64 ", %s%s",
                    where.data(), fault.offset, fault.field, fault.value, fault.rule, bound.data());
  return length < 0 ? 0 : std::min(static_cast<size_t>(length), to.size() - 1);
}

} // namespace rpmsg
