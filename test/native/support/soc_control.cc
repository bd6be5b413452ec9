// SPDX-License-Identifier: Apache-2.0
// Connecting, lines and deadlines of the control socket.
#include "support/soc_control.h"

#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>

namespace rpmsg::test {

SocControl::SocControl(const std::string& path, int) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  fd_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ready_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

void SocControl::write(const std::string& bytes) {
  (void)!::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void SocControl::end_of_requests() {
  ::shutdown(fd_.get(), SHUT_WR);
}

std::string SocControl::read_line(int timeout_ms) {
  for (;;) {
    if (const size_t end = unread_.find('\n'); end != std::string::npos) {
      const std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd readable = {fd_.get(), POLLIN, 0};
    char bytes[4096];
    if (::poll(&readable, 1, timeout_ms) != 1) return {};
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return {};
    unread_.append(bytes, static_cast<size_t>(got));
  }
}

std::string SocControl::ask(const std::string& request) {
  write(request + "\n");
  return read_line();
}

bool SocControl::wait_status(const std::string& text) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (Clock::now() < deadline) {
    if (ask("status").find(text) != std::string::npos) return true;
    ::poll(nullptr, 0, 1);
  }
  return false;
}

long SocControl::number(const std::string& key) {
  const std::string status = ask("status"), quoted = "\"" + key + "\":";
  const size_t at = status.find(quoted);
  if (at == std::string::npos) return -1;
  char* end = nullptr;
  const char* begin = status.c_str() + at + quoted.size();
  const long value = std::strtol(begin, &end, 10);
  return end == begin ? -1 : value;
}

} // namespace rpmsg::test
