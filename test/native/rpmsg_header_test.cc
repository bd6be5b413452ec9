// SPDX-License-Identifier: Apache-2.0
// The header's bytes as they stand in a buffer.
#include "rpmsg/rpmsg_header.h"

#include <doctest/doctest.h>

#include <array>
#include <cstring>

using namespace rpmsg;

namespace {

constexpr std::array<uint8_t, kHeaderBytes> kGolden = {
    0x01, 0x04, 0x00, 0x00, // source 0x401
    0x1E, 0x00, 0x00, 0x80, // destination 0x8000001E
    0x78, 0x56, 0x34, 0x12, // reserved
    0xF0, 0x01,             // length 496
    0xCD, 0xAB,             // flags
};

} // namespace

TEST_CASE(
    "a header is encoded little-endian in the order source, destination, reserved, length, flags") {
  std::array<uint8_t, kHeaderBytes> bytes{};
  encode_header({.source = 0x401,
                 .destination = 0x8000001E,
                 .reserved = 0x12345678,
                 .length = 496,
                 .flags = 0xABCD},
                bytes);
  CHECK(bytes == kGolden);
}

TEST_CASE("a header is decoded from any alignment") {
  std::array<uint8_t, kHeaderBytes + 1> shifted{};
  std::memcpy(&shifted[1], kGolden.data(), kGolden.size());
  const RpmsgHeader header = decode_header(std::span<const uint8_t, kHeaderBytes>(&shifted[1], 16));
  CHECK(header.source == 0x401);
  CHECK(header.destination == 0x8000001E);
  CHECK(header.reserved == 0x12345678);
  CHECK(header.length == 496);
  CHECK(header.flags == 0xABCD);
}

TEST_CASE("the highest values of every field survive") {
  std::array<uint8_t, kHeaderBytes> bytes{};
  encode_header({kAnyAddress, kAnyAddress, 0xFFFFFFFF, 0xFFFF, 0xFFFF}, bytes);
  const RpmsgHeader header = decode_header(bytes);
  CHECK(header.source == kAnyAddress);
  CHECK(header.destination == kAnyAddress);
  CHECK(header.length == 0xFFFF);
  CHECK(header.flags == 0xFFFF);
}
