// SPDX-License-Identifier: Apache-2.0
// What is wrong with a resource table: where, which value, which rule. Plain data, so that the link
// thread can make and compare one without an allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rpmsg {

struct TableFault {
  static constexpr int32_t kHeader = -1;

  int32_t entry = kHeader; // its number, from 0
  uint32_t offset = 0;     // of the field, in bytes from the table's start
  const char* field = "";
  uint64_t value = 0;
  const char* rule = "";
  uint64_t bound = kNoBound; // ends the rule
  static constexpr uint64_t kNoBound = UINT64_MAX;

  bool operator==(const TableFault& other) const {
    return entry == other.entry && offset == other.offset && value == other.value &&
           bound == other.bound && field == other.field && rule == other.rule;
  }
};

/// Writes "entry 1, offset 0x5c: da is 0x10, must be 0x20", cut to the space there is, with a zero
/// at the end; returns how many bytes without it.
size_t print_fault(const TableFault& fault, std::span<char> to);

} // namespace rpmsg
