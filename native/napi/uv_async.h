// SPDX-License-Identifier: Apache-2.0
// The one libuv handle that another thread may touch. The declarations are libuv's stable 1.x ABI,
// which the Node executable exports; node-api-headers has no uv.h, and a thread-safe function would
// take a lock and allocate on the link thread.
#pragma once

#include <napi.h>

#include <cstddef>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;
size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void* uv_handle_get_data(const uv_handle_s* handle);
int uv_async_init(uv_loop_s* loop, uv_handle_s* async, void (*callback)(uv_handle_s*));
int uv_async_send(uv_handle_s* async);
void uv_close(uv_handle_s* handle, void (*closed)(uv_handle_s*));
void uv_unref(uv_handle_s* handle);
}

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
