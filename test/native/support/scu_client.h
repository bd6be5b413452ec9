// SPDX-License-Identifier: Apache-2.0
// A client of the simulated SCFW written by hand from native/sim/README.md: words over the wires of
// its MU, one at a time, so that a test can stop, lie or die between any two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "sim/protocol.h"
#include "support/soc_process.h"

namespace rpmsg::test {

using Words = std::vector<uint32_t>;

/// Sends a hello and returns the reply; `socket` is the power line. With status OK the descriptors
/// are in `fds`. Status ~0: no reply came.
rpmsg_sim_reply say_hello(const std::string& path, uint32_t role, const std::string& core,
                          UniqueFd& socket, std::vector<UniqueFd>& fds);

class ScuClient {
public:
  /// Attaches; ready() tells whether it may be used.
  explicit ScuClient(const std::string& path);
  ScuClient(const ScuClient&) = delete;
  ScuClient& operator=(const ScuClient&) = delete;
  ~ScuClient();

  bool ready() const { return mu_ != nullptr; }
  const rpmsg_sim_reply& reply() const { return reply_; }

  /// Sends a request and returns the answer's words; empty if none came in time.
  Words call(const Words& request, int timeout_ms = kPatienceMs);
  /// The answer's function byte: an error or a boolean. -1 if no answer came.
  int call_code(const Words& request);
  /// Puts any values on a channel's wires, full or not, and raises SCFW's line.
  void poke(uint32_t channel, uint32_t data, uint32_t full);
  /// False if TR stayed full.
  bool send(uint32_t index, uint32_t word);
  std::optional<uint32_t> receive(uint32_t index, int timeout_ms = kPatienceMs);
  /// GIR3, and the wait until SCFW took it; then RR is drained. False if it did not.
  bool reset_rpc();

  // The interrupt service, in the words of the API.
  int enable(uint32_t group, uint32_t mask, bool on = true);
  uint32_t status(uint32_t group);
  /// GIP3 comes, and is cleared. False at the deadline.
  bool wait_doorbell(int timeout_ms = kPatienceMs);
  bool doorbell() const;
  void clear_doorbell();

private:
  void raise(uint32_t side);
  /// Sleeps on the interrupt line until `done` holds.
  template<typename Done>
  bool wait_until(Done done, int timeout_ms);

  UniqueFd socket_;
  std::vector<UniqueFd> fds_;
  rpmsg_sim_reply reply_ = {};
  rpmsg_sim_mu* mu_ = nullptr;
};

} // namespace rpmsg::test
