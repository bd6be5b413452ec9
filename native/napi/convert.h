// SPDX-License-Identifier: Apache-2.0
// JavaScript values to native ones and back. The TypeScript facade has checked what they mean; here
// types are checked again and numbers bounded, and nothing else in C++ sees a Napi::Value.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "capture/capture_client.h"
#include "link/remote_setup.h"
#include "mu/mu_generation.h"

namespace rpmsg {

/// An integer of at most 2^53 - 1; throws a TypeError in JavaScript and returns nothing otherwise.
std::optional<uint64_t> to_u64(const Napi::Value& value, const char* name);
std::optional<uint32_t> to_u32(const Napi::Value& value, const char* name);
/// A view of the caller's bytes, valid during the call. Buffer or Uint8Array.
std::optional<std::span<const uint8_t>> to_bytes(const Napi::Value& value, const char* name);
/// v1, imx7ulp or v2; throws a TypeError otherwise.
std::optional<MuGeneration> to_mu_generation(const Napi::Value& value, const char* name);
/// The setup object that link.ts builds: the platform's keys beside the others, `kind` says which.
std::optional<RemoteSetup> to_remote_setup(const Napi::Value& value);
/// The request that link.ts builds.
std::optional<CaptureRequest> to_capture_request(const Napi::Value& value);

} // namespace rpmsg
