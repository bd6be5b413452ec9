// SPDX-License-Identifier: Apache-2.0
// A JavaScript function that the event loop calls, as it would any callback of Node's own.
#pragma once

#include <napi.h>

#include <memory>
#include <span>

namespace rpmsg {

class Listener {
public:
  /// `name` is what asynchronous hooks show.
  void set(const Napi::Function& function, const char* name);
  void reset();

  /// Microtasks and ticks run afterwards; what the function throws is an uncaught exception.
  /// Whatever calls may be gone when this returns. Outside any call from JavaScript.
  void call(napi_env env, napi_value receiver, std::span<const napi_value> args = {});

private:
  Napi::FunctionReference function_;
  std::unique_ptr<Napi::AsyncContext> context_;
};

} // namespace rpmsg
