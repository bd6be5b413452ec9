// SPDX-License-Identifier: Apache-2.0
// A client's end of a stream in a test's hands, and what stands for the service manager's store: a
// duplicate of the daemon's end that outlives every host.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/unique_fd.h"
#include "link/link.h"
#include "support/link_harness.h"

namespace rpmsg::test {

class StreamClient {
public:
  using Bytes = std::vector<uint8_t>;

  StreamClient();

  /// The daemon's end, once more for each host.
  UniqueFd daemon_end() const;
  /// A stream of this endpoint, with `peer` known. What the link says about it.
  Result<void> acquire(LinkHarness& host, uint32_t endpoint, uint32_t peer,
                       StreamOptions options = {.hold = 64});
  void forget_daemon_end() { theirs_.reset(); }
  void close() { ours_.reset(); }
  void shut_writing() { ::shutdown(ours_.get(), SHUT_WR); }

  /// 0, or errno. Never waits.
  int send(const Bytes& packet);
  /// The next packet within the deadline; nothing at it, or at the end of file.
  std::optional<Bytes> receive(int timeout_ms = kPatienceMs);
  /// Nothing more will ever come, and nothing is left.
  bool is_at_end(int timeout_ms = kPatienceMs);
  bool has_packet();

private:
  UniqueFd ours_;
  UniqueFd theirs_;
};

} // namespace rpmsg::test
