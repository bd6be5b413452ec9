// SPDX-License-Identifier: Apache-2.0
// The applications that every vdev of this firmware serves, and their state on one vdev.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sim/firmware/message.h"
#include "sim/firmware/nxp.h"

namespace rpmsg::sim {

class Link;

struct AppInfo {
  const char* name; // announced as it is, up to all 32 bytes
  uint32_t number;  // its endpoint is base + number
};
std::span<const AppInfo> all_apps();

constexpr uint32_t kMostApps = 10;
constexpr uint32_t kUsualApps = 0x03F; // bit i: number i + 1; others if asked for
constexpr uint32_t kNxpApps = 0x1C0;   // those of NXP, which are served if they are asked for

constexpr uint32_t kFirstChannel = 129; // number of channel-1; it is an echo, as those after it
constexpr uint32_t kMaxChannels = 448;

constexpr uint32_t kQuietAddress = 30; // an echo that is never announced

class Apps {
public:
  /// False: there is no buffer to answer with, hand in the same message again later.
  bool handle(Link& link, uint32_t number, const Message& message);
  /// Sends what `source` and NXP's services owe by now, at most `budget` messages. True if it sent
  /// that many.
  bool send_owed(Link& link, uint32_t budget, int64_t now_ms);
  /// When something is owed next; kNever: nothing.
  int64_t next_due_ms() const;
  static constexpr int64_t kNever = INT64_MAX;
  void forget();

private:
  struct Job {
    uint32_t src;
    uint32_t dst;
    uint32_t size;
    uint32_t next;
    uint32_t count; // 0: free
    uint32_t interval_ms;
    int64_t due_ms;
  };
  bool sink(Link& link, const Message& message);
  bool source(const Message& message);
  bool send_jobs(Link& link, uint32_t budget, int64_t now_ms);
  bool send_one(Link& link, Job& job);

  std::array<Job, 16> jobs_ = {};
  uint32_t job_turn_ = 0;
  uint64_t sunk_messages_ = 0;
  uint64_t sunk_bytes_ = 0;
  bool checks_ = false; // `check` was asked for
  uint64_t checked_ = 0;
  uint64_t altered_ = 0;
  NxpServices nxp_;
};

} // namespace rpmsg::sim
