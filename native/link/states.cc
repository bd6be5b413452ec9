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

const char* remote_state_name(RemoteState state) {
  switch (state) {
  case RemoteState::offline: return "offline";
  case RemoteState::waiting: return "waiting";
  case RemoteState::attached: return "attached";
  case RemoteState::quiescing: return "quiescing";
  case RemoteState::down: return "down";
  case RemoteState::faulted: return "faulted";
  }
  return "";
}

const char* vdev_state_name(VdevState state) {
  switch (state) {
  case VdevState::down: return "down";
  case VdevState::offered: return "offered";
  case VdevState::up: return "up";
  case VdevState::faulted: return "faulted";
  }
  return "";
}

const char* reset_cause_name(ResetCause cause) {
  switch (cause) {
  case ResetCause::rebooted: return "rebooted";
  case ResetCause::rxdb: return "rxdb";
  case ResetCause::flag: return "flag";
  case ResetCause::reinitialize: return "reinitialize";
  case ResetCause::silent_restart: return "silent-restart";
  case ResetCause::status: return "status";
  }
  return "";
}

bool is_legal_move(RemoteState from, RemoteState to) {
  return kLegal[static_cast<size_t>(from)][static_cast<size_t>(to)];
}

} // namespace rpmsg
