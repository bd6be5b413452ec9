// SPDX-License-Identifier: Apache-2.0
#include "napi/mu_look.h"

#include "napi/convert.h"
#include "platform/uio/mu_probe.h"

namespace rpmsg {

namespace {

Napi::Array registers_of(Napi::Env env, const MuState& state) {
  auto list = Napi::Array::New(env);
  for (const MuRegister& each : state.registers()) {
    auto pair = Napi::Array::New(env, 2);
    pair.Set(0u, Napi::Number::New(env, each.offset));
    pair.Set(1u, Napi::Number::New(env, each.value));
    list.Set(list.Length(), pair);
  }
  return list;
}

Napi::Object object_of(Napi::Env env, const MuState& state) {
  auto object = Napi::Object::New(env);
  const auto set = [&](const char* name, uint8_t value) {
    object.Set(name, Napi::Number::New(env, value));
  };
  set("transmitEmpty", state.transmit_empty);
  set("receiveFull", state.receive_full);
  set("doorbellsPending", state.doorbells_pending);
  set("transmitEnabled", state.transmit_enabled);
  set("receiveEnabled", state.receive_enabled);
  set("doorbellsEnabled", state.doorbells_enabled);
  set("doorbellsRinging", state.doorbells_ringing);
  set("ownFlags", state.own_flags);
  set("remoteFlags", state.remote_flags);
  object.Set("isCrossing", Napi::Boolean::New(env, state.flags_crossing));
  object.Set("registers", registers_of(env, state));
  return object;
}

Napi::Value look_at_mu(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) {
    Napi::TypeError::New(env, "path must be a string").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto map = to_u32(info[1], "map");
  const auto offset = map ? to_u64(info[2], "offset") : std::nullopt;
  const auto generation = offset ? to_mu_generation(info[3], "generation") : std::nullopt;
  if (!generation) return env.Undefined();
  const MuProbe probe =
      probe_mu({info[0].As<Napi::String>().Utf8Value(), *map, *offset, *generation});
  if (probe.outcome == MuProbe::Outcome::refused) return Napi::Number::New(env, -probe.error);
  const bool is_answering = probe.outcome == MuProbe::Outcome::read;
  auto object = is_answering ? object_of(env, probe.state) : Napi::Object::New(env);
  object.Set("isAnswering", Napi::Boolean::New(env, is_answering));
  return object;
}

} // namespace

void define_mu_look(Napi::Env env, Napi::Object exports) {
  exports.Set("readMuState", Napi::Function::New(env, look_at_mu, "readMuState"));
}

} // namespace rpmsg
