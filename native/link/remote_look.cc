// SPDX-License-Identifier: Apache-2.0
// How long one remote is looked at before the link thread may sleep.
#include "base/clock.h"
#include "link/remote.h"

namespace rpmsg {

namespace {

// What is taken in a burst before it is told: messages and words.
constexpr uint32_t kBurstBudget = 256;

} // namespace

/// Until two looks found nothing; true if one did find something.
bool Remote::look_twice(uint32_t& budget, uint64_t now_ns) {
  bool any = false;
  for (unsigned empty_looks = 0; budget > 0 && empty_looks < 2;) {
    const bool found = look(budget, now_ns);
    empty_looks = found ? 0 : empty_looks + 1;
    any = any || found;
  }
  found_ = found_ || any;
  if (any) burst_.on_found(monotonic_ns());
  return any;
}

bool Remote::look_on() {
  // What ended the turn's work early, be it a command that comes first, ends this too.
  bool found = false;
  while (looks_on_ && !found && burst_.is_on(monotonic_ns())) {
    uint32_t budget = kBurstBudget;
    found = look_twice(budget, service_ns_);
    if (found) {
      // As at the end of service(): a doorbell before what counts as the use of a ring.
      take_ready(budget, service_ns_);
      life_.on_progress(service_ns_);
    }
    looks_on_ = budget > 0;
  }
  return found && looks_on_;
}

} // namespace rpmsg
