// SPDX-License-Identifier: Apache-2.0
// The one thread that owns every MU, every ring's receive side and the life of every remote. It
// waits in epoll and nowhere else: no JavaScript, no D-Bus, no allocation a message, bounded work a
// wake-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "link/board_scu.h"
#include "link/command.h"
#include "link/delivery.h"
#include "link/remote.h"
#include "link/spsc_queue.h"

namespace rpmsg {

class LinkThread {
public:
  using Remotes = std::vector<std::unique_ptr<Remote>>;
  using Scus = std::vector<std::unique_ptr<BoardScu>>; // one a board that has one

  LinkThread(Remotes& remotes, Scus& scus, SpscQueue<Command>& commands, Delivery& delivery);
  LinkThread(const LinkThread&) = delete;
  LinkThread& operator=(const LinkThread&) = delete;
  ~LinkThread() { stop(); }

  /// Starts the thread and the lives of all remotes. `realtime_priority` 1..99 asks for SCHED_FIFO,
  /// 0 for nothing; one that is not allowed is an error and nothing was started. `busy_poll_us`:
  /// how long the thread looks at rings and sockets without sleeping once they are empty.
  Result<void> start(int realtime_priority, uint32_t busy_poll_us);
  /// Any thread: commands, sends that wait or room in the event ring are there to be looked at.
  void wake();
  /// The main thread, before a wake(): commands did not fit, so it is woken once there is room.
  void want_room() { is_room_wanted_.store(true, std::memory_order_release); }
  /// The main thread, after it drained events: wakes the link thread if it was short of room.
  void on_drained();
  /// Leaves the rings consistent with interrupts masked, and joins. Idempotent.
  void stop();
  /// Completed turns.
  uint64_t beats() const { return beats_.load(std::memory_order_relaxed); }

private:
  Result<void> set_up();
  Result<void> watch(int fd, uint64_t tag);
  void run();
  void turn();
  void handle(uint64_t tag, uint32_t events, uint64_t now_ns);
  void handle_scu(uint64_t tag, uint64_t now_ns);
  void run_commands(uint64_t now_ns);
  void execute(const Command& command, uint64_t now_ns);
  void settle(uint64_t now_ns);
  bool report();
  void arm_timer(uint64_t now_ns);
  bool anyone_has_more() const;
  bool is_busy_polling(uint64_t now_ns);

  Remotes& remotes_;
  Scus& scus_;
  SpscQueue<Command>& commands_;
  Delivery& delivery_;
  UniqueFd epoll_;
  UniqueFd wake_fd_;
  UniqueFd timer_;
  uint64_t timer_at_ns_ = 0;
  uint64_t busy_poll_ns_ = 0;
  uint64_t busy_until_ns_ = 0;
  std::atomic<bool> is_woken_{false};
  std::atomic<bool> is_starved_{false};
  std::atomic<bool> is_room_wanted_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> beats_{0};
  std::thread thread_;
};

} // namespace rpmsg
