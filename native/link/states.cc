// SPDX-License-Identifier: Apache-2.0
#include "link/states.h"

#include <cstddef>

namespace rpmsg {

namespace {

constexpr size_t kStates = 6;

// Rows: from; columns: to; both in the order offline waiting attached quiescing down faulted.
constexpr bool kLegal[kStates][kStates] = {
    {false, true, true, false, true, false},  // offline: rings are laid out, or taken over alive
    {true, false, true, true, true, true},    // waiting
    {true, false, false, true, true, true},   // attached
    {true, true, true, false, true, true},    // quiescing: back only if no reset comes
    {true, true, false, false, false, false}, // down: rings are fresh
    {true, false, false, false, true, false}, // faulted: left by a new life only
};

} // namespace

const char* evidence_name(Evidence evidence) {
  switch (evidence) {
  case Evidence::rxdb: return "rxdb";
  case Evidence::flag: return "ready flag";
  case Evidence::timeout: return "timeout";
  case Evidence::status: return "virtio status";
  }
  return "";
}

bool is_legal_move(RemoteState from, RemoteState to) {
  return kLegal[static_cast<size_t>(from)][static_cast<size_t>(to)];
}

} // namespace rpmsg
