// SPDX-License-Identifier: Apache-2.0
#include "napi/convert.h"

#include <cmath>

namespace rpmsg {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

void throw_type(Napi::Env env, const char* name, const char* expected) {
  if (env.IsExceptionPending()) return;
  Napi::TypeError::New(env, std::string(name) + " must be " + expected)
      .ThrowAsJavaScriptException();
}

// A getter that throws leaves an empty value, which has no environment to throw anything else in.
std::optional<uint64_t> member_u64(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsEmpty() ? std::nullopt : to_u64(value, name);
}

std::optional<uint32_t> member_u32(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsEmpty() ? std::nullopt : to_u32(value, name);
}

bool read_windows(const Napi::Object& object, RemoteSetup& setup) {
  const auto vring_base = member_u64(object, "vringBase");
  const auto vring_stride = member_u64(object, "vringStride");
  const auto vring1_offset = member_u64(object, "vring1Offset");
  const auto buffer_base = member_u64(object, "bufferBase");
  const auto buffer_stride = member_u64(object, "bufferStride");
  const auto table_base = member_u64(object, "tableBase");
  const auto table_bytes = member_u64(object, "tableBytes");
  if (!vring_base || !vring_stride || !vring1_offset || !buffer_base || !buffer_stride ||
      !table_base || !table_bytes) {
    return false;
  }
  setup.vring_base = *vring_base;
  setup.vring_stride = *vring_stride;
  setup.vring1_offset = *vring1_offset;
  setup.buffer_base = *buffer_base;
  setup.buffer_stride = *buffer_stride;
  setup.table_base = *table_base;
  setup.table_bytes = *table_bytes;
  return true;
}

bool read_partition(const Napi::Object& object, RemoteSetup& setup) {
  const Napi::Value value = object.Get("partition");
  if (value.IsEmpty()) return false;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -2;
  if (number < -1 || number > 31 || std::floor(number) != number) {
    throw_type(object.Env(), "partition", "0 to 31, or -1 to ask SCFW");
    return false;
  }
  setup.partition = static_cast<int32_t>(number);
  return true;
}

bool read_counts(const Napi::Object& object, RemoteSetup& setup) {
  const auto vdevs = member_u32(object, "vdevs");
  const auto descriptors = member_u32(object, "descriptors");
  const auto align = member_u32(object, "align");
  const auto buffer_bytes = member_u32(object, "bufferBytes");
  const auto slots = member_u32(object, "slots");
  const auto ready_wait_ms = member_u32(object, "readyWaitMs");
  const auto lossless = member_u32(object, "losslessVdevs");
  if (!lossless) return false;
  if (!vdevs || !descriptors || !align || !buffer_bytes || !slots || !ready_wait_ms) return false;
  if (*descriptors > 32768) {
    throw_type(object.Env(), "descriptors", "at most 32768");
    return false;
  }
  setup.vdevs = *vdevs;
  setup.lossless_vdevs = *lossless;
  setup.geometry.num = static_cast<uint16_t>(*descriptors);
  setup.geometry.align = *align;
  setup.geometry.buffer_bytes = *buffer_bytes;
  setup.slots = *slots;
  setup.ready_wait_ms = *ready_wait_ms;
  return true;
}

bool read_text(const Napi::Object& object, const char* name, std::string& text) {
  const Napi::Value value = object.Get(name);
  if (value.IsEmpty()) return false; // its getter threw
  if (!value.IsString()) {
    throw_type(object.Env(), name, "a string");
    return false;
  }
  text = value.As<Napi::String>().Utf8Value();
  return true;
}

bool read_generation(const Napi::Object& object, MuGeneration& generation) {
  const Napi::Value value = object.Get("muGeneration");
  if (value.IsEmpty()) return false;
  const auto found = to_mu_generation(value, "muGeneration");
  if (found) generation = *found;
  return found.has_value();
}

bool read_uio_name(const Napi::Object& object, const char* name, const char* base, UioName& into) {
  const auto address = member_u64(object, base);
  if (!address || !read_text(object, name, into.name)) return false;
  into.address = *address;
  return true;
}

bool read_flag(const Napi::Object& object, const char* name, bool& flag) {
  const Napi::Value value = object.Get(name);
  if (value.IsEmpty()) return false;
  if (!value.IsBoolean()) {
    throw_type(object.Env(), name, "true or false");
    return false;
  }
  flag = value.As<Napi::Boolean>().Value();
  return true;
}

bool read_uio(const Napi::Object& object, RemoteSetup& setup) {
  UioBoard board;
  board.soc = setup.soc;
  const auto max_vdevs = member_u32(object, "maxVdevs");
  const auto resource = member_u32(object, "scuMuResource");
  if (!max_vdevs || !resource || !read_uio_name(object, "muDevice", "muBase", board.mu) ||
      !read_text(object, "memoryDevice", board.memory_device) ||
      !read_flag(object, "devMem", board.dev_mem) ||
      !read_generation(object, board.mu_generation) ||
      !read_uio_name(object, "scuMuDevice", "scuMuBase", setup.scu_mu)) {
    return false;
  }
  if (*resource > UINT16_MAX) {
    throw_type(object.Env(), "scuMuResource", "at most 65535");
    return false;
  }
  board.max_vdevs = *max_vdevs;
  setup.scu_mu_resource = static_cast<uint16_t>(*resource);
  setup.uio = std::move(board);
  return true;
}

bool read_platform(const Napi::Object& object, RemoteSetup& setup) {
  std::string kind;
  if (!read_text(object, "kind", kind) || !read_text(object, "core", setup.core) ||
      !read_text(object, "soc", setup.soc)) {
    return false;
  }
  if (kind == "uio") return read_uio(object, setup);
  if (kind == "sim") return read_text(object, "socket", setup.sim_socket);
  throw_type(object.Env(), "kind", "sim or uio");
  return false;
}

bool read_place(const Napi::Value& value, CapturePlace& place) {
  if (!value.IsObject()) {
    throw_type(value.Env(), "places", "objects");
    return false;
  }
  const auto object = value.As<Napi::Object>();
  const auto remote = member_u32(object, "remote");
  const auto vdev = member_u32(object, "vdev");
  if (!remote || !vdev || !read_text(object, "name", place.name) ||
      !read_text(object, "description", place.description) ||
      !read_text(object, "opening", place.opening)) {
    return false;
  }
  if (*vdev > kWholeRemote) {
    throw_type(object.Env(), "vdev", "0 to 7, or 8 for the remote itself");
    return false;
  }
  place.remote = *remote;
  place.vdev = static_cast<uint8_t>(*vdev);
  return true;
}

} // namespace

