// SPDX-License-Identifier: Apache-2.0
// One remote's resource table as the life of the remote uses it: read, held against the rings,
// filled in, and its virtio status bytes. Without a table every call does nothing and says `none`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "link/remote_setup.h"
#include "memory/shared_span.h"
#include "resource/resource_table.h"
#include "resource/table_fit.h"

namespace rpmsg {

/// Bits of a virtio device's status byte (virtio 1.2 §2.1).
namespace virtio_status {
constexpr uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kNeedsReset = 0x40, kFailed = 0x80;
}

class RemoteTable {
public:
  enum class Look : uint8_t {
    none,    // the configuration has no table
    missing, // nothing at its place is one (yet)
    sound,
    broken, // it is one, and breaks a rule or does not fit
  };

  /// Touches no shared memory. `shared` is empty without a table.
  RemoteTable(SharedSpan shared, const RemoteSetup& setup);

  /// The configuration has no table. Any thread.
  bool is_none() const { return !shared_; }

  // The link thread's.

  /// Reads the table anew, once; if it is sound and fits, fills in what it leaves to the host.
  Look look();
  /// Of the last look.
  Look state() const { return state_; }
  /// The last two looks, or more, found the same rule broken: it is not just being written.
  bool is_broken_for_good() const { return same_faults_ > 1; }
  /// What is wrong with it, for people: "no resource table at ..." or the rule. Of the last look.
  const char* problem() const { return problem_.data(); }

  /// A life ends. A vdev whose remote may be alive, and works by its status byte, is asked to reset
  /// itself (NEEDS_RESET, without DRIVER_OK); every other one is reset (0).
  void reset(bool may_be_live);
  /// Somebody was asked to reset itself; and everybody who was has answered by writing 0.
  bool has_asked() const { return asked_ != 0; }
  bool is_answered() const;
  /// ACKNOWLEDGE, then DRIVER, then DRIVER_OK; everything stored before is visible first. Never
  /// through 0. False if there is no table to say it in.
  bool show_driver_ok(uint32_t vdev);
  /// The host has given the device up.
  void show_failed(uint32_t vdev);
  /// DRIVER_OK is still shown: neither the remote took it back nor its firmware wrote a new table.
  bool shows_driver_ok(uint32_t vdev) const;
  /// The remote wrote 0, or NEEDS_RESET: it wants a new life of this vdev.
  bool wants_reset(uint32_t vdev) const;

  // Any thread.

  /// The byte as it is in the remote's memory; nothing without a sound table.
  std::optional<uint8_t> status(uint32_t vdev) const;
  /// Where the remote said that it writes its trace; 0 bytes: nowhere.
  TableTrace trace() const;

private:
  static constexpr uint32_t kNowhere = UINT32_MAX;

  Look settle(Look look);
  Look note_broken(const TableFault& fault);
  uint8_t load(uint32_t vdev) const;
  void store(uint32_t vdev, uint8_t value);

  SharedSpan shared_;
  std::array<VdevMemory, kMaxVdevs> memory_;
  uint32_t vdevs_;
  Look state_;
  TableFault fault_;
  uint32_t same_faults_ = 0;
  uint32_t asked_ = 0; // bit n = vdev n
  std::array<char, 192> problem_{};
  std::array<std::atomic<uint32_t>, kMaxVdevs> status_at_; // of each vdev's status byte
  std::atomic<uint64_t> trace_{0};                         // address, and bytes in the high half
};

} // namespace rpmsg
