// SPDX-License-Identifier: Apache-2.0
#include "napi/uv_poll.h"

#include <cstdlib>
#include <utility>

namespace rpmsg {

namespace {

constexpr int kUvPoll = 8; // UV_POLL in enum uv_handle_type

} // namespace

bool UvPoll::open(napi_env env, int fd, Callback callback, void* data) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
  auto* handle = static_cast<uv_handle_s*>(std::malloc(uv_handle_size(kUvPoll)));
  if (handle == nullptr) return false;
  if (uv_poll_init(loop, handle, fd) != 0) {
    std::free(handle);
    return false;
  }
  uv_handle_set_data(handle, new Target{this, callback, data});
  handle_ = handle;
  return true;
}

void UvPoll::on_poll(uv_handle_s* handle, int status, int events) {
  const auto* target = static_cast<const Target*>(uv_handle_get_data(handle));
  if (target == nullptr) return;
  UvPoll& poll = *target->poll;
  // libuv has stopped a handle that it reports an error of; whoever goes on watches anew.
  const int ready = status < 0 ? std::exchange(poll.watched_, 0) : events & poll.watched_;
  if (ready != 0) target->callback(target->data, ready);
}

void UvPoll::watch(int events) {
  if (handle_ == nullptr || events == watched_) return;
  watched_ = events;
  if (events == 0) {
    uv_poll_stop(handle_);
  } else {
    uv_poll_start(handle_, events, on_poll);
  }
}

void UvPoll::close() {
  if (handle_ == nullptr) return;
  uv_handle_s* const handle = std::exchange(handle_, nullptr);
  watched_ = 0;
  delete static_cast<Target*>(uv_handle_get_data(handle));
  uv_handle_set_data(handle, nullptr); // one that is under way finds nobody
  uv_close(handle, [](uv_handle_s* closed) { std::free(closed); });
}

} // namespace rpmsg
