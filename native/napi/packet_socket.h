// SPDX-License-Identifier: Apache-2.0
// A SOCK_SEQPACKET socket as a JavaScript class: packets, several at a time, which Node's own
// sockets do not have. Main thread.
#pragma once

#include <napi.h>

#include <sys/socket.h>

#include <cstdint>
#include <vector>

#include "napi/socket_watch.h"

namespace rpmsg {

/// new PacketSocket(fd, onReady, maxPacketBytes, hasEmptyPackets): whose owner it becomes.
class PacketSocket : public Napi::ObjectWrap<PacketSocket> {
public:
  static Napi::Function define(Napi::Env env);

  explicit PacketSocket(const Napi::CallbackInfo& info);

private:
  void watch(const Napi::CallbackInfo& info);
  /// receive() → packets; 0 at the end; -errno. In place of a packet that is too long its size.
  Napi::Value receive(const Napi::CallbackInfo& info);
  /// send(packets, from) → how many packets after the first `from` were taken, or -errno.
  Napi::Value send(const Napi::CallbackInfo& info);
  /// shutdown() → 0 or -errno: nothing more is sent, the other end reads the end of file.
  Napi::Value shutdown(const Napi::CallbackInfo& info);
  /// untaken() → bytes of memory of what the other end has not read, or -errno: ECONNRESET, once,
  /// when it closed and left packets unread.
  Napi::Value untaken(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void make_room(size_t packet_bytes);
  bool is_end(const mmsghdr& received) const;

  SocketWatch socket_;
  bool has_empty_packets_ = false;
  std::vector<uint8_t> room_;
  std::vector<uint8_t> control_;
  std::vector<iovec> vectors_;
  std::vector<mmsghdr> headers_;
};

} // namespace rpmsg
