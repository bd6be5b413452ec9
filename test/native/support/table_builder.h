// SPDX-License-Identifier: Apache-2.0
// Writes resource tables word by word, sound ones unless told otherwise.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace rpmsg::test {

class TableBuilder {
public:
  static constexpr uint32_t kAny = 0xFFFFFFFF;

  /// Room for so many entries; offsets are filled in as they come.
  explicit TableBuilder(uint32_t entries) : bytes_(16 + 4 * size_t{entries}) {
    put(0, 1);
    put(4, entries);
  }

  /// Each returns the entry's offset.
  uint32_t vdev(uint32_t vring0 = kAny, uint32_t vring1 = kAny, uint32_t notify = kAny) {
    const uint32_t at = begin(68, 3);
    put(at + 4, 7);
    put(at + 12, 1);
    bytes_[at + 25] = 2;
    vring(at + 28, vring0, notify);
    vring(at + 48, vring1, notify == kAny ? kAny : notify + 1);
    return at;
  }
  uint32_t trace(uint32_t address, uint32_t length) {
    const uint32_t at = begin(48, 2);
    put(at + 4, address);
    put(at + 8, length);
    name(at + 16, "trace");
    return at;
  }
  uint32_t carveout(const std::string& text, uint32_t address, uint32_t length, uint32_t type = 0) {
    const uint32_t at = begin(56, type);
    put(at + 4, address);
    put(at + 12, length);
    name(at + 24, text);
    return at;
  }
  uint32_t vendor(uint32_t type = 128, uint32_t size_bytes = 8) { return begin(size_bytes, type); }

  void put(size_t at, uint32_t value) { std::memcpy(bytes_.data() + at, &value, sizeof value); }
  uint32_t get(size_t at) const {
    uint32_t value = 0;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  std::vector<uint8_t>& bytes() { return bytes_; }
  std::span<const uint8_t> view() const { return bytes_; }

private:
  uint32_t begin(uint32_t size_bytes, uint32_t type) {
    const auto at = static_cast<uint32_t>(bytes_.size());
    bytes_.resize(at + size_bytes);
    put(16 + 4 * size_t{next_++}, at);
    put(at, type);
    return at;
  }
  void vring(uint32_t at, uint32_t address, uint32_t notify) {
    put(at, address);
    put(at + 4, 0x1000);
    put(at + 8, 256);
    put(at + 12, notify);
  }
  void name(uint32_t at, const std::string& text) {
    std::memcpy(bytes_.data() + at, text.data(), text.size());
  }

  std::vector<uint8_t> bytes_;
  uint32_t next_ = 0;
};

} // namespace rpmsg::test
