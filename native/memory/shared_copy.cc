// SPDX-License-Identifier: Apache-2.0
#include "memory/shared_copy.h"

#include <cstring>

namespace rpmsg {
namespace {

// A word of the private side, at any alignment: a constant size makes this one load or store.
template<class Word>
Word load_private(const uint8_t* from) {
  Word word;
  std::memcpy(&word, from, sizeof word); // private memory
  return word;
}

template<class Word>
void store_private(uint8_t* to, Word word) {
  std::memcpy(to, &word, sizeof word); // private memory
}

// The widest access, up to 8 bytes, that is aligned at `shared` and inside the `left` bytes.
size_t step_at(const volatile uint8_t* shared, size_t left) {
  const auto address = reinterpret_cast<uintptr_t>(shared);
  for (size_t width = 8; width > 1; width /= 2) {
    if (address % width == 0 && left >= width) return width;
  }
  return 1;
}

void store_step(volatile uint8_t* to, const uint8_t* from, size_t width) {
  switch (width) {
  case 8: *reinterpret_cast<volatile uint64_t*>(to) = load_private<uint64_t>(from); break;
  case 4: *reinterpret_cast<volatile uint32_t*>(to) = load_private<uint32_t>(from); break;
  case 2: *reinterpret_cast<volatile uint16_t*>(to) = load_private<uint16_t>(from); break;
  default: *to = *from;
  }
}

void load_step(uint8_t* to, const volatile uint8_t* from, size_t width) {
  switch (width) {
  case 8: store_private(to, *reinterpret_cast<const volatile uint64_t*>(from)); break;
  case 4: store_private(to, *reinterpret_cast<const volatile uint32_t*>(from)); break;
  case 2: store_private(to, *reinterpret_cast<const volatile uint16_t*>(from)); break;
  default: *to = *from;
  }
}

// After a step of less than 8 bytes the next one is looked at anew; a run of words is one loop.
constexpr size_t kWord = 8;

} // namespace

void copy_to_shared(volatile uint8_t* to, std::span<const uint8_t> from) {
  const uint8_t* source = from.data();
  size_t left = from.size();
  while (left > 0) {
    const size_t width = step_at(to, left);
    store_step(to, source, width);
    to += width, source += width, left -= width;
    for (; width == kWord && left >= kWord; to += kWord, source += kWord, left -= kWord) {
      *reinterpret_cast<volatile uint64_t*>(to) = load_private<uint64_t>(source);
    }
  }
}

void copy_from_shared(std::span<uint8_t> to, const volatile uint8_t* from) {
  uint8_t* target = to.data();
  size_t left = to.size();
  while (left > 0) {
    const size_t width = step_at(from, left);
    load_step(target, from, width);
    target += width, from += width, left -= width;
    for (; width == kWord && left >= kWord; target += kWord, from += kWord, left -= kWord) {
      store_private(target, *reinterpret_cast<const volatile uint64_t*>(from));
    }
  }
}

void zero_shared(volatile uint8_t* to, size_t size_bytes) {
  constexpr uint8_t kZeroes[kWord] = {};
  while (size_bytes > 0) {
    const size_t width = step_at(to, size_bytes);
    store_step(to, kZeroes, width);
    to += width, size_bytes -= width;
  }
}

} // namespace rpmsg
