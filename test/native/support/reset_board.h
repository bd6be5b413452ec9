// SPDX-License-Identifier: Apache-2.0
// A board with SCFW whose core cm40 is played by the test, and a link that has it attached and up.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/soc_control.h"

namespace rpmsg::test {

struct ResetBoard {
  explicit ResetBoard(const std::vector<std::string>& options = {}, uint32_t vdevs = 1)
      : soc(options), control(soc.socket()), remote(new HandRemote(soc.socket(), "cm40")) {
    REQUIRE(soc.ready());
    REQUIRE(control.ready());
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", vdevs)) == 0);
    REQUIRE(host.start());
    listener = host.endpoint(0, 0, 2000);
    sender = host.endpoint(0, 0, 2001);
    REQUIRE(host.until([&] { return host.partitions.count(0) != 0; }));
    come_up();
  }

  /// The remote's stack is ready, takes the link-up words and says something.
  void come_up() {
    const size_t before = host.received[listener].size();
    remote->ready();
    REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
    REQUIRE(host.until([&] {
      remote->take_word();
      return remote->say(0, 7, 2000, {1});
    }));
    REQUIRE(host.until([&] { return host.received[listener].size() > before; }));
    REQUIRE(host.wait_remote(0, RemoteState::attached));
    REQUIRE(host.wait_vdev(0, 0, VdevState::up));
    host.moves.clear();
    host.resets.clear();
  }
  void notify(const std::string& what) { CHECK(control.does("notify cm40 " + what)); }
  /// SCFW has been asked and has answered everything that was there to ask.
  void settle() {
    REQUIRE(host.until([&] {
      const std::string status = control.ask("status");
      const std::string none = "\"pending\":0";
      return status.find(none) != status.rfind(none); // in both groups
    }));
    const uint64_t beats = host.link().heartbeat();
    REQUIRE(host.until([&] { return host.link().heartbeat() > beats + 2; }));
  }
  std::vector<RemoteState> moves() const {
    std::vector<RemoteState> states;
    for (const auto& move : host.moves)
      if (states.empty() || states.back() != move.state) states.push_back(move.state);
    return states;
  }

  SocProcess soc;
  SocControl control;
  std::unique_ptr<HandRemote> remote;
  LinkHarness host;
  uint32_t listener = 0;
  uint32_t sender = 0;
};

} // namespace rpmsg::test
