// SPDX-License-Identifier: Apache-2.0
// Tells when a descriptor is ready, on the event loop's thread. It does not own the descriptor.
#pragma once

#include <napi.h>

#include "napi/uv_abi.h"

namespace rpmsg {

/// The handle lives on the heap and is freed in its close callback, which may come after this
/// object is gone. It keeps the event loop running while something is watched for.
class UvPoll {
public:
  static constexpr int kReadable = 1; // UV_READABLE
  static constexpr int kWritable = 2; // UV_WRITABLE

  /// `events` of what is watched for. A hang-up or an error counts as all of it: look for yourself.
  using Callback = void (*)(void* data, int events);

  UvPoll() = default;
  UvPoll(const UvPoll&) = delete;
  UvPoll& operator=(const UvPoll&) = delete;
  ~UvPoll() { close(); }

  /// False when the loop cannot watch this descriptor, or watches it already. Sets O_NONBLOCK.
  bool open(napi_env env, int fd, Callback callback, void* data);
  /// From now on the callback comes for these events, 0 for none; again and again while they last.
  void watch(int events);
  /// The descriptor may be closed right afterwards. Idempotent.
  void close();

private:
  struct Target {
    UvPoll* poll;
    Callback callback;
    void* data;
  };

  static void on_poll(uv_handle_s* handle, int status, int events);

  uv_handle_s* handle_ = nullptr;
  int watched_ = 0;
};

} // namespace rpmsg
