// SPDX-License-Identifier: Apache-2.0
// Crashes at an exact store. The driver queue and the slot arena are compiled into native-tests a
// second time with their crash points live, and these copies take the library's place.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace rpmsg::test {

/// From now on this process dies by SIGKILL right after its `stores`-th visible store (1 = the
/// next).
void crash_after(uint64_t stores);

/// Runs `operation` in a child that is killed after `stores` stores. True if it was killed, false
/// if the operation ended before that. What it stored into shared mappings stays.
template<class Operation>
bool is_killed_after(uint64_t stores, Operation operation) {
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    crash_after(stores);
    operation();
    _exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) std::abort();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) std::abort();
  return false;
}

} // namespace rpmsg::test
