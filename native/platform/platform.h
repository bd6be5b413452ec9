// SPDX-License-Identifier: Apache-2.0
// What a remote is made of, seen from the host: the registers of one MU, its interrupt line, and
// windows of memory at physical addresses. Hardware and simulation differ in which Platform is
// constructed and in nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "memory/shared_span.h"
#include "mu/mu_generation.h"
#include "mu/register_window.h"

namespace rpmsg {

using BoardId = std::array<uint8_t, 16>;

/// One remote's hardware, opened. Destroying it unmaps and closes everything.
class Platform {
public:
  virtual ~Platform() = default;

  /// The MU this remote is reached through, and which generation of registers it has.
  virtual RegisterWindow& mu() = 0;
  virtual MuGeneration mu_generation() const = 0;

  /// A descriptor that polls readable when the MU's level interrupt fired. UIO's contract: firing
  /// masks the line; consume_interrupt() takes the event and leaves it masked; unmask_interrupt()
  /// lets it fire again, at once if the level is still asserted. Link thread only.
  virtual int interrupt_fd() const = 0;
  virtual void consume_interrupt() = 0;
  virtual void unmask_interrupt() = 0;

  /// A descriptor that polls readable (or hung up) when the board itself is gone, or -1 if a board
  /// cannot go. Nothing is ever read from it.
  virtual int board_fd() const = 0;

  /// Which SoC the board says it is (as in the configuration, e.g. "imx8qxp"), empty if it cannot
  /// tell, and how many vdevs this remote's firmware can address (RPMsg-Lite's link ids), at
  /// most 8.
  virtual std::string soc() const = 0;
  virtual uint32_t max_vdevs() const = 0;

  /// Tells this board from another one at the same place: a simulated SoC that was started again
  /// has fresh memory. All zero where a board cannot change while Linux runs.
  virtual BoardId board_id() const = 0;

  /// Maps [physical, physical + size). Fails with invalid_argument when no segment of this board
  /// covers the range; detail is the physical address. Main thread only, while the link runs too: a
  /// remote says where its trace buffer is, so what is not memory shared with it must fail.
  virtual Result<SharedSpan> map(uint64_t physical, uint64_t size_bytes) = 0;
  /// Why the last map() failed, for a person: what there is instead, and what to change.
  virtual std::string map_problem() const { return "no memory of this board covers that range"; }
};

/// Opens the simulated SoC's core `core` (e.g. "cm40") as its host through the attach socket
/// `socket_path` (native/sim/README.md). Errors are sentences for a person, already formatted:
/// what was tried, the path or core name, the rule, what to change.
struct OpenError {
  std::string message;
  bool is_absent = false; // the board answered that it has nothing of the kind
};
struct OpenedPlatform {
  std::unique_ptr<Platform> platform; // null on failure
  OpenError error;
};
OpenedPlatform open_sim_platform(const std::string& socket_path, const std::string& core);
/// Opens the MU of that board's System Controller, for whichever host comes first. Its mu() is the
/// SCU MU, map() fails. `is_absent` on a board that has none.
OpenedPlatform open_sim_scu(const std::string& socket_path);

} // namespace rpmsg
