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
std::string clear_stale(const sockaddr_un& address) {
  struct stat info = {};
  const std::string path = address.sun_path;
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return "--socket \"" + path + "\" exists and is not a socket: remove it or use another path";
  Fd probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int rc =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (rc == 0 || errno != ECONNREFUSED)
    return "--socket \"" + path + "\" is in use by a running program: stop it or use another path";
  if (::unlink(path.c_str()) != 0)
    return "--socket \"" + path + "\": cannot remove the old socket: " + std::strerror(errno);
  return {};
}

} // namespace

Listener::~Listener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

std::string Listener::open(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return "--socket \"" + path + "\" has " + std::to_string(path.size()) +
           " bytes; a Unix socket path has at most " + std::to_string(sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path.data(), path.size());
  std::string problem = clear_stale(address);
  if (!problem.empty()) return problem;
  fd_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_ || ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return "--socket \"" + path + "\" cannot be created: " + std::strerror(errno);
  path_ = path;
  if (::listen(fd_.get(), SOMAXCONN) != 0)
    return "--socket \"" + path + "\" cannot be listened on: " + std::strerror(errno);
  return {};
}

} // namespace rpmsg::sim
