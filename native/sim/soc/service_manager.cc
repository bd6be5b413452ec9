// SPDX-License-Identifier: Apache-2.0
#include "sim/soc/service_manager.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

#include "sim/fd.h"

namespace rpmsg::sim {

void notify_ready() {
  const char* variable = std::getenv("NOTIFY_SOCKET");
  const std::string path = variable == nullptr ? "" : variable;
  ::unsetenv("NOTIFY_SOCKET");
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof to.sun_path) return;
  std::memcpy(to.sun_path, path.data(), path.size()); // private memory
  if (path[0] == '@') to.sun_path[0] = '\0';          // the abstract namespace
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  static constexpr char kReady[] = "READY=1";
  // Whoever listens there and does not hear it will end us: there is nothing better to do here.
  (void)::sendto(socket.get(), kReady, sizeof kReady - 1, MSG_NOSIGNAL,
                 reinterpret_cast<sockaddr*>(&to), length);
}

} // namespace rpmsg::sim
