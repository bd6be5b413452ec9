// SPDX-License-Identifier: Apache-2.0
// What a remote's life and the System Controller say to each other about resets of the remote's
// partition. Link thread only.
#pragma once

#include <cstdint>

namespace rpmsg {

/// What one reading of SCFW's status says about one partition.
struct ResetStatus {
  uint64_t pass = 0;
  bool rebooted = false;    // it was reset, and its CPU is started after SCFW said so
  bool reboot = false;      // it is about to be reset
  bool is_complete = false; // else SCFW did not answer
  uint64_t since_ns = 0;    // when it was asked first, if it did not answer then
};

/// What a life may ask.
class ResetNotices {
public:
  virtual ~ResetNotices() = default;
  /// A reading that begins after this call; the pass that ends it.
  virtual uint64_t read_status(uint64_t now_ns) = 0;
  /// We are ready for the reset that SCFW announced.
  virtual void reboot_continue(uint8_t partition, uint64_t now_ns) = 0;
};

/// Who is told.
class ResetNoticeListener {
public:
  virtual ~ResetNoticeListener() = default;
  /// Notices of this partition will come.
  virtual void on_partition(uint8_t partition) = 0;
  /// None will; why, for a person.
  virtual void on_no_notices(const char* reason, uint64_t now_ns) = 0;
  /// SCFW is about to answer, and forgets as it does. Announced: it rang, for this partition.
  virtual void on_status_begins(bool is_announced) = 0;
  virtual void on_status(const ResetStatus& status, uint64_t now_ns) = 0;
};

} // namespace rpmsg
