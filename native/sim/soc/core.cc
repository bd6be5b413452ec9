// SPDX-License-Identifier: Apache-2.0
// The board's part of a core: creation, description to a client, attach and death.
#include "sim/soc/core.h"

#include <cstring>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

constexpr uint64_t kMuBytes = 4096;
constexpr uint64_t kBufferWindow = kMaxVdevs * kBufferStride;

void store(uint32_t& wire, uint32_t value) {
  __atomic_store_n(&wire, value, __ATOMIC_SEQ_CST);
}

void wake(int eventfd) {
  const uint64_t one = 1;
  const ssize_t written = ::write(eventfd, &one, sizeof one);
  (void)written;
}

std::string role_name(uint32_t role) {
  return role == RPMSG_SIM_ROLE_HOST ? "host" : "firmware";
}

} // namespace

Fd make_memory(const char* name, uint64_t bytes) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return Fd();
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return Fd();
  return fd;
}

Core::Core(const SocInfo& soc, const CoreInfo& info, uint64_t ddr_offset, bool clear_on_death)
    : soc_(soc), info_(info), ddr_offset_(ddr_offset), clear_on_death_(clear_on_death) {}

Core::~Core() {
  if (mu_ != nullptr) ::munmap(mu_, kMuBytes);
}

bool Core::create() {
  mu_fd_ = make_memory("rpmsg-mu", kMuBytes);
  for (Fd& interrupt : interrupts_)
    interrupt.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!mu_fd_ || !interrupts_[0] || !interrupts_[1]) return false;
  void* base = ::mmap(nullptr, kMuBytes, PROT_READ | PROT_WRITE, MAP_SHARED, mu_fd_.get(), 0);
  if (base == MAP_FAILED) return false;
  mu_ = static_cast<rpmsg_sim_mu*>(base);
  mu_->magic = RPMSG_SIM_MAGIC;
  mu_->version = RPMSG_SIM_VERSION;
  return true;
}

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
  reply.mu_length = kMuBytes;
  reply.segment_count = 2;
  reply.segments[0] = {info_.vring_base, soc_.vring_window_bytes, ddr_offset_, RPMSG_SIM_FD_DDR, 0};
  reply.segments[1] = {info_.buffer_base, kBufferWindow, ddr_offset_ + soc_.vring_window_bytes,
                       RPMSG_SIM_FD_DDR, 0};
}

std::array<int, RPMSG_SIM_FD_COUNT> Core::descriptors(uint32_t role, int ddr_fd) const {
  const uint32_t side = side_of(role);
  return {ddr_fd, mu_fd_.get(), interrupts_[side].get(), interrupts_[1 - side].get()};
}

void Core::attach(uint32_t role, pid_t pid) {
  attached_[role - 1] = pid > 0 ? pid : -1; // a process of another namespace has no number here
  say(std::string(info_.name) + " " + role_name(role) + " attached pid " + std::to_string(pid));
  wake_both();
}

void Core::detach(uint32_t role) {
  say(std::string(info_.name) + " " + role_name(role) + " gone pid " +
      std::to_string(attached_[role - 1]));
  attached_[role - 1] = 0;
  if (role == RPMSG_SIM_ROLE_FIRMWARE && clear_on_death_) reset_mu(side_of(role));
  wake_both();
}

// Closes the one gap of the model: a side that died between changing a wire and writing the
// eventfd. A spurious interrupt is legal, so both are told each time.
void Core::wake_both() {
  for (const Fd& interrupt : interrupts_)
    wake(interrupt.get());
}

void Core::reset_mu(uint32_t side) {
  rpmsg_sim_direction& driven = mu_->from[side];
  rpmsg_sim_direction& received = mu_->from[1 - side];
  for (uint32_t n = 0; n < RPMSG_SIM_MU_CHANNELS; n++) {
    store(driven.channel[n].full, 0);
    store(driven.channel[n].data, 0);
    store(received.channel[n].full, 0);
  }
  store(driven.gip, 0);
  store(driven.fn, 0);
  store(received.gip, 0);
  store(mu_->side[side].tie, 0);
  store(mu_->side[side].rie, 0);
  store(mu_->side[side].gie, 0);
}

} // namespace rpmsg::sim
