// SPDX-License-Identifier: Apache-2.0
// What the socket classes have in common: a descriptor of their own, watched by the event loop, and
// a JavaScript object that lives as long as it is open.
#pragma once

#include <napi.h>

#include "base/unique_fd.h"
#include "napi/listener.h"
#include "napi/uv_poll.h"

namespace rpmsg {

class SocketWatch {
public:
  ~SocketWatch() { close(); }

  /// Becomes the owner of the descriptor, info[0]; info[1] is called with the UvPoll events that
  /// came. From now on `this` of JavaScript is not garbage until close(). False, with an exception
  /// in JavaScript and the descriptor left alone, if it cannot be watched.
  bool open(const Napi::CallbackInfo& info, const char* name);
  /// watch(events): a JavaScript method.
  void watch(const Napi::CallbackInfo& info);
  /// Idempotent.
  void close();

  /// -1 when closed, so that system calls answer EBADF.
  int fd() const { return fd_.get(); }

private:
  void on_ready(int events);

  UniqueFd fd_;
  UvPoll poll_;
  Listener listener_;
  Napi::ObjectReference self_;
};

} // namespace rpmsg
