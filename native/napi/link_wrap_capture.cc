// SPDX-License-Identifier: Apache-2.0
// Captures, as methods of the link they are of.
#include <cstring>

#include "napi/convert.h"
#include "napi/link_wrap.h"

namespace rpmsg {

Napi::Value LinkWrap::open_capture(const Napi::CallbackInfo& info) {
  auto request = to_capture_request(info[0]);
  if (!request) return info.Env().Undefined();
  auto opened = capture_->open(std::move(*request));
  auto result = Napi::Object::New(info.Env());
  if (opened) {
    result.Set("id", Napi::Number::New(info.Env(), opened->id));
    result.Set("fd", Napi::Number::New(info.Env(), opened->pipe.release()));
    return result;
  }
  const Error& error = opened.error();
  const std::string why =
      error.os_error == 0 ? errc_name(error.code) : std::strerror(error.os_error);
  result.Set("code", Napi::String::New(info.Env(), errc_name(error.code)));
  result.Set("error",
             Napi::String::New(info.Env(), std::string("cannot ") + error.operation + ": " + why));
  return result;
}

/// After the link's own events, in the same form.
void LinkWrap::add_captures_over() {
  for (const uint32_t id : capture_->take_over()) {
    const PairEvent event = {{sizeof(PairEvent), EventKind::capture_over}, id, 0, 0};
    const auto* const bytes = reinterpret_cast<const uint8_t*>(&event);
    batch_.insert(batch_.end(), bytes, bytes + sizeof event);
  }
}

} // namespace rpmsg