std::optional<uint64_t> to_u64(const Napi::Value& value, const char* name) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= 0 && number <= kMaxSafeInteger && std::floor(number) == number) {
      return static_cast<uint64_t>(number);
    }
  }
  throw_type(value.Env(), name, "a non-negative integer");
  return std::nullopt;
}

std::optional<uint32_t> to_u32(const Napi::Value& value, const char* name) {
  const auto number = to_u64(value, name);
  if (!number) return std::nullopt;
  if (*number > UINT32_MAX) {
    throw_type(value.Env(), name, "at most 4294967295");
    return std::nullopt;
  }
  return static_cast<uint32_t>(*number);
}

std::optional<std::span<const uint8_t>> to_bytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw_type(value.Env(), name, "a Uint8Array");
    return std::nullopt;
  }
  const auto array = value.As<Napi::Uint8Array>();
  return std::span<const uint8_t>(array.Data(), array.ByteLength());
}

std::optional<MuGeneration> to_mu_generation(const Napi::Value& value, const char* name) {
  const std::string text = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (text == "v1") return MuGeneration::v1;
  if (text == "imx7ulp") return MuGeneration::imx7ulp;
  if (text == "v2") return MuGeneration::v2;
  throw_type(value.Env(), name, "v1, imx7ulp or v2");
  return std::nullopt;
}

std::optional<RemoteSetup> to_remote_setup(const Napi::Value& value) {
  if (!value.IsObject()) {
    throw_type(value.Env(), "setup", "an object");
    return std::nullopt;
  }
  const auto object = value.As<Napi::Object>();
  RemoteSetup setup;
  if (!read_platform(object, setup)) return std::nullopt;
  if (!read_text(object, "stateFile", setup.state_file)) return std::nullopt;
  if (!read_windows(object, setup) || !read_counts(object, setup)) return std::nullopt;
  if (!read_partition(object, setup)) return std::nullopt;
  return setup;
}

std::optional<CaptureRequest> to_capture_request(const Napi::Value& value) {
  if (!value.IsObject()) {
    throw_type(value.Env(), "setup", "an object");
    return std::nullopt;
  }
  const auto object = value.As<Napi::Object>();
  CaptureRequest request;
  const auto snap_bytes = member_u32(object, "snapBytes");
  if (!snap_bytes || !read_text(object, "application", request.application)) return std::nullopt;
  request.snap_bytes = *snap_bytes;
  const Napi::Value places = object.Get("places");
  if (places.IsEmpty()) return std::nullopt;
  if (!places.IsArray()) {
    throw_type(object.Env(), "places", "an array");
    return std::nullopt;
  }
  const auto list = places.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value each = list.Get(i);
    if (each.IsEmpty() || !read_place(each, request.places.emplace_back())) return std::nullopt;
  }
  return request;
}

} // namespace rpmsg
