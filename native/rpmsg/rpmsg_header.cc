// SPDX-License-Identifier: Apache-2.0
// Byte by byte, so that neither the host's byte order nor the buffer's alignment matters.
#include "rpmsg/rpmsg_header.h"

namespace rpmsg {
namespace {

void put16(uint8_t* to, uint16_t value) {
  to[0] = static_cast<uint8_t>(value);
  to[1] = static_cast<uint8_t>(value >> 8);
}

void put32(uint8_t* to, uint32_t value) {
  put16(to, static_cast<uint16_t>(value));
  put16(to + 2, static_cast<uint16_t>(value >> 16));
}

uint16_t get16(const uint8_t* from) {
  return static_cast<uint16_t>(from[0] | from[1] << 8);
}

uint32_t get32(const uint8_t* from) {
  return get16(from) | static_cast<uint32_t>(get16(from + 2)) << 16;
}

} // namespace

void encode_header(const RpmsgHeader& header, std::span<uint8_t, kHeaderBytes> to) {
  put32(&to[0], header.source);
  put32(&to[4], header.destination);
  put32(&to[8], header.reserved);
  put16(&to[12], header.length);
  put16(&to[14], header.flags);
}

RpmsgHeader decode_header(std::span<const uint8_t, kHeaderBytes> from) {
  return RpmsgHeader{
      .source = get32(&from[0]),
      .destination = get32(&from[4]),
      .reserved = get32(&from[8]),
      .length = get16(&from[12]),
      .flags = get16(&from[14]),
  };
}

} // namespace rpmsg
