// SPDX-License-Identifier: Apache-2.0
// Creation, wake-up and reset of one Messaging Unit.
#include "sim/soc/board_mu.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rpmsg::sim {
namespace {

void store(uint32_t& wire, uint32_t value) {
  __atomic_store_n(&wire, value, __ATOMIC_SEQ_CST);
}

} // namespace

Fd make_memory(const char* name, uint64_t bytes) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return Fd();
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return Fd();
  return fd;
}

BoardMu::~BoardMu() {
  if (wires_ != nullptr) ::munmap(wires_, kBytes);
}

bool BoardMu::create(const char* name) {
  memory_ = make_memory(name, kBytes);
  for (Fd& interrupt : interrupts_)
    interrupt.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!memory_ || !interrupts_[0] || !interrupts_[1]) return false;
  void* base = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (base == MAP_FAILED) return false;
  wires_ = static_cast<rpmsg_sim_mu*>(base);
  wires_->magic = RPMSG_SIM_MAGIC;
  wires_->version = RPMSG_SIM_VERSION;
  return true;
}

std::array<int, RPMSG_SIM_FD_COUNT> BoardMu::descriptors(uint32_t side, int ddr_fd) const {
  return {ddr_fd, memory_.get(), interrupt(side), interrupt(1 - side)};
}

void BoardMu::wake_both() {
  const uint64_t one = 1;
  for (const Fd& line : interrupts_)
    (void)!::write(line.get(), &one, sizeof one);
}

void BoardMu::reset(uint32_t side) {
  rpmsg_sim_direction& driven = wires_->from[side];
  rpmsg_sim_direction& received = wires_->from[1 - side];
  for (uint32_t n = 0; n < RPMSG_SIM_MU_CHANNELS; n++) {
    store(driven.channel[n].full, 0);
    store(driven.channel[n].data, 0);
    store(received.channel[n].full, 0);
  }
  store(driven.gip, 0);
  store(driven.fn, 0);
  store(received.gip, 0);
  store(wires_->side[side].tie, 0);
  store(wires_->side[side].rie, 0);
  store(wires_->side[side].gie, 0);
}

} // namespace rpmsg::sim
