// SPDX-License-Identifier: Apache-2.0
// Resets of which too little is told: a remote that never comes back, a board without SCFW, an SCU
// in other hands, silent restarts, a reset while no host was there.
#include <doctest/doctest.h>

#include <string>

#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/reset_board.h"
#include "support/scu_client.h"
#include "support/soc_control.h"

using namespace rpmsg;
using namespace rpmsg::test;

using Board = ResetBoard;
using States = std::vector<RemoteState>;

TEST_CASE("a remote that never comes back waits, and the link thread rests") {
  Board board;
  board.notify("reboot");
  board.notify("rebooted");
  REQUIRE(board.host.wait_remote(0, RemoteState::waiting));
  REQUIRE(board.host.wait_vdev(0, 0, VdevState::offered)); // told all the same, again and again
  board.host.hold = true;                                  // releases wake it up
  board.host.until([] { return false; }, 1500);
  const uint64_t before = board.host.link().heartbeat();
  board.host.until([] { return false; }, 1000);
  CHECK(board.host.link().heartbeat() - before < 20);
  CHECK(board.host.remote_states[0] == RemoteState::waiting);
}

TEST_CASE("a SoC without SCFW has no partition, and rxdb alone ends a life") {
  SocProcess soc({"--soc", "imx8mm", "--firmware",
                  "m4=" + program_path("rpmsg-firmware") + " --core m4 --vdevs 1"});
  SocControl control(soc.socket());
  LinkHarness host;
  auto setup = sim_setup(soc.socket(), "m4", 1);
  setup.vring_base = 0xB8000000;
  setup.buffer_base = 0xB8400000;
  REQUIRE(host.open(setup) == 0);
  REQUIRE(host.start());
  REQUIRE(host.wait_name(0, 0, "echo") != 0);
  host.names.clear();
  control.ask("kill m4");
  REQUIRE(host.wait_name(0, 0, "echo") != 0);
  CHECK(host.partitions.empty());
  REQUIRE(host.resets.size() == 1);
  CHECK(host.resets[0].cause == ResetCause::rxdb);
}

TEST_CASE("with the SCU taken by another the remote works, and says what is missing") {
  SocProcess soc;
  ScuClient other(soc.socket());
  REQUIRE(other.ready());
  Process firmware = soc.start_firmware({"--vdevs", "1"});
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  REQUIRE(host.wait_name(0, 0, "echo") != 0);
  CHECK(host.partitions.empty());
  CHECK(host.remote_reasons[0].find("no notice of resets") == 0);
}

TEST_CASE("firmware that started over without notice faults its vdev alone, until Reinitialize") {
  Board board({}, 2);
  const uint32_t second = board.host.endpoint(0, 1, 3000);
  board.remote->take_word();
  REQUIRE(board.remote->say(1, 7, 3000, {1}));
  REQUIRE(board.host.wait_vdev(0, 1, VdevState::up));
  REQUIRE(board.host.send(board.sender, 7, {1}) == Errc::ok);
  board.remote->set_used_index(0, 1, 2); // uses the one message, and then one of its former life
  board.remote->word(1u << 16);
  REQUIRE(board.host.wait_vdev(0, 0, VdevState::faulted));
  CHECK(board.host.vdev_reasons[{0, 0}].find("silent-restart") != std::string::npos);
  CHECK(board.host.vdev_reasons[{0, 0}].find("used_index_jump") != std::string::npos);
  REQUIRE(board.host.until([&] { // its other vdev goes on
    board.remote->take_word();
    return board.remote->say(1, 7, 3000, {2});
  }));
  REQUIRE(board.host.until([&] { return board.host.received[second].size() == 2; }));
  CHECK(board.host.remote_states[0] == RemoteState::attached);
  CHECK(board.host.resets.empty());
  board.host.link().reinitialize(0);
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(board.host.resets[0].cause == ResetCause::silent_restart);
  board.come_up();
}

TEST_CASE("Reinitialize of firmware that does not initialise its stack says so after a second") {
  Board board;
  board.host.link().reinitialize(0);
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(board.host.resets[0].cause == ResetCause::reinitialize);
  REQUIRE(board.host.until([&] {
    board.remote->take_word(); // it lives, and looks at its old positions
    return board.host.remote_reasons[0] == "the firmware must initialise its RPMsg stack again";
  }));
}

TEST_CASE("Reinitialize of firmware that uses its rings then has nothing to complain of") {
  Board board;
  board.host.link().reinitialize(0);
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  board.come_up();
  board.host.until([] { return false; }, 1300);
  CHECK(board.host.remote_reasons[0] != "the firmware must initialise its RPMsg stack again");
}

TEST_CASE("a reset while no host was there is found by the next one, before it tells the remote") {
  TemporaryDirectory directory;
  SocProcess soc;
  SocControl control(soc.socket());
  HandRemote remote(soc.socket(), "cm40");
  auto setup = sim_setup(soc.socket(), "cm40", 1);
  setup.state_file = directory.path() + "/cm40.state";
  uint32_t generation = 0;
  {
    LinkHarness host;
    REQUIRE(host.open(setup) == 0);
    REQUIRE(host.start());
    const uint32_t listener = host.endpoint(0, 0, 2000);
    remote.ready();
    REQUIRE(host.until([&] {
      remote.take_word();
      return remote.say(0, 7, 2000, {1});
    }));
    REQUIRE(host.until([&] { return !host.received[listener].empty(); }));
    REQUIRE(host.wait_remote(0, RemoteState::attached));
    generation = host.generations[0];
    host.link().close();
  }
  remote.take_word();
  CHECK(control.does("notify cm40 rebooted"));
  control.ask("scu-delay 10");
  setup.ready_wait_ms = 60'000; // so that the next life is not told either
  LinkHarness next;
  const auto opened = next.open_named(setup);
  REQUIRE(opened.ok);
  CHECK(opened.resume == Resume::Kind::resumed);
  REQUIRE(next.start());
  REQUIRE(next.until([&] { return !next.resets.empty(); }));
  CHECK((remote.mu().receive_full() & 2) == 0); // not one word on the former life's rings
  CHECK(next.resets[0].cause == ResetCause::rebooted);
  CHECK(next.resets[0].generation == generation + 1);
  CHECK(remote.avail_index(0, 1) == 0);
  control.ask("scu-delay 0");
  remote.ready();
  REQUIRE(next.until([&] {
    remote.take_word();
    return next.remote_states[0] == RemoteState::attached;
  }));
}

TEST_CASE("a life that nobody reset is gone on with once SCFW has said so") {
  TemporaryDirectory directory;
  SocProcess soc;
  Process firmware = soc.start_firmware({"--vdevs", "1"});
  auto setup = sim_setup(soc.socket(), "cm40", 1);
  setup.state_file = directory.path() + "/cm40.state";
  uint32_t echo = 0;
  {
    LinkHarness host;
    REQUIRE(host.open(setup) == 0);
    REQUIRE(host.start());
    echo = host.wait_name(0, 0, "echo");
    REQUIRE(echo != 0);
  }
  LinkHarness next;
  REQUIRE(next.open_named(setup).resume == Resume::Kind::resumed);
  REQUIRE(next.start());
  const uint32_t endpoint = next.endpoint(0, 0, 3000);
  REQUIRE(next.wait_vdev(0, 0, VdevState::up));
  REQUIRE(next.send(endpoint, echo, {1, 2}) == Errc::ok);
  CHECK(next.until([&] { return !next.received[endpoint].empty(); }));
  CHECK(next.resets.empty());
}
