// SPDX-License-Identifier: Apache-2.0
// The simulated SoC: one epoll loop over the attach socket, its connections and its firmware.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/soc/board_memory.h"
#include "sim/soc/board_partitions.h"
#include "sim/soc/control.h"
#include "sim/soc/core.h"
#include "sim/soc/core_life.h"
#include "sim/soc/listener.h"
#include "sim/soc/options.h"
#include "sim/soc/scfw.h"
#include "sim/soc/session.h"

namespace rpmsg::sim {

class Soc {
public:
  explicit Soc(const SocOptions& options);
  /// An empty string, or a sentence that says why the board cannot be made.
  std::string open();
  /// Until SIGTERM or SIGINT.
  void run();

private:
  using Sessions = std::list<Session>;

  std::string make_board();
  std::string open_sockets();
  std::string control_request(const std::string& line);
  std::string make_memory();
  std::string make_core(const CoreInfo& info);
  bool watch(int fd, void* tag);
  void accept_clients();
  void read_signals();
  void wait_for_children();
  void on_session(Session* session);
  void on_hello(Session& session);
  /// Empty, with a place for the session, or the reason for the status.
  std::string refusal(Session& session, const rpmsg_sim_hello& hello, uint32_t& status);
  std::string occupy(Session& session, const rpmsg_sim_hello& hello, uint32_t& status);
  std::string find_place(Session& session, const rpmsg_sim_hello& hello);
  std::string holder(const Session& session);
  void accept_hello(Session& session);
  void accept_waiting();
  void refuse(Session& session, uint32_t status, const std::string& reason);
  void drop(Session* session);
  int run_timers();
  int64_t poll_hellos(int64_t now_ms);
  rpmsg_sim_reply blank_reply(uint32_t status) const;

  const SocOptions& options_;
  std::array<uint8_t, 16> board_id_ = {};
  BoardMemory memory_;
  BoardPartitions partitions_;
  std::optional<Scfw> scfw_; // of those SoCs that have it
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<std::unique_ptr<CoreLife>> lives_; // one a core
  Listener listener_;
  Control control_;
  Fd signals_;
  Fd epoll_;
  Sessions sessions_;
  bool stopping_ = false;
};

} // namespace rpmsg::sim
