// SPDX-License-Identifier: Apache-2.0
// The ordering of accesses to memory shared with another core complex. A remote is outside the
// inner-shareable domain, so std::atomic's fences (dmb ish) are not enough; and x86 hides most
// mistakes, so packaging/dev/check-barriers.mjs reads the arm64 code of the functions here.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#define RPMSG_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RPMSG_THREAD_SANITIZER 1
#endif
#endif

namespace rpmsg {

#if defined(__aarch64__)
inline void shared_write_barrier() {
  asm volatile("dmb oshst" ::: "memory");
}
inline void shared_read_barrier() {
  asm volatile("dmb oshld" ::: "memory");
}
inline void shared_full_barrier() {
  asm volatile("dmb osh" ::: "memory");
}
#elif defined(__x86_64__)
// Loads are ordered with loads and stores with stores; only a load may pass an earlier store.
inline void shared_write_barrier() {
  asm volatile("" ::: "memory");
}
inline void shared_read_barrier() {
  asm volatile("" ::: "memory");
}
inline void shared_full_barrier() {
  asm volatile("mfence" ::: "memory");
}
#else
inline void shared_write_barrier() {
  __sync_synchronize();
}
inline void shared_read_barrier() {
  __sync_synchronize();
}
inline void shared_full_barrier() {
  __sync_synchronize();
}
#endif

/// Before a store to a MU register: everything stored to shared memory has arrived before the word
/// that announces it can. Pairs with the remote's barrier after it read the word.
inline void device_write_barrier() {
#if defined(__aarch64__)
  asm volatile("dsb st" ::: "memory");
#else
  shared_full_barrier();
#endif
}

/// One aligned 16-bit access: an index or flag is never torn. For a hint, whose order with anything
/// else does not matter.
inline uint16_t load_hint(const volatile uint16_t* where) {
#if defined(RPMSG_THREAD_SANITIZER)
  return __atomic_load_n(where, __ATOMIC_RELAXED);
#else
  return *where;
#endif
}

inline void store_hint(volatile uint16_t* where, uint16_t value) {
#if defined(RPMSG_THREAD_SANITIZER)
  __atomic_store_n(where, value, __ATOMIC_RELAXED);
#else
  *where = value;
#endif
}

/// Makes entries visible, then the index that covers them. Pairs with the other side's
/// consume_index(): who sees the index sees the entries. (The thread sanitizer is told the same in
/// its own words, so that it finds an entry that no index covers.)
inline void publish_index(volatile uint16_t* index, uint16_t value) {
  shared_write_barrier();
#if defined(RPMSG_THREAD_SANITIZER)
  __atomic_store_n(index, value, __ATOMIC_RELEASE);
#else
  *index = value;
#endif
}

/// Reads an index, and only then what it covers. Pairs with the other side's publish_index().
inline uint16_t consume_index(const volatile uint16_t* index) {
#if defined(RPMSG_THREAD_SANITIZER)
  const uint16_t value = __atomic_load_n(index, __ATOMIC_ACQUIRE);
#else
  const uint16_t value = *index;
#endif
  shared_read_barrier();
  return value;
}

/// Asks for interrupts again, then looks whether something came meanwhile. Pairs with the other
/// side's publish_then_look(): either it sees the flag, or we see its index; never neither.
inline uint16_t store_flags_then_look(volatile uint16_t* flags, uint16_t value,
                                      const volatile uint16_t* index) {
  store_hint(flags, value);
  shared_full_barrier();
  return load_hint(index);
}

/// The Dekker pair: publishes an index, then looks whether the other side wants to be told. The
/// returned flags, and any register read after the call, are read after the index became visible.
/// Pairs with the other side's store_flags_then_look(), and with a remote that reads its receive
/// register before the ring.
inline uint16_t publish_then_look(volatile uint16_t* index, uint16_t value,
                                  const volatile uint16_t* flags) {
  publish_index(index, value);
  shared_full_barrier();
  return load_hint(flags);
}

} // namespace rpmsg
