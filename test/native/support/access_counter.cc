// SPDX-License-Identifier: Apache-2.0
#include "support/access_counter.h"

#ifdef RPMSG_CAN_COUNT_ACCESSES
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cstdlib>

namespace rpmsg::test {
namespace {

// Only what a signal handler may touch.
constexpr greg_t kTrapFlag = 0x100;
constexpr greg_t kFaultOfStore = 2;
uintptr_t watched_base;
size_t watched_size;
std::array<AccessCounter::Access, 4096> log;
size_t log_size;
struct sigaction old_segv;
struct sigaction old_trap;

void protect(int rights) {
  if (mprotect(reinterpret_cast<void*>(watched_base), watched_size, rights) != 0) std::abort();
}

void on_fault(int, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (address < watched_base || address >= watched_base + watched_size) std::abort();
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  if (log_size == log.size()) std::abort();
  log[log_size++] = {address - watched_base, (registers[REG_ERR] & kFaultOfStore) != 0};
  registers[REG_EFL] |= kTrapFlag;
  protect(PROT_READ | PROT_WRITE);
}

void on_step(int, siginfo_t*, void* context) {
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  protect(PROT_NONE);
}

void handle(int number, void (*handler)(int, siginfo_t*, void*), struct sigaction& old) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(number, &action, &old) != 0) std::abort();
}

} // namespace

AccessCounter::AccessCounter(void* base, size_t size_bytes) {
  watched_base = reinterpret_cast<uintptr_t>(base);
  watched_size = size_bytes;
  log_size = 0;
  handle(SIGSEGV, on_fault, old_segv);
  handle(SIGTRAP, on_step, old_trap);
  protect(PROT_NONE);
}

AccessCounter::~AccessCounter() {
  if (watched_size != 0) (void)stop();
}

std::vector<AccessCounter::Access> AccessCounter::stop() {
  protect(PROT_READ | PROT_WRITE);
  watched_size = 0;
  sigaction(SIGSEGV, &old_segv, nullptr);
  sigaction(SIGTRAP, &old_trap, nullptr);
  return {log.begin(), log.begin() + static_cast<ptrdiff_t>(log_size)};
}

} // namespace rpmsg::test
#endif
