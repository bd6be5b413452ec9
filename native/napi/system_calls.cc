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
#include <span>
#include <string>

#include "base/unique_fd.h"
#include "napi/convert.h"

namespace rpmsg {

namespace {

// The main thread waits that long for a service manager that is busy, and never for a dead one.
constexpr timeval kLongestNotify{0, 200'000};

// D-Bus allows 16 descriptors a message on the stock system bus.
constexpr size_t kMaxFds = 16;

Napi::Value send_fds(const Napi::CallbackInfo& info) {
  const auto socket = to_u32(info[0], "socketFd");
  const auto bytes = to_bytes(info[1], "bytes");
  if (!socket || !bytes || !info[2].IsArray()) return Napi::Number::New(info.Env(), -EINVAL);
  const auto list = info[2].As<Napi::Array>();
  const size_t count = list.Length();
  if (count > kMaxFds || bytes->empty()) return Napi::Number::New(info.Env(), -EINVAL);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control{};
  iovec data{const_cast<uint8_t*>(bytes->data()), bytes->size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; ++i) {
      const Napi::Value entry = list.Get(static_cast<uint32_t>(i));
      const auto fd = entry.IsEmpty() ? std::nullopt : to_u32(entry, "fd");
      if (!fd) return info.Env().Undefined();
      const int value = static_cast<int>(*fd);
      std::memcpy(CMSG_DATA(header) + i * sizeof(int), &value, sizeof value);
    }
  }
  const ssize_t sent = sendmsg(static_cast<int>(*socket), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return Napi::Number::New(info.Env(), sent < 0 ? -errno : static_cast<double>(sent));
}

/// One datagram to a path or an @abstract name, within kLongestNotify; 0 or -errno.
int send_datagram(const std::string& path, std::span<const uint8_t> bytes, int flags) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof to.sun_path) return -EINVAL;
  std::memcpy(to.sun_path, path.data(), path.size()); // private memory
  if (path[0] == '@') to.sun_path[0] = '\0';          // the abstract namespace
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kLongestNotify, sizeof kLongestNotify);
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  ssize_t sent;
  do {
    sent = sendto(socket.get(), bytes.data(), bytes.size(), flags | MSG_NOSIGNAL,
                  reinterpret_cast<sockaddr*>(&to), length);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

Napi::Value notify(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsString()) return Napi::Number::New(info.Env(), -EINVAL);
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const std::string text = info[1].As<Napi::String>().Utf8Value();
  const std::span bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  return Napi::Number::New(info.Env(), send_datagram(path, bytes, 0));
}

Napi::Value journal_send(const Napi::CallbackInfo& info) {
  const auto bytes = to_bytes(info[1], "bytes");
  if (!info[0].IsString() || !bytes) return Napi::Number::New(info.Env(), -EINVAL);
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  return Napi::Number::New(info.Env(), send_datagram(path, *bytes, MSG_DONTWAIT));
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
  exports.Set("sendFds", Napi::Function::New(env, send_fds, "sendFds"));
  exports.Set("notify", Napi::Function::New(env, notify, "notify"));
  exports.Set("journalSend", Napi::Function::New(env, journal_send, "journalSend"));
  exports.Set("lockFile", Napi::Function::New(env, lock_file, "lockFile"));
}

} // namespace rpmsg
