// SPDX-License-Identifier: Apache-2.0
// A fuzzer's bytes, taken as decisions; zeroes when they run out.
#pragma once

#include <cstdint>
#include <span>

namespace rpmsg::test {

class FuzzInput {
public:
  explicit FuzzInput(std::span<const uint8_t> bytes) : left_(bytes) {}

  bool is_empty() const { return left_.empty(); }
  uint8_t u8() {
    if (left_.empty()) return 0;
    const uint8_t value = left_.front();
    left_ = left_.subspan(1);
    return value;
  }
  uint16_t u16() {
    const uint8_t low = u8();
    return static_cast<uint16_t>(low | u8() << 8);
  }

private:
  std::span<const uint8_t> left_;
};

} // namespace rpmsg::test
