// SPDX-License-Identifier: Apache-2.0
#include "napi/bus_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "napi/convert.h"

namespace rpmsg {

namespace {

constexpr napi_type_tag kBusSocketTag = {0x7270'6d73'6764'4273, 0x6f63'6b65'7400'0001};

// SCM_MAX_FD of the kernel: no message has more, so none is lost for want of room.
constexpr size_t kMaxFds = 253;

void take_fds(msghdr& message, std::vector<int>& fds) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t bytes = header->cmsg_len - CMSG_LEN(0), had = fds.size();
    fds.resize(had + bytes / sizeof(int));
    std::memcpy(fds.data() + had, CMSG_DATA(header), bytes); // private memory
  }
}

/// recvmsg(2) with a place for descriptors, whose owner the caller is. Bytes, or -errno.
ssize_t receive(int socket, std::span<uint8_t> room, std::vector<int>& fds) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control;
  iovec data{room.data(), room.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count;
  do {
    count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  take_fds(message, fds);
  // There was room in the message, so the process has no more numbers. Which ones are missing is
  // not known, and with that not whose the others are.
  return (message.msg_flags & MSG_CTRUNC) != 0 ? -EMFILE : count;
}

} // namespace

Napi::Function BusSocket::define(Napi::Env env) {
  return DefineClass(
      env, "BusSocket",
      {InstanceMethod<&BusSocket::watch>("watch"), InstanceMethod<&BusSocket::read>("read"),
       InstanceMethod<&BusSocket::write>("write"), InstanceMethod<&BusSocket::close>("close")});
}

BusSocket::BusSocket(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BusSocket>(info) {
  napi_type_tag_object(info.Env(), info.This(), &kBusSocketTag);
  socket_.open(info, "rpmsgd.bus");
}

void BusSocket::watch(const Napi::CallbackInfo& info) {
  socket_.watch(info);
}

Napi::Value BusSocket::read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsArray()) return Napi::Number::New(env, -EINVAL);
  auto list = info[0].As<Napi::Array>();
  std::vector<int> fds;
  const ssize_t count = receive(socket_.fd(), received_, fds);
  if (count <= 0) {
    for (const int fd : fds)
      ::close(fd);
    return Napi::Number::New(env, static_cast<double>(count));
  }
  for (const int fd : fds)
    list.Set(list.Length(), Napi::Number::New(env, fd));
  return Napi::Buffer<uint8_t>::Copy(env, received_.data(), static_cast<size_t>(count));
}

Napi::Value BusSocket::write(const Napi::CallbackInfo& info) {
  const auto bytes = to_bytes(info[0], "bytes");
  const auto from = bytes ? to_u32(info[1], "from") : std::nullopt;
  if (!from) return info.Env().Undefined();
  if (*from > bytes->size()) return Napi::Number::New(info.Env(), -EINVAL);
  const auto rest = bytes->subspan(*from);
  const ssize_t sent = send(socket_.fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return Napi::Number::New(info.Env(), sent < 0 ? -errno : static_cast<double>(sent));
}

void BusSocket::close(const Napi::CallbackInfo&) {
  socket_.close();
}

} // namespace rpmsg
