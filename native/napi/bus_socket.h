// SPDX-License-Identifier: Apache-2.0
// The socket to a bus as a JavaScript class, for a client that receives descriptors: libuv's own
// streams read without a place for them. Main thread.
#pragma once

#include <napi.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "napi/socket_watch.h"

namespace rpmsg {

/// new BusSocket(fd, onReady): a connected stream socket, whose owner it becomes.
class BusSocket : public Napi::ObjectWrap<BusSocket> {
public:
  static Napi::Function define(Napi::Env env);

  explicit BusSocket(const Napi::CallbackInfo& info);

private:
  void watch(const Napi::CallbackInfo& info);
  /// read(fds) → bytes; 0 at the end; -errno. Descriptors that came with the bytes are added to
  /// fds.
  Napi::Value read(const Napi::CallbackInfo& info);
  /// write(bytes, from) → how many bytes after the first `from` were taken, or -errno.
  Napi::Value write(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  SocketWatch socket_;
  std::array<uint8_t, size_t{64} * 1024> received_;
};

} // namespace rpmsg
