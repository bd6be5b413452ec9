// SPDX-License-Identifier: Apache-2.0
// Where everything is in a resource table, as remoteproc and OpenAMP lay it out
// (linux/remoteproc.h, openamp/remoteproc.h): little-endian 32-bit words, offsets from the start of
// the table or of an entry, whose first word is its type.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rpmsg::table_layout {

constexpr uint32_t kVersion = 1;
constexpr uint32_t kAnyAddress = 0xFFFFFFFF; // FW_RSC_ADDR_ANY: the host is to choose

// What is read of a table at most, and how many entries it may have: what Linux' imx_rproc gives
// it, and room for eight vdevs and as many others.
constexpr size_t kMaxBytes = 1024;
constexpr uint32_t kMaxEntries = 16;

constexpr size_t kHeaderBytes = 16; // version, number of entries, two reserved words
constexpr size_t kCountAt = 4;
constexpr size_t kReservedAt = 8;

enum Type : uint32_t {
  kCarveout = 0,
  kDevmem = 1,
  kTrace = 2,
  kVdev = 3,
  kFirstVendor = 128,
  kLastVendor = 512,
};

constexpr size_t kNameBytes = 32;

// A vdev entry: 28 bytes, its vrings, its configuration space.
constexpr size_t kVdevBytes = 28;
constexpr size_t kVdevId = 4;
constexpr size_t kVdevNotifyId = 8;
constexpr size_t kVdevDeviceFeatures = 12;
constexpr size_t kVdevGuestFeatures = 16;
constexpr size_t kVdevConfigBytes = 20;
constexpr size_t kVdevStatus = 24;
constexpr size_t kVdevVrings = 25;
constexpr size_t kVdevReserved = 26;

constexpr size_t kVringBytes = 20;
constexpr size_t kVringAddress = 0;
constexpr size_t kVringAlign = 4;
constexpr size_t kVringNum = 8;
constexpr size_t kVringNotifyId = 12;
constexpr size_t kVringPhysical = 16;

// A carve-out and a device memory entry are alike.
constexpr size_t kRegionBytes = 56;
constexpr size_t kRegionAddress = 4;
constexpr size_t kRegionPhysical = 8;
constexpr size_t kRegionLength = 12;
constexpr size_t kRegionReserved = 20;
constexpr size_t kRegionName = 24;

constexpr size_t kTraceBytes = 48;
constexpr size_t kTraceAddress = 4;
constexpr size_t kTraceLength = 8;
constexpr size_t kTraceReserved = 12;
constexpr size_t kTraceName = 16;

constexpr uint32_t kRpmsgId = 7;             // VIRTIO_ID_RPMSG
constexpr uint32_t kNameServiceFeature = 1u; // VIRTIO_RPMSG_F_NS is bit 0

} // namespace rpmsg::table_layout
