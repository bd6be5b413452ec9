// SPDX-License-Identifier: Apache-2.0
#include "napi/uv_async.h"

#include <cstdlib>

namespace rpmsg {

namespace {

constexpr int kUvAsync = 1; // UV_ASYNC in enum uv_handle_type

} // namespace

bool UvAsync::open(napi_env env, Callback callback, void* data) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  auto* handle = static_cast<uv_handle_s*>(std::malloc(uv_handle_size(kUvAsync)));
  if (handle == nullptr) return false;
  const int error = uv_async_init(loop, handle, [](uv_handle_s* fired) {
    const auto* target = static_cast<const Target*>(uv_handle_get_data(fired));
    if (target != nullptr) target->callback(target->data);
  });
  if (error != 0) {
    std::free(handle);
    return false;
  }
  uv_handle_set_data(handle, new Target{callback, data});
  handle_ = handle;
  return true;
}

void UvAsync::close() {
  if (handle_ == nullptr) return;
  uv_handle_s* const handle = handle_;
  handle_ = nullptr;
  delete static_cast<Target*>(uv_handle_get_data(handle));
  uv_handle_set_data(handle, nullptr); // one that is under way finds nobody
  uv_close(handle, [](uv_handle_s* closed) { std::free(closed); });
}

} // namespace rpmsg
