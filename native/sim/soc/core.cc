// SPDX-License-Identifier: Apache-2.0
// The board's part of a core: creation, description to a client, attach and death.
#include "sim/soc/core.h"

#include <cstring>

#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

constexpr uint64_t kBufferWindow = kMaxVdevs * kBufferStride;

std::string role_name(uint32_t role) {
  return role == RPMSG_SIM_ROLE_HOST ? "host" : "firmware";
}

} // namespace

Core::Core(const SocInfo& soc, const CoreInfo& info, uint64_t ddr_offset, bool clear_on_death)
    : soc_(soc), info_(info), ddr_offset_(ddr_offset), clear_on_death_(clear_on_death) {}

uint64_t Core::ddr_bytes(const SocInfo& soc) {
  return soc.vring_window_bytes + kBufferWindow;
}

uint32_t Core::side_of(uint32_t role) const {
  return role == RPMSG_SIM_ROLE_HOST ? soc_.host_side : 1 - soc_.host_side;
}

void Core::describe(uint32_t role, rpmsg_sim_reply& reply) const {
  reply.mu_generation = soc_.mu_generation;
  reply.side = side_of(role);
  reply.max_vdevs = soc_.max_vdevs;
  reply.word_mask = soc_.word_mask;
  std::strncpy(reply.soc, soc_.name, sizeof reply.soc - 1);
  reply.vring_base = info_.vring_base;
  reply.buffer_base = info_.buffer_base;
  reply.mu_length = BoardMu::kBytes;
  reply.segment_count = 2;
  reply.segments[0] = {info_.vring_base, soc_.vring_window_bytes, ddr_offset_, RPMSG_SIM_FD_DDR, 0};
  reply.segments[1] = {info_.buffer_base, kBufferWindow, ddr_offset_ + soc_.vring_window_bytes,
                       RPMSG_SIM_FD_DDR, 0};
}

std::array<int, RPMSG_SIM_FD_COUNT> Core::descriptors(uint32_t role, int ddr_fd) const {
  return mu_.descriptors(side_of(role), ddr_fd);
}

void Core::attach(uint32_t role, pid_t pid) {
  attached_[role - 1] = pid > 0 ? pid : -1; // a process of another namespace has no number here
  say(std::string(info_.name) + " " + role_name(role) + " attached pid " + std::to_string(pid));
  mu_.wake_both();
}

void Core::detach(uint32_t role) {
  say(std::string(info_.name) + " " + role_name(role) + " gone pid " +
      std::to_string(attached_[role - 1]));
  attached_[role - 1] = 0;
  if (role == RPMSG_SIM_ROLE_FIRMWARE && clear_on_death_) mu_.reset(side_of(role));
  mu_.wake_both();
}

} // namespace rpmsg::sim
