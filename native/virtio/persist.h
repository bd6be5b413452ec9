// SPDX-License-Identifier: Apache-2.0
// The one way to store into persistent state, and the points at which a crash is interesting. The
// next process shares this kernel, so a SIGKILL loses no store that was executed: compiler order is
// all that is needed.
#pragma once

#include <cstdint>
#include <type_traits>

namespace rpmsg {

#if defined(RPMSG_CRASH_POINTS)
/// Test builds only (test/native/support/crash_points.cc): called after each store that the next
/// process, or the remote, can see.
void crash_point();
#else
inline void crash_point() {}
#endif

/// Stores one scalar: after everything before it in program order, before everything after it.
template<class Scalar>
inline void persist_store(Scalar& where, std::type_identity_t<Scalar> value) {
  static_assert(std::is_integral_v<Scalar> || std::is_enum_v<Scalar>);
  asm volatile("" ::: "memory");
  *static_cast<volatile Scalar*>(&where) = value;
  asm volatile("" ::: "memory");
  crash_point();
}

} // namespace rpmsg
