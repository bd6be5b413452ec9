// SPDX-License-Identifier: Apache-2.0
// Binding a Unix socket without taking it from a simulator that lives.
#include "sim/soc/listener.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace rpmsg::sim {
namespace {

/// Removes what a dead simulator left; anything else at `address` is an error.
std::string clear_stale(const sockaddr_un& address, const Listener::Kind& kind) {
  struct stat info = {};
  const std::string what = std::string(kind.option) + " \"" + address.sun_path + "\"";
  if (::lstat(address.sun_path, &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return what + " exists and is not a socket: remove it or use another path";
  Fd probe(::socket(AF_UNIX, kind.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int rc =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (rc == 0 || errno != ECONNREFUSED)
    return what + " is in use by a running program: stop it or use another path";
  if (::unlink(address.sun_path) != 0)
    return what + ": cannot remove the old socket: " + std::strerror(errno);
  return {};
}

} // namespace

Listener::~Listener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

size_t Listener::longest_path() {
  return sizeof sockaddr_un{}.sun_path - 1;
}

std::string Listener::open(const std::string& path, const Kind& kind) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string what = std::string(kind.option) + " \"" + path + "\"";
  if (path.size() > longest_path())
    return what + " has " + std::to_string(path.size()) +
           " bytes; a Unix socket path has at most " + std::to_string(longest_path());
  std::memcpy(address.sun_path, path.data(), path.size());
  std::string problem = clear_stale(address, kind);
  if (!problem.empty()) return problem;
  fd_.reset(::socket(AF_UNIX, kind.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode before bind(): nobody can connect to a file that is still too open.
  if (!fd_ || ::fchmod(fd_.get(), kind.mode) != 0 ||
      ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return what + " cannot be created: " + std::strerror(errno);
  path_ = path;
  if (::listen(fd_.get(), SOMAXCONN) != 0)
    return what + " cannot be listened on: " + std::strerror(errno);
  return {};
}

} // namespace rpmsg::sim
