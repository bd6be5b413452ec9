// SPDX-License-Identifier: Apache-2.0
#include "napi/listener.h"

namespace rpmsg {

void Listener::set(const Napi::Function& function, const char* name) {
  context_ = std::make_unique<Napi::AsyncContext>(function.Env(), name);
  function_ = Napi::Persistent(function);
}

void Listener::reset() {
  function_.Reset();
}

void Listener::call(napi_env env, napi_value receiver, std::span<const napi_value> args) {
  if (function_.IsEmpty() || !context_) return;
  // The plain call: the wrapper of node-addon-api throws when JavaScript may not run any more, as
  // in a worker that is being terminated, and that is fatal to the whole process.
  napi_value result = nullptr;
  const napi_status called = napi_make_callback(env, *context_, receiver, function_.Value(),
                                                args.size(), args.data(), &result);
  bool has_thrown = false;
  napi_value thrown = nullptr;
  if (called == napi_ok || napi_is_exception_pending(env, &has_thrown) != napi_ok) return;
  if (has_thrown && napi_get_and_clear_last_exception(env, &thrown) == napi_ok) {
    napi_fatal_exception(env, thrown);
  }
}

} // namespace rpmsg
