// SPDX-License-Identifier: Apache-2.0
// Packets of NXP's services as SRTM, the M core's side of them, has them. README.md, "NXP's
// services".
#pragma once

#include <cstdint>
#include <cstring>

namespace rpmsg::sim {

constexpr uint32_t kNxpHeadBytes = 10;

enum class NxpType : uint8_t { request, reply, notification };
enum class NxpCode : uint8_t { ok, failed, unsupported };

/// The head, of which the last five bytes are not looked at and answered with zeros.
struct NxpHead {
  uint8_t category, major, minor, type, command;
  uint8_t reserved[5];
};
static_assert(sizeof(NxpHead) == kNxpHeadBytes);

constexpr uint8_t kNxpMajor = 1;
constexpr uint8_t kNxpMinor = 0;

/// What stands behind a request's head.
struct NxpRequest {
  uint8_t command;
  const uint8_t* body;
  uint32_t length; // of the body
};

inline uint32_t get32(const uint8_t* at) {
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

inline void put32(uint8_t* at, uint32_t value) {
  std::memcpy(at, &value, sizeof value);
}

} // namespace rpmsg::sim
