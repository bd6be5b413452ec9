// SPDX-License-Identifier: Apache-2.0
#include "support/crash_points.h"

#include <signal.h>

#define RPMSG_CRASH_POINTS
#include "virtio/driver_queue.cc"
#include "virtio/driver_queue_state.cc"
#include "virtio/slot_arena.cc"

namespace {
uint64_t stores_left = 0; // 0 = no crash planned
}

void rpmsg::crash_point() {
  if (stores_left != 0 && --stores_left == 0) raise(SIGKILL);
}

void rpmsg::test::crash_after(uint64_t stores) {
  stores_left = stores;
}
