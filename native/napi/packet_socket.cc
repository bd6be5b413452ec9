// SPDX-License-Identifier: Apache-2.0
#include "napi/packet_socket.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "napi/convert.h"

namespace rpmsg {

namespace {

constexpr napi_type_tag kPacketSocketTag = {0x7270'6d73'6764'5061, 0x636b'6574'0000'0001};

constexpr size_t kBatchBytes = size_t{64} * 1024;
constexpr size_t kMaxBatch = 64;
constexpr uint32_t kMaxPacketBytes = 1024 * 1024;

Napi::Number number(Napi::Env env, double value) {
  return Napi::Number::New(env, value);
}

} // namespace

Napi::Function PacketSocket::define(Napi::Env env) {
  return DefineClass(env, "PacketSocket",
                     {InstanceMethod<&PacketSocket::watch>("watch"),
                      InstanceMethod<&PacketSocket::receive>("receive"),
                      InstanceMethod<&PacketSocket::send>("send"),
                      InstanceMethod<&PacketSocket::shutdown>("shutdown"),
                      InstanceMethod<&PacketSocket::untaken>("untaken"),
                      InstanceMethod<&PacketSocket::close>("close")});
}

PacketSocket::PacketSocket(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PacketSocket>(info) {
  napi_type_tag_object(info.Env(), info.This(), &kPacketSocketTag);
  const auto packet_bytes = to_u32(info[2], "maxPacketBytes");
  if (!packet_bytes) return;
  if (*packet_bytes < 1 || *packet_bytes > kMaxPacketBytes || !info[3].IsBoolean()) {
    Napi::TypeError::New(info.Env(),
                         "maxPacketBytes must be 1 to 1048576, hasEmptyPackets a boolean")
        .ThrowAsJavaScriptException();
    return;
  }
  if (!socket_.open(info, "rpmsgd.stream")) return;
  // A packet without bytes and the end of file both read as 0. The sender's credentials come with
  // every packet, and never with the end.
  has_empty_packets_ = info[3].As<Napi::Boolean>();
  const int on = 1;
  if (has_empty_packets_) {
    (void)setsockopt(socket_.fd(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  }
  make_room(*packet_bytes);
}

void PacketSocket::make_room(size_t packet_bytes) {
  constexpr size_t kControlBytes = CMSG_SPACE(sizeof(ucred));
  const size_t count = std::clamp<size_t>(kBatchBytes / packet_bytes, 1, kMaxBatch);
  room_.resize(count * packet_bytes);
  vectors_.resize(count);
  headers_.resize(count);
  if (has_empty_packets_) control_.resize(count * kControlBytes);
  for (size_t i = 0; i < count; ++i) {
    vectors_[i] = {room_.data() + i * packet_bytes, packet_bytes};
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    // Descriptors find no room in it, nor without it: nobody makes us hold any.
    if (has_empty_packets_) headers_[i].msg_hdr.msg_control = control_.data() + i * kControlBytes;
  }
}

bool PacketSocket::is_end(const mmsghdr& received) const {
  if (received.msg_len > 0) return false;
  return !has_empty_packets_ || CMSG_FIRSTHDR(&received.msg_hdr) == nullptr;
}

void PacketSocket::watch(const Napi::CallbackInfo& info) {
  socket_.watch(info);
}

Napi::Value PacketSocket::receive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  for (mmsghdr& header : headers_)
    header.msg_hdr.msg_controllen = has_empty_packets_ ? CMSG_SPACE(sizeof(ucred)) : 0;
  const int count = recvmmsg(socket_.fd(), headers_.data(), static_cast<unsigned>(headers_.size()),
                             MSG_DONTWAIT | MSG_TRUNC, nullptr);
  if (count < 0) return number(env, -errno);
  if (count == 0 || is_end(headers_[0])) return number(env, 0);
  auto packets = Napi::Array::New(env);
  for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i) {
    const mmsghdr& each = headers_[i];
    if (is_end(each)) break; // and again with the next call
    const bool is_whole = each.msg_len <= vectors_[i].iov_len;
    const auto* bytes = static_cast<const uint8_t*>(vectors_[i].iov_base);
    packets.Set(i, is_whole ? Napi::Value(Napi::Buffer<uint8_t>::Copy(env, bytes, each.msg_len))
                            : Napi::Value(number(env, each.msg_len)));
  }
  return packets;
}

Napi::Value PacketSocket::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto from = to_u32(info[1], "from");
  if (!from) return env.Undefined();
  if (!info[0].IsArray()) return number(env, -EINVAL);
  const auto list = info[0].As<Napi::Array>();
  std::array<iovec, kMaxBatch> vectors;
  std::array<mmsghdr, kMaxBatch> headers{};
  unsigned count = 0;
  for (uint32_t i = *from; i < list.Length() && count < kMaxBatch; ++i, ++count) {
    const Napi::Value entry = list.Get(i);
    const auto bytes = entry.IsEmpty() ? std::nullopt : to_bytes(entry, "packet");
    if (!bytes) return env.Undefined();
    vectors[count] = {const_cast<uint8_t*>(bytes->data()), bytes->size()};
    headers[count].msg_hdr.msg_iov = &vectors[count];
    headers[count].msg_hdr.msg_iovlen = 1;
  }
  const int sent = sendmmsg(socket_.fd(), headers.data(), count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return number(env, sent < 0 ? -errno : sent);
}

Napi::Value PacketSocket::shutdown(const Napi::CallbackInfo& info) {
  return number(info.Env(), ::shutdown(socket_.fd(), SHUT_WR) == 0 ? 0 : -errno);
}

Napi::Value PacketSocket::untaken(const Napi::CallbackInfo& info) {
  int bytes = 0, error = 0;
  socklen_t size = sizeof error;
  (void)getsockopt(socket_.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return number(info.Env(), -error);
  return number(info.Env(), ioctl(socket_.fd(), SIOCOUTQ, &bytes) == 0 ? bytes : -errno);
}

void PacketSocket::close(const Napi::CallbackInfo&) {
  socket_.close();
}

} // namespace rpmsg
