// SPDX-License-Identifier: Apache-2.0
// How a remote's state begins in this process: fresh, or taken over from an earlier one. What is
// decided here, before a register or ring is touched, ARCHITECTURE.md explains.
#pragma once

#include <cstdint>
#include <string>

#include "link/remote_setup.h"
#include "link/state_block.h"
#include "platform/platform.h"

namespace rpmsg {

struct Resume {
  enum class Kind : uint8_t {
    cold,    // rings are laid out anew
    resumed, // alive, with nothing lost
    adopted, // alive, taken over from what the rings say: what was under way may be lost
    lost,    // alive, and on at least one vdev not even that: it waits for a new life
  };
  Kind kind = Kind::cold;
  std::string reason;       // for a person; may be empty
  uint32_t lost_vdevs = 0;  // bit n = vdev n: neither state nor ring can be trusted
  uint32_t blank_vdevs = 0; // nobody ever used this vdev's rings: they are laid out
  uint32_t adopted_vdevs = 0;
};

const char* resume_kind_name(Resume::Kind kind);

/// What there is to begin with.
enum class StateUse : uint8_t {
  blank,   // no state of this boot: everything begins
  former,  // its rings are void, what was received is kept
  live,    // its rings are in use
  damaged, // there was one, and it cannot be used: the rings must say
};

struct ChosenState {
  StateUse use = StateUse::blank;
  uint32_t slots = 0; // of each arena in it
  std::string reason;
  StateBlock block;
};

/// Opens or makes the state of a remote. A made one is not published yet. On failure the Error says
/// what could not be done with setup.state_file.
Result<ChosenState> choose_state(const RemoteSetup& setup, const BoardId& board);

/// What places rings and buffers, as one number (FNV-1a, 64 bits).
uint64_t configuration_hash(const RemoteSetup& setup);

} // namespace rpmsg
