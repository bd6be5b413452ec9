// SPDX-License-Identifier: Apache-2.0
// A resource table against what the host has: whether it asks for these rings, and the answers to
// what it leaves to the host.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "memory/shared_span.h"
#include "resource/resource_table.h"

namespace rpmsg {

/// What the host has for one vdev; addresses are physical, which for its memory is also what the
/// remote sees (RPMsg-Lite's env_map_patova takes descriptors' addresses as they are).
struct VdevMemory {
  std::array<uint32_t, 2> vrings{}; // of vring0, vring1
  uint32_t vring_bytes = 0;         // from a ring's start: all of its place
  uint32_t align = 0;
  uint32_t num = 0;
  uint32_t buffers = 0;
  uint32_t buffer_bytes = 0; // of both halves
};

/// The first thing in which the table and the host's memory disagree. The n-th vdev of the table is
/// vdevs[n]; further ones are left alone. An address of 0 or kAnyAddress is the host's to choose.
std::optional<TableFault> check_fit(const ResourceTable& table, std::span<const VdevMemory> vdevs);

/// Writes what the table leaves to the host: da and pa of vrings and of the carve-outs named as
/// Linux names them (vdev0vring0, vdev0vring1, vdev0buffer), notify ids (the virtqueue's number, as
/// in a MU word), and the features taken: the name service if it is offered. Stores only what
/// differs, so that it changes nothing where it was done before. Only after check_fit().
void fill_in(const SharedSpan& shared, const ResourceTable& table,
             std::span<const VdevMemory> vdevs);

} // namespace rpmsg
