// SPDX-License-Identifier: Apache-2.0
// Copies between private and shared memory: any alignment, nothing outside. Which instructions they
// use on arm64 is checked by packaging/dev/check-barriers.mjs.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "memory/shared_copy.h"

using namespace rpmsg;

namespace {

constexpr uint8_t kGuard = 0xEE;
constexpr size_t kMaxAlign = 9;
constexpr size_t kMaxLength = 41;

struct Block {
  alignas(16) std::array<uint8_t, 64> bytes;
  Block() { bytes.fill(kGuard); }
  bool is_untouched_but(size_t start, size_t length) const {
    for (size_t i = 0; i < bytes.size(); ++i) {
      if ((i < start || i >= start + length) && bytes[i] != kGuard) return false;
    }
    return true;
  }
};

template<class Case>
void for_each_alignment(Case run) {
  for (size_t shared = 0; shared < kMaxAlign; ++shared) {
    for (size_t own = 0; own < kMaxAlign; ++own) {
      for (size_t length = 0; length <= kMaxLength; ++length)
        run(shared, own, length);
    }
  }
}

Block counted() {
  Block block;
  std::iota(block.bytes.begin(), block.bytes.end(), uint8_t{1});
  return block;
}

} // namespace

TEST_CASE("rule 13: a copy to shared memory writes its bytes and no others, at any alignment") {
  bool is_right = true;
  for_each_alignment([&](size_t shared, size_t own, size_t length) {
    const Block source = counted();
    Block target;
    copy_to_shared(target.bytes.data() + shared, {source.bytes.data() + own, length});
    is_right &= target.is_untouched_but(shared, length);
    is_right &= std::equal(source.bytes.begin() + own, source.bytes.begin() + own + length,
                           target.bytes.begin() + shared);
  });
  CHECK(is_right);
}

TEST_CASE("rule 13: a copy from shared memory fills its target and no more, at any alignment") {
  bool is_right = true;
  for_each_alignment([&](size_t shared, size_t own, size_t length) {
    const Block source = counted();
    Block target;
    copy_from_shared({target.bytes.data() + own, length}, source.bytes.data() + shared);
    is_right &= target.is_untouched_but(own, length);
    is_right &= std::equal(source.bytes.begin() + shared, source.bytes.begin() + shared + length,
                           target.bytes.begin() + own);
  });
  CHECK(is_right);
}

TEST_CASE("zeroing shared memory zeroes its range and no more, at any alignment") {
  bool is_right = true;
  for_each_alignment([&](size_t shared, size_t, size_t length) {
    Block target;
    zero_shared(target.bytes.data() + shared, length);
    is_right &= target.is_untouched_but(shared, length);
    is_right &= std::all_of(target.bytes.begin() + shared, target.bytes.begin() + shared + length,
                            [](uint8_t byte) { return byte == 0; });
  });
  CHECK(is_right);
}
