// SPDX-License-Identifier: Apache-2.0
// The System Controller of one board, shared by the remotes on it: learns their partitions, asks
// for notices of their resets and hands each remote what concerns it. Link thread only, but for the
// construction and add().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "link/reset_notices.h"
#include "mu/mu.h"
#include "platform/platform.h"
#include "scu/scu.h"

namespace rpmsg {

class BoardScu final : public ResetNotices, private ScuListener {
public:
  /// `name` tells boards apart; `mu_resource` is what SCFW calls the platform's MU, of those that
  /// have SCFW at their other end. Touches no register.
  BoardScu(std::string name, std::unique_ptr<Platform> platform, uint16_t mu_resource);
  BoardScu(const BoardScu&) = delete;
  BoardScu& operator=(const BoardScu&) = delete;

  /// Whether a SoC has a System Controller at all: i.MX8QM, 8QXP, 8DXL.
  static bool is_on(const std::string& soc);

  const std::string& name() const { return name_; }
  /// A remote of this board; `partition` -1: SCFW is asked who owns the core. Before start().
  void add(ResetNoticeListener& listener, const std::string& core, int32_t partition);

  int interrupt_fd() const { return platform_->interrupt_fd(); }
  int board_fd() const { return platform_->board_fd(); }
  void start(uint64_t now_ns);
  void on_interrupt(uint64_t now_ns);
  void on_timer(uint64_t now_ns) { scu_.on_timer(now_ns); }
  /// kNever unless SCFW owes an answer.
  uint64_t next_deadline() const { return is_gone_ ? kNever : scu_.next_deadline(); }
  void on_board_gone() { is_gone_ = true; }
  /// Masks every interrupt.
  void stop();

  uint64_t read_status(uint64_t now_ns) override;
  void reboot_continue(uint8_t partition, uint64_t now_ns) override {
    scu_.reboot_continue(partition, now_ns);
  }

private:
  struct Member {
    ResetNoticeListener* listener;
    uint16_t resource;
    int32_t partition; // -1: not known, or none
  };

  void on_status_begins(bool is_announced) override;
  void on_status(const ScuStatus& status, uint64_t now_ns) override;
  void on_owner(uint16_t resource, const ScuAnswer& answer, uint64_t now_ns) override;
  void on_watched(bool is_enabled, uint64_t now_ns) override;
  void settle_partition(Member& member, uint8_t partition);
  void watch_all(uint64_t now_ns);
  void give_up(Member& member, const char* reason, uint64_t now_ns);

  std::string name_;
  std::unique_ptr<Platform> platform_;
  Mu mu_;
  Scu scu_;
  std::vector<Member> members_;
  uint32_t owners_asked_ = 0;
  bool is_started_ = false;
  bool is_gone_ = false;
};

} // namespace rpmsg
