// SPDX-License-Identifier: Apache-2.0
// Quoting, and commas.
#include "sim/soc/json.h"

#include <cstdio>

namespace rpmsg::sim {
namespace {

/// Bytes beyond ASCII become a question mark each: nobody has checked that they are UTF-8.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{byte});
      result += escape;
    } else {
      result += byte < 0x7F ? c : '?';
    }
  }
  return result + "\"";
}

} // namespace

JsonObject& JsonObject::add(std::string_view key, std::string_view text) {
  return add_raw(key, quoted(text));
}

JsonObject& JsonObject::add(std::string_view key, const std::vector<JsonObject>& objects) {
  std::string list;
  for (const JsonObject& object : objects)
    list += (list.empty() ? "" : ",") + object.text();
  return add_raw(key, "[" + list + "]");
}

JsonObject& JsonObject::add_raw(std::string_view key, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  members_ += quoted(key) + ":";
  members_ += value;
  return *this;
}

} // namespace rpmsg::sim
