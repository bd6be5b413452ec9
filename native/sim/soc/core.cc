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

Core::Core(const SocInfo& soc, const CoreInfo& info, const BoardMemory& memory, bool clear_on_death)
    : soc_(soc), info_(info), memory_(memory), clear_on_death_(clear_on_death) {}

std::array<Window, 2> Core::windows(const SocInfo& soc, const CoreInfo& info) {
  return {Window{info.vring_base, soc.vring_window_bytes}, Window{info.buffer_base, kBufferWindow}};
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
  reply.segment_count = memory_.describe(windows(soc_, info_), reply.segments);
}

std::array<int, RPMSG_SIM_FD_COUNT> Core::descriptors(uint32_t role) const {
  return mu_.descriptors(side_of(role), memory_.fd());
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
