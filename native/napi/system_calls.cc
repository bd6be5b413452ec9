// SPDX-License-Identifier: Apache-2.0
#include "napi/system_calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "napi/convert.h"
#include "napi/rights.h"

namespace rpmsg {

namespace {

// The main thread waits that long for a service manager that is busy, and never for a dead one.
constexpr timeval kLongestNotify{0, 200'000};

Napi::Value send_fds(const Napi::CallbackInfo& info) {
  const auto socket = to_u32(info[0], "socketFd");
  const auto bytes = to_bytes(info[1], "bytes");
  const auto fds = to_fds(info[2]);
  if (info.Env().IsExceptionPending()) return info.Env().Undefined();
  if (!socket || !bytes || !fds || bytes->empty()) return Napi::Number::New(info.Env(), -EINVAL);
  iovec data{const_cast<uint8_t*>(bytes->data()), bytes->size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  Rights rights;
  rights.attach(message, *fds);
  const ssize_t sent = sendmsg(static_cast<int>(*socket), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return Napi::Number::New(info.Env(), sent < 0 ? -errno : static_cast<double>(sent));
}

struct UnixAddress {
  sockaddr_un bytes{};
  socklen_t length = 0;
};

/// Of a path, or of an abstract name, which starts with a zero byte. Nothing if it is too long.
std::optional<UnixAddress> unix_address(std::string_view path) {
  UnixAddress address;
  address.bytes.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.bytes.sun_path) return std::nullopt;
  std::memcpy(address.bytes.sun_path, path.data(), path.size()); // private memory
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return address;
}

/// One datagram to a path or an @abstract name, within kLongestNotify; 0 or -errno.
int send_datagram(const std::string& path, std::span<const uint8_t> bytes, int flags,
                  std::span<const int> fds = {}) {
  auto to = unix_address(path);
  if (!to) return -EINVAL;
  if (path[0] == '@') to->bytes.sun_path[0] = '\0';
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kLongestNotify, sizeof kLongestNotify);
  iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_name = &to->bytes;
  message.msg_namelen = to->length;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  Rights rights;
  rights.attach(message, fds);
  ssize_t sent;
  do {
    sent = sendmsg(socket.get(), &message, flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

Napi::Value connect_socket(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) return Napi::Number::New(env, -EINVAL);
  const auto to = unix_address(info[0].As<Napi::String>().Utf8Value());
  if (!to) return Napi::Number::New(env, -ENAMETOOLONG);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Napi::Number::New(env, -errno);
  // At once or not at all, EAGAIN, for there is no queue to wait in.
  const int result =
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&to->bytes), to->length);
  return Napi::Number::New(env, result == 0 ? socket.release() : -errno);
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Napi::Value notify(const Napi::CallbackInfo& info) {
  const auto fds = to_fds(info[2]);
  if (info.Env().IsExceptionPending()) return info.Env().Undefined();
  if (!info[0].IsString() || !info[1].IsString() || !fds) {
    return Napi::Number::New(info.Env(), -EINVAL);
  }
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const std::string text = info[1].As<Napi::String>().Utf8Value();
  return Napi::Number::New(info.Env(), send_datagram(path, bytes_of(text), 0, *fds));
}

Napi::Value notify_barrier(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) return Napi::Number::New(info.Env(), -EINVAL);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return Napi::Number::New(info.Env(), -errno);
  }
  UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]); // once it is sent, the service manager's is the only one
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const int sent = send_datagram(path, bytes_of("BARRIER=1"), 0, std::span(&ends[1], 1));
  return Napi::Number::New(info.Env(), sent < 0 ? sent : reader.release());
}

Napi::Value close_on_exec(const Napi::CallbackInfo& info) {
  const auto fd = to_u32(info[0], "fd");
  if (!fd) return info.Env().Undefined();
  const int set = fcntl(static_cast<int>(*fd), F_SETFD, FD_CLOEXEC);
  return Napi::Number::New(info.Env(), set < 0 ? -errno : 0);
}

Napi::Value journal_send(const Napi::CallbackInfo& info) {
  const auto bytes = to_bytes(info[1], "bytes");
  if (!info[0].IsString() || !bytes) return Napi::Number::New(info.Env(), -EINVAL);
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  return Napi::Number::New(info.Env(), send_datagram(path, *bytes, MSG_DONTWAIT));
}

Napi::Value packet_pair(const Napi::CallbackInfo& info) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Napi::Number::New(info.Env(), -errno);
  }
  auto pair = Napi::Array::New(info.Env(), ends.size());
  for (uint32_t i = 0; i < ends.size(); ++i)
    pair.Set(i, Napi::Number::New(info.Env(), ends[i]));
  return pair;
}

Napi::Object lock_outcome(Napi::Env env, const char* status) {
  auto result = Napi::Object::New(env);
  result.Set("status", Napi::String::New(env, status));
  return result;
}

double holder_of(int fd) {
  std::array<char, 32> text{};
  const ssize_t length = pread(fd, text.data(), text.size(), 0);
  int pid = 0;
  if (length > 0) std::from_chars(text.data(), text.data() + length, pid);
  return pid;
}

Napi::Value lock_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    Napi::TypeError::New(env, "path must be a string").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) {
    auto result = lock_outcome(env, "failed");
    result.Set("message", Napi::String::New(env, std::strerror(errno)));
    return result;
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    auto result = lock_outcome(env, "held");
    result.Set("holder", Napi::Number::New(env, holder_of(fd.get())));
    return result;
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    // The lock is what counts; who holds it is only missing from the loser's message.
  }
  fd.release(); // kept until the process ends, whichever way it does
  return lock_outcome(env, "locked");
}

} // namespace

void define_system_calls(Napi::Env env, Napi::Object exports) {
  exports.Set("connectSocket", Napi::Function::New(env, connect_socket, "connectSocket"));
  exports.Set("sendFds", Napi::Function::New(env, send_fds, "sendFds"));
  exports.Set("notify", Napi::Function::New(env, notify, "notify"));
  exports.Set("notifyBarrier", Napi::Function::New(env, notify_barrier, "notifyBarrier"));
  exports.Set("closeOnExec", Napi::Function::New(env, close_on_exec, "closeOnExec"));
  exports.Set("journalSend", Napi::Function::New(env, journal_send, "journalSend"));
  exports.Set("packetPair", Napi::Function::New(env, packet_pair, "packetPair"));
  exports.Set("lockFile", Napi::Function::New(env, lock_file, "lockFile"));
}

} // namespace rpmsg
