// SPDX-License-Identifier: Apache-2.0
// A value or an Error. The smallest stand-in for std::expected, which clang 14 does not have.
#pragma once

#include <cassert>
#include <utility>
#include <variant>

#include "base/error.h"

namespace rpmsg {

template<class T>
class [[nodiscard]] Result {
public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, error) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }

private:
  std::variant<T, Error> state_;
};

template<>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : error_(error) {}

  bool ok() const { return error_.code == Errc::ok; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

private:
  Error error_;
};

} // namespace rpmsg
