// SPDX-License-Identifier: Apache-2.0
#include "support/stream_client.h"

#include <fcntl.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace rpmsg::test {

StreamClient::StreamClient() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
  ours_.reset(ends[0]);
  theirs_.reset(ends[1]);
}

UniqueFd StreamClient::daemon_end() const {
  return UniqueFd(fcntl(theirs_.get(), F_DUPFD_CLOEXEC, 0));
}

Result<void> StreamClient::acquire(LinkHarness& host, uint32_t endpoint, uint32_t peer,
                                   StreamOptions options) {
  return host.link().open_stream(endpoint, daemon_end(), options, peer, host.generations[0], 0);
}

int StreamClient::send(const Bytes& packet) {
  const ssize_t sent =
      ::send(ours_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? errno : 0;
}

std::optional<StreamClient::Bytes> StreamClient::receive(int timeout_ms) {
  pollfd waiting{ours_.get(), POLLIN, 0};
  if (poll(&waiting, 1, timeout_ms) <= 0) return std::nullopt;
  Bytes packet(1024);
  const ssize_t length = recv(ours_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  if (length < 0 || (length == 0 && (waiting.revents & (POLLHUP | POLLRDHUP)) != 0)) {
    return std::nullopt;
  }
  packet.resize(static_cast<size_t>(length));
  return packet;
}

bool StreamClient::is_at_end(int timeout_ms) {
  pollfd waiting{ours_.get(), POLLRDHUP, 0};
  if (poll(&waiting, 1, timeout_ms) <= 0) return false;
  std::array<uint8_t, 1024> packet{};
  return recv(ours_.get(), packet.data(), packet.size(), MSG_DONTWAIT) == 0;
}

bool StreamClient::has_packet() {
  pollfd waiting{ours_.get(), POLLIN, 0};
  return poll(&waiting, 1, 0) > 0;
}

} // namespace rpmsg::test
