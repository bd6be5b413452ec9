// SPDX-License-Identifier: Apache-2.0
// Layout: linux/remoteproc.h. OpenAMP firmware leaves the rings' addresses to the host, NXP's SDK
// writes them down.
#include "sim/firmware/resource_table.h"

#include <bit>
#include <cstring>

#include "sim/firmware/halt.h"

namespace rpmsg::sim {
namespace {

constexpr uint64_t kPlaceBytes = 0x1000;
constexpr uint32_t kTraceBytes = 0x4000; // right below the table
constexpr uint64_t kVdevStride = 0x10000;
constexpr uint32_t kRingBytesEach = 0x8000;
constexpr uint32_t kAny = 0xFFFFFFFF;
constexpr uint32_t kCarveout = 0, kTrace = 2, kVdev = 3, kVendor = 128;
constexpr uint32_t kVdevEntryBytes = 68;
constexpr uint32_t kStatusAt = 24;
constexpr uint32_t kVringAt = 28, kVringEntryBytes = 20;
constexpr uint32_t kBufferBytes = 0x40000; // of a vdev

} // namespace

ResourceTable::ResourceTable(const FirmwareOptions& options, const AttachedBoard& board) {
  if (options.behaviour != Behaviour::openamp && !options.resource_table) return;
  const rpmsg_sim_segment& rings = board.reply().segments[0];
  const uint64_t place = rings.physical + rings.length - kPlaceBytes;
  base_ = board.at(place, kPlaceBytes);
  trace_address_ = static_cast<uint32_t>(place - kTraceBytes);
  uint8_t* const text = board.at(trace_address_, kTraceBytes);
  if (base_ == nullptr || text == nullptr) halt("there is no room for a resource table");
  trace_.place(text, kTraceBytes);
  write(options, board.reply().vring_base);
}

// The version comes last: nobody takes half a table for one.
void ResourceTable::write(const FirmwareOptions& options, uint64_t vring_base) {
  put(0, 0);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  std::memset(base_, 0, kPlaceBytes);
  const auto vdevs = static_cast<uint32_t>(std::bit_width(options.links));
  const uint32_t entries = vdevs + 3;
  const bool is_open = options.behaviour == Behaviour::openamp;
  put(4, entries);
  end_ = 16 + 4 * entries;
  for (uint32_t i = 0; i < vdevs; i++) {
    const auto vring0 = static_cast<uint32_t>(vring_base + i * kVdevStride);
    put(16 + 4 * i,
        is_open ? put_vdev(i, kAny, kAny) : put_vdev(i, vring0, vring0 + kRingBytesEach));
  }
  put(16 + 4 * vdevs, end_); // the first vdev's buffers, wherever the host has them
  put(end_, kCarveout);
  put(end_ + 4, kAny);
  put(end_ + 12, kBufferBytes);
  put_name(end_ + 24, "vdev0buffer");
  end_ += 56;
  put(16 + 4 * (vdevs + 1), end_);
  put(end_, kTrace);
  put(end_ + 4, trace_address_);
  put(end_ + 8, kTraceBytes);
  put_name(end_ + 16, "trace0");
  end_ += 48;
  put(16 + 4 * (vdevs + 2), end_); // a vendor's own: nobody else knows what it says
  put(end_, kVendor);
  put(end_ + 4, 0x5EED);
  if (options.fault.fault == Fault::bad_table) put(16, 0xFFFFFFF0);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  put(0, 1);
}

uint32_t ResourceTable::put_vdev(uint32_t vdev, uint32_t vring0, uint32_t vring1) {
  const uint32_t at = end_;
  vdev_at_[vdev] = at;
  put(at, kVdev);
  put(at + 4, 7); // VIRTIO_ID_RPMSG
  put(at + 8, kAny);
  put(at + 12, 1); // the name service
  base_[at + 25] = 2;
  for (uint32_t ring = 0; ring < 2; ring++) {
    const uint32_t vring = at + kVringAt + ring * kVringEntryBytes;
    put(vring, ring == 0 ? vring0 : vring1);
    put(vring + 4, 0x1000);
    put(vring + 8, 256);
    put(vring + 12, vring0 == kAny ? kAny : 2 * vdev + ring);
  }
  end_ += kVdevEntryBytes;
  return at;
}

uint8_t ResourceTable::status(uint32_t vdev) const {
  return __atomic_load_n(base_ + vdev_at_[vdev] + kStatusAt, __ATOMIC_ACQUIRE);
}

void ResourceTable::set_status(uint32_t vdev, uint8_t value) {
  __atomic_store_n(base_ + vdev_at_[vdev] + kStatusAt, value, __ATOMIC_SEQ_CST);
}

uint32_t ResourceTable::vring_address(uint32_t vdev, uint32_t ring) const {
  return get(vdev_at_[vdev] + kVringAt + ring * kVringEntryBytes);
}

void ResourceTable::put_name(uint32_t at, const char* name) {
  std::memcpy(base_ + at, name, std::strlen(name));
}

void ResourceTable::put(uint32_t at, uint32_t value) {
  __atomic_store_n(reinterpret_cast<uint32_t*>(base_ + at), value, __ATOMIC_RELAXED);
}

uint32_t ResourceTable::get(uint32_t at) const {
  return __atomic_load_n(reinterpret_cast<const uint32_t*>(base_ + at), __ATOMIC_RELAXED);
}

} // namespace rpmsg::sim
