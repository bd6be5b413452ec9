// SPDX-License-Identifier: Apache-2.0
#include "support/crash_points.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#define RPMSG_CRASH_POINTS
#include "virtio/driver_queue.cc"
#include "virtio/driver_queue_state.cc"
#include "virtio/slot_arena.cc"

namespace {
std::atomic<uint64_t> stores_left = 0; // 0 = no crash planned
}

void rpmsg::crash_point() {
  if (stores_left == 0 || --stores_left != 0) return;
  kill(getpid(), SIGKILL); // the whole process, and nothing of this thread comes after it
  pause();
}

void rpmsg::test::crash_after(uint64_t stores) {
  stores_left = stores;
}
