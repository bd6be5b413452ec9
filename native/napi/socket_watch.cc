// SPDX-License-Identifier: Apache-2.0
#include "napi/socket_watch.h"

#include "napi/convert.h"

namespace rpmsg {

bool SocketWatch::open(const Napi::CallbackInfo& info, const char* name) {
  const Napi::Env env = info.Env();
  const auto fd = to_u32(info[0], "fd");
  if (!fd) return false;
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(env, "onReady must be a function").ThrowAsJavaScriptException();
    return false;
  }
  const int number = static_cast<int>(*fd);
  const bool opened = poll_.open(
      env, number,
      [](void* self, int events) { static_cast<SocketWatch*>(self)->on_ready(events); }, this);
  if (!opened) {
    Napi::Error::New(env, "descriptor " + std::to_string(number) + " cannot be watched")
        .ThrowAsJavaScriptException();
    return false;
  }
  fd_.reset(number);
  listener_.set(info[1].As<Napi::Function>(), name);
  self_ = Napi::Persistent(info.This().As<Napi::Object>());
  return true;
}

void SocketWatch::watch(const Napi::CallbackInfo& info) {
  constexpr uint32_t kAll = UvPoll::kReadable | UvPoll::kWritable;
  const auto events = to_u32(info[0], "events");
  if (events) poll_.watch(static_cast<int>(*events & kAll));
}

void SocketWatch::close() {
  poll_.close(); // before the descriptor
  fd_.reset();
  listener_.reset();
  self_.Reset();
}

void SocketWatch::on_ready(int events) {
  const Napi::Env env = self_.Env();
  const Napi::HandleScope scope(env);
  const napi_value argument = Napi::Number::New(env, events);
  listener_.call(env, self_.Value(), {&argument, 1}); // `this` may be closed by now
}

} // namespace rpmsg
