// SPDX-License-Identifier: Apache-2.0
// The states of a remote and of a vdev, the legal moves between them, and the evidence by which a
// remote counts as ready. ARCHITECTURE.md draws the same table.
#pragma once

#include <cstdint>

namespace rpmsg {

enum class RemoteState : uint8_t { offline, waiting, attached, quiescing, down, faulted };

enum class VdevState : uint8_t {
  down,    // no ring is offered: sends fail at once
  offered, // rings are complete and the remote was told; it has not touched them yet
  up,      // a used index moved: the remote works on these rings
  faulted, // a ring rule was broken; only a new life of the remote ends this
};

enum class Evidence : uint8_t { rxdb, flag, timeout, status };

/// As people read it, and as the reason of the life that begins by it.
const char* evidence_name(Evidence evidence);

/// By what a life of a remote was found to be over.
enum class ResetCause : uint8_t { rebooted, rxdb, flag, reinitialize, silent_restart, status };

/// The words that the bus has for them.
const char* remote_state_name(RemoteState state);
const char* vdev_state_name(VdevState state);
const char* reset_cause_name(ResetCause cause);

/// Whether a remote may go from one state to another; staying is not a move.
bool is_legal_move(RemoteState from, RemoteState to);

} // namespace rpmsg
