// SPDX-License-Identifier: Apache-2.0
#include "napi/rights.h"

#include "napi/convert.h"

namespace rpmsg {

std::optional<std::vector<int>> to_fds(const Napi::Value& value) {
  if (value.IsUndefined()) return std::vector<int>{};
  if (!value.IsArray()) return std::nullopt;
  const auto list = value.As<Napi::Array>();
  if (list.Length() > kMaxFds) return std::nullopt;
  std::vector<int> fds;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value entry = list.Get(i);
    const auto fd = entry.IsEmpty() ? std::nullopt : to_u32(entry, "fd");
    if (!fd) return std::nullopt;
    fds.push_back(static_cast<int>(*fd));
  }
  return fds;
}

} // namespace rpmsg
