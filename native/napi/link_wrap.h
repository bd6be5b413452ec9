// SPDX-License-Identifier: Apache-2.0
// rpmsg::Link as a JavaScript class: convert, one call, convert. Main thread.
#pragma once

#include <napi.h>

#include <memory>

#include "capture/capture.h"
#include "link/link.h"
#include "napi/listener.h"
#include "napi/uv_async.h"

namespace rpmsg {

class LinkWrap : public Napi::ObjectWrap<LinkWrap> {
public:
  static Napi::Function define(Napi::Env env);

  explicit LinkWrap(const Napi::CallbackInfo& info);
  ~LinkWrap() override;

private:
  Napi::Value open_remote(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value open_endpoint(const Napi::CallbackInfo& info);
  void close_endpoint(const Napi::CallbackInfo& info);
  void drop_unclaimed(const Napi::CallbackInfo& info);
  void grant(const Napi::CallbackInfo& info);
  void sync(const Napi::CallbackInfo& info);
  void release(const Napi::CallbackInfo& info);
  void note_released(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value open_stream(const Napi::CallbackInfo& info);
  Napi::Value resume_stream(const Napi::CallbackInfo& info);
  void close_stream(const Napi::CallbackInfo& info);
  void drop_unresumed(const Napi::CallbackInfo& info);
  void set_stream_peer(const Napi::CallbackInfo& info);
  void guard(const Napi::CallbackInfo& info);
  void cancel_caller(const Napi::CallbackInfo& info);
  void reinitialize(const Napi::CallbackInfo& info);
  Napi::Value device_stats(const Napi::CallbackInfo& info);
  Napi::Value endpoint_stats(const Napi::CallbackInfo& info);
  Napi::Value device_status(const Napi::CallbackInfo& info);
  Napi::Value read_trace(const Napi::CallbackInfo& info);
  Napi::Value open_capture(const Napi::CallbackInfo& info);
  Napi::Value heartbeat(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  void on_events();
  void shut();
  void add_captures_over();
  Vdev* vdev_of(const Napi::CallbackInfo& info);

  UvAsync wake_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Capture> capture_; // goes before the link
  Listener listener_;
  std::vector<uint8_t> batch_;
  bool is_held_ = false; // by itself, from start() to close()
};

} // namespace rpmsg
