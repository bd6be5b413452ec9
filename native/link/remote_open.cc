// SPDX-License-Identifier: Apache-2.0
// Opening a remote: everything that can be refused is refused here, with a sentence, before a
// register or a ring is touched.
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "link/remote.h"

namespace rpmsg {

namespace {

std::string hex(uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%" PRIx64, value);
  return text.data();
}

Remote::Opened refused(Errc code, std::string message) {
  return {nullptr, code, std::move(message)};
}

// The configuration has been checked with better words; this bounds what the native side relies on.
std::string problem_of(const RemoteSetup& setup) {
  constexpr uint64_t kLimit = uint64_t{1} << 32; // RPMsg-Lite's env_map_patova takes a uint32_t
  if (setup.vdevs < 1 || setup.vdevs > kMaxVdevs) {
    return "vdevs is " + std::to_string(setup.vdevs) + ", must be 1 to 8";
  }
  if (!is_valid(setup.geometry)) return "descriptors, align or buffer size is not a legal geometry";
  const uint64_t ring = DriverQueue::ring_bytes(setup.geometry);
  if (setup.vring1_offset < ring || setup.vring_stride < setup.vring1_offset + ring) {
    return "a ring of " + std::to_string(ring) +
           " bytes does not fit its place of the vring window";
  }
  if (setup.buffer_stride < 2 * setup.half_bytes()) {
    return "the buffers of a vdev need " + hex(2 * setup.half_bytes()) + " bytes, there are " +
           hex(setup.buffer_stride);
  }
  if ((setup.vring_base | setup.vring_stride | setup.vring1_offset) % setup.geometry.align != 0 ||
      (setup.buffer_base | setup.buffer_stride) % 8 != 0) {
    return "the vring window at " + hex(setup.vring_base) + " or the buffers at " +
           hex(setup.buffer_base) + " are not aligned";
  }
  if (setup.vring_base >= kLimit || setup.buffer_base >= kLimit ||
      setup.vdevs * setup.vring_stride > kLimit - setup.vring_base ||
      setup.vdevs * setup.buffer_stride > kLimit - setup.buffer_base) {
    return "the windows must end below 4 GiB: a remote addresses 32 bits";
  }
  if (setup.partition < -1 || setup.partition > 31) {
    return "partition is " + std::to_string(setup.partition) + ", must be 0 to 31, or -1 to ask";
  }
  if (setup.slots < 1 || setup.slots > 65536) return "slots must be 1 to 65536";
  if (setup.table_base % 8 != 0 || setup.table_base >= kLimit ||
      setup.table_bytes > kLimit - setup.table_base) {
    return "the resource table at " + hex(setup.table_base) +
           " must be aligned to 8 bytes and end below 4 GiB";
  }
  return {};
}

// What the board itself says against the configuration.
std::string mismatch_of(const RemoteSetup& setup, const Platform& board) {
  const std::string soc = board.soc();
  if (!setup.soc.empty() && !soc.empty() && setup.soc != soc) {
    return "the board is an " + soc + ", the configuration says soc = \"" + setup.soc +
           "\": change soc, or attach to another board";
  }
  if (setup.vdevs > board.max_vdevs()) {
    return "vdevs is " + std::to_string(setup.vdevs) + ", but firmware of this SoC can address " +
           std::to_string(board.max_vdevs()) + " at most";
  }
  return {};
}

std::string not_mapped(const char* what, uint64_t base, uint64_t size, const Platform& board) {
  return std::string("cannot map the ") + what + " at " + hex(base) + ", " + hex(size) +
         " bytes: " + board.map_problem();
}

std::string no_state(const RemoteSetup& setup, const Error& error) {
  if (setup.state_file.empty()) return "no memory for the state of the remote";
  std::string why = std::string("cannot ") + error.operation + " " + setup.state_file;
  if (error.detail != 0) why += " of " + std::to_string(error.detail) + " bytes";
  why += std::string(": ") + std::strerror(error.os_error);
  if (error.os_error == ENOSPC) why += "; make room there, or configure fewer slots or vdevs";
  return why;
}

} // namespace

Remote::Opened Remote::open(uint32_t index, const RemoteSetup& setup, BoardChoice& boards,
                            Delivery& delivery, const SpscQueue<Command>& commands) {
  if (std::string problem = problem_of(setup); !problem.empty()) {
    return refused(Errc::invalid_argument, std::move(problem));
  }
  OpenedPlatform opened = boards.open(setup);
  if (!opened.platform) return refused(Errc::os, std::move(opened.error.message));
  if (std::string mismatch = mismatch_of(setup, *opened.platform); !mismatch.empty()) {
    return refused(Errc::invalid_argument, std::move(mismatch));
  }
  const uint64_t vring_bytes = setup.vdevs * setup.vring_stride;
  const uint64_t buffer_bytes = setup.vdevs * setup.buffer_stride;
  auto rings = opened.platform->map(setup.vring_base, vring_bytes);
  if (!rings) {
    return refused(Errc::os,
                   not_mapped("vring window", setup.vring_base, vring_bytes, *opened.platform));
  }
  auto buffers = opened.platform->map(setup.buffer_base, buffer_bytes);
  if (!buffers) {
    return refused(Errc::os,
                   not_mapped("buffers", setup.buffer_base, buffer_bytes, *opened.platform));
  }
  SharedSpan table;
  if (setup.table_bytes > 0) {
    auto mapped = opened.platform->map(setup.table_base, setup.table_bytes);
    if (!mapped) {
      return refused(Errc::os, not_mapped("resource table", setup.table_base, setup.table_bytes,
                                          *opened.platform));
    }
    table = *mapped;
  }
  auto state = choose_state(setup, opened.platform->board_id());
  if (!state) return refused(Errc::os, no_state(setup, state.error()));
  RemoteSetup as_told = setup;
  as_told.slots = state->slots;
  Opened result;
  result.remote.reset(new Remote(index, as_told, std::move(opened.platform), table,
                                 std::move(state->block), delivery, commands));
  for (uint32_t i = 0; i < setup.vdevs; ++i)
    result.remote->add_vdev(as_told, i, *rings, *buffers);
  result.remote->take_over(*state);
  if (state->slots != setup.slots) {
    std::string& reason = result.remote->resume_.reason;
    reason += (reason.empty() ? "" : "; ") + std::to_string(state->slots) +
              " slots, as the state file has them, until there is none";
  }
  if (auto published = result.remote->state_.publish(); !published) {
    return refused(Errc::os, no_state(setup, published.error()));
  }
  return result;
}

void Remote::add_vdev(const RemoteSetup& setup, uint32_t index, SharedSpan rings,
                      SharedSpan buffers) {
  const size_t bytes = DriverQueue::ring_bytes(setup.geometry);
  const uint64_t at = index * setup.vring_stride;
  const StateSizes sizes = Vdev::state_sizes(setup);
  vdevs_.push_back(std::make_unique<Vdev>(
      index, setup, rings.sub(at, bytes), rings.sub(at + setup.vring1_offset, bytes),
      buffers.sub(index * setup.buffer_stride, 2 * setup.half_bytes()), state_.vdev(index, sizes),
      state_.streams(index, sizes)));
}

} // namespace rpmsg
