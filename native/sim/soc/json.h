// SPDX-License-Identifier: Apache-2.0
// One JSON object, written key by key; what the control socket answers with.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rpmsg::sim {

class JsonObject {
public:
  JsonObject& add(std::string_view key, std::string_view text);
  JsonObject& add(std::string_view key, const char* text) {
    return add(key, std::string_view(text));
  }
  JsonObject& add(std::string_view key, int64_t number) {
    return add_raw(key, std::to_string(number));
  }
  JsonObject& add(std::string_view key, bool value) {
    return add_raw(key, value ? "true" : "false");
  }
  JsonObject& add(std::string_view key, const JsonObject& object) {
    return add_raw(key, object.text());
  }
  JsonObject& add(std::string_view key, const std::vector<JsonObject>& objects);
  JsonObject& add_null(std::string_view key) { return add_raw(key, "null"); }

  std::string text() const { return "{" + members_ + "}"; }

private:
  JsonObject& add_raw(std::string_view key, std::string_view value);

  std::string members_;
};

} // namespace rpmsg::sim
