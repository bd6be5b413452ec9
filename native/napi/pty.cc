// SPDX-License-Identifier: Apache-2.0
#include "napi/pty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/unique_fd.h"
#include "napi/convert.h"

namespace rpmsg {

namespace {

Napi::Value open_pty(const Napi::CallbackInfo& info) {
  UniqueFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  const bool is_open = master && unlockpt(master.get()) == 0 && make_raw(master.get());
  return Napi::Number::New(info.Env(), is_open ? master.release() : -errno);
}

Napi::Value slave_path(const Napi::CallbackInfo& info) {
  const auto master = to_u32(info[0], "master");
  if (!master) return info.Env().Undefined();
  unsigned number = 0;
  if (ioctl(static_cast<int>(*master), TIOCGPTN, &number) != 0) {
    return Napi::Number::New(info.Env(), -errno);
  }
  return Napi::String::New(info.Env(), "/dev/pts/" + std::to_string(number));
}

/// By a descriptor: the sandbox lets nothing be given away by its path.
int grant(int master, gid_t group, mode_t mode) {
  const UniqueFd slave(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return -errno;
  constexpr auto kSameOwner = static_cast<uid_t>(-1);
  // Closed to everyone else first: the mode may have been another group's.
  if (fchmod(slave.get(), S_IRUSR | S_IWUSR) != 0) return -errno;
  if (fchown(slave.get(), kSameOwner, group) != 0) return -errno;
  return fchmod(slave.get(), mode) == 0 ? 0 : -errno;
}

Napi::Value grant_slave(const Napi::CallbackInfo& info) {
  const auto master = to_u32(info[0], "master");
  const auto mode = to_u32(info[2], "mode");
  if (!master || !mode) return info.Env().Undefined();
  auto group = static_cast<gid_t>(-1);
  if (!info[1].IsNull()) {
    const auto gid = to_u32(info[1], "gid");
    if (!gid) return info.Env().Undefined();
    group = *gid;
  }
  return Napi::Number::New(info.Env(), grant(static_cast<int>(*master), group, *mode));
}

} // namespace

bool make_raw(int fd) {
  termios settings{};
  if (tcgetattr(fd, &settings) != 0) return false;
  cfmakeraw(&settings);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  return tcsetattr(fd, TCSANOW, &settings) == 0;
}

void define_pty_calls(Napi::Env env, Napi::Object exports) {
  exports.Set("openPty", Napi::Function::New(env, open_pty, "openPty"));
  exports.Set("slavePath", Napi::Function::New(env, slave_path, "slavePath"));
  exports.Set("grantSlave", Napi::Function::New(env, grant_slave, "grantSlave"));
}

} // namespace rpmsg
