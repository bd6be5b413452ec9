// SPDX-License-Identifier: Apache-2.0
// The one libuv handle that another thread may touch: a thread-safe function would take a lock and
// allocate on the link thread.
#pragma once

#include <napi.h>

#include "napi/uv_abi.h"

namespace rpmsg {

/// Calls `callback(data)` on the loop's thread, once or more after each send(). The handle lives on
/// the heap and is freed in its close callback, which may come after this object is gone.
class UvAsync {
public:
  using Callback = void (*)(void* data);

  UvAsync() = default;
  UvAsync(const UvAsync&) = delete;
  UvAsync& operator=(const UvAsync&) = delete;
  ~UvAsync() { close(); }

  /// False when the loop cannot take another handle.
  bool open(napi_env env, Callback callback, void* data);
  /// Any thread, between open() and close(). Wait-free.
  void send() { uv_async_send(handle_); }
  /// The loop's thread; nobody may send() any more. Idempotent.
  void close();

private:
  struct Target {
    Callback callback;
    void* data;
  };

  uv_handle_s* handle_ = nullptr;
};

} // namespace rpmsg
