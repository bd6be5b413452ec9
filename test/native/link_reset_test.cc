// SPDX-License-Identifier: Apache-2.0
// Resets that SCFW tells of, against the simulated SCFW: a life ends once, in the right order, and
// nothing of it is taken for the next one.
#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/scu_client.h"
#include "support/soc_control.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

/// A board whose core cm40 is played by the test, and a link that has it attached and up.
struct Board {
  explicit Board(const std::vector<std::string>& options = {}, uint32_t vdevs = 1)
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

using States = std::vector<RemoteState>;

} // namespace

TEST_CASE("the partition of a core is learned from SCFW, or taken from the configuration") {
  SocProcess soc({"--soc", "imx8qm", "--partition", "cm41=9"});
  REQUIRE(soc.ready());
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  auto fixed = sim_setup(soc.socket(), "cm41", 1);
  REQUIRE(host.open(fixed) == 1);
  REQUIRE(host.start());
  REQUIRE(host.until([&] { return host.partitions.size() == 2; }));
  CHECK(host.partitions[0] == 2);
  CHECK(host.partitions[1] == 9);
  LinkHarness refused;
  fixed.partition = 32;
  CHECK(refused.open(fixed) == -1);
  CHECK(refused.error == "partition is 32, must be 0 to 31, or -1 to ask");
}

TEST_CASE("a configured partition is believed") {
  SocProcess soc;
  REQUIRE(soc.ready());
  LinkHarness host;
  auto setup = sim_setup(soc.socket(), "cm40", 1);
  setup.partition = 11;
  REQUIRE(host.open(setup) == 0);
  REQUIRE(host.start());
  REQUIRE(host.until([&] { return host.partitions.size() == 1; }));
  CHECK(host.partitions[0] == 11);
}

TEST_CASE("a partition reset is quiescing, down and waiting, then the remote is attached again") {
  Board board;
  const uint32_t generation = board.host.generations[0];
  board.notify("reboot");
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  CHECK(board.host.resets.empty());
  board.notify("rebooted");
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(board.host.resets[0].cause == ResetCause::rebooted);
  CHECK(board.host.resets[0].generation == generation + 1);
  REQUIRE(board.host.wait_remote(0, RemoteState::waiting));
  CHECK(board.moves() == States{RemoteState::quiescing, RemoteState::down, RemoteState::waiting});
  board.come_up();
  CHECK(board.host.generations[0] == generation + 1);
}

TEST_CASE("firmware that is killed comes back as one reset, caused by SCFW's notice") {
  SocProcess soc({"--firmware", "cm40=" + program_path("rpmsg-firmware") + " --vdevs 1",
                  "--start-delay-ms", "0"});
  SocControl control(soc.socket());
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  REQUIRE(host.wait_name(0, 0, "echo") != 0);
  for (uint32_t round = 1; round <= 5; ++round) {
    CAPTURE(round);
    const uint32_t generation = host.generations[0];
    host.names.clear();
    host.resets.clear();
    control.ask("kill cm40");
    REQUIRE(host.wait_name(0, 0, "echo") != 0);
    for (const auto& reset : host.resets)
      CHECK(reset.cause == ResetCause::rebooted);
    CHECK(host.resets.size() == 1);
    CHECK(host.generations[0] == generation + 1);
  }
}

TEST_CASE("while quiescing no send goes out, what waits fails, and the remote is still heard") {
  Board board;
  // Fill vring1, then wait for a buffer.
  for (uint32_t i = 0; i < 200; ++i)
    (void)board.host.begin(board.sender, 7, {1}, 0, 1, 1);
  const auto waiting = board.host.begin(board.sender, 7, {2}, 20000, 1, 77);
  REQUIRE(waiting.kind == SendOutcome::Kind::queued);
  board.notify("reboot");
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  REQUIRE(board.host.until([&] { return board.host.done.count(77) != 0; }));
  CHECK(board.host.done[77] == Errc::remote_reset);
  CHECK(board.host.send(board.sender, 7, {3}) == Errc::remote_down);
  board.remote->take_word();
  const size_t before = board.host.received[board.listener].size();
  REQUIRE(board.remote->say(0, 7, 2000, {4}));
  REQUIRE(board.host.until([&] { return board.host.received[board.listener].size() > before; }));
  CHECK(board.host.received[board.listener].back().generation == board.host.generations[0]);
  CHECK((board.remote->mu().receive_full() & 2) == 0);
}

TEST_CASE("rings are fresh before the remote's first instruction after REBOOTED") {
  Board board;
  board.remote->take_word();
  board.notify("reboot");
  board.notify("rebooted");
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(board.remote->avail_index(0, 0) == 256);
  CHECK(board.remote->avail_index(0, 1) == 0);
  CHECK(board.remote->u16(0, 0, 0x2002) == 0); // used.idx
}

TEST_CASE("what a dying firmware put into its rings is delivered as of its life") {
  Board board;
  const uint32_t generation = board.host.generations[0];
  const size_t before = board.host.received[board.listener].size();
  board.notify("reboot");
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  for (uint8_t i = 0; i < 100; ++i) { // no word: nobody is told
    const auto buffer = board.remote->fill(0, 7, 2000, {i}, 1);
    REQUIRE(buffer);
    board.remote->put_used(0, 0, *buffer, 512);
  }
  board.notify("rebooted");
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(
      board.host.until([&] { return board.host.received[board.listener].size() == before + 100; }));
  for (size_t i = before; i < board.host.received[board.listener].size(); ++i)
    CHECK(board.host.received[board.listener][i].generation == generation);
}

TEST_CASE("a dying firmware that scribbles over its rings leaves nothing in the next life") {
  Board board;
  board.notify("reboot");
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  for (uint32_t i = 0; i < 0x3000; ++i)
    board.remote->rings(0)[i] = static_cast<uint8_t>(i * 7);
  board.remote->word(0xFFFF'0000);
  REQUIRE(board.host.wait_vdev(0, 0, VdevState::faulted));
  board.notify("rebooted");
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  board.come_up();
  CHECK(board.host.send(board.sender, 7, {5}) == Errc::ok);
}

TEST_CASE("notices that come twice are one reset") {
  Board board;
  const uint32_t generation = board.host.generations[0];
  board.notify("reboot");
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  board.notify("reboot");
  board.settle();
  board.notify("rebooted");
  REQUIRE(board.host.wait_remote(0, RemoteState::waiting));
  board.notify("rebooted");
  board.settle();
  board.notify("rebooted");
  board.settle();
  CHECK(board.host.resets.size() == 1);
  board.come_up();
  CHECK(board.host.generations[0] == generation + 1);
}

TEST_CASE("a reset that was announced and does not come leaves the remote as it was") {
  Board board;
  const uint32_t generation = board.host.generations[0];
  board.notify("reboot");
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  CHECK(board.host.send(board.sender, 7, {1}) == Errc::remote_down);
  board.remote->take_word();
  REQUIRE(board.host.wait_remote(0, RemoteState::attached));
  CHECK(board.host.remote_reasons[0] == "SCFW announced a reset that did not come");
  CHECK(board.host.generations[0] == generation);
  CHECK(board.host.resets.empty());
  CHECK(board.host.send(board.sender, 7, {2, 3}) == Errc::ok);
  std::optional<std::vector<uint8_t>> heard;
  REQUIRE(board.host.until([&] {
    board.remote->take_word();
    heard = board.remote->hear(0);
    return heard.has_value();
  }));
  CHECK(*heard == std::vector<uint8_t>{2, 3});
  // And the next one is noticed like the first.
  board.notify("reboot");
  board.notify("rebooted");
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  board.come_up();
}

TEST_CASE("REBOOTED without REBOOT is a reset") {
  Board board;
  board.notify("rebooted");
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(board.host.resets[0].cause == ResetCause::rebooted);
  REQUIRE(board.host.wait_remote(0, RemoteState::waiting));
  board.come_up();
}

TEST_CASE("rxdb seen before REBOOTED is one reset with it") {
  Board board;
  const uint32_t generation = board.host.generations[0];
  board.control.ask("scu-delay 20");
  board.remote->take_word();
  board.remote->ready(); // SCFW is asked, and answers in 20 ms
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  board.notify("rebooted"); // after that reading began
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  board.control.ask("scu-delay 0");
  board.settle();
  CHECK(board.host.resets.size() == 1);
  CHECK(board.host.generations[0] == generation + 1);
  REQUIRE(board.host.until([&] {
    board.remote->take_word();
    return board.host.remote_states[0] == RemoteState::attached;
  }));
  CHECK(board.host.generations[0] == generation + 1);
}

TEST_CASE("a REBOOTED that SCFW tells of slowly and the evidence after it are one reset") {
  Board board;
  board.control.ask("scu-delay 5");
  board.notify("rebooted");
  board.remote->take_word();
  board.remote->ready();
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  board.control.ask("scu-delay 0");
  board.settle();
  CHECK(board.host.resets.size() == 1);
}

TEST_CASE("a remote that is ready is not kept waiting by an SCFW that does not answer") {
  Board board;
  board.control.ask("scu-drop 1000");
  board.remote->take_word();
  board.come_up();
  board.remote->take_word();
  board.remote->ready();
  REQUIRE(board.host.until([&] { return !board.host.resets.empty(); }));
  CHECK(board.host.resets[0].cause == ResetCause::rxdb);
}

TEST_CASE("notices of another partition change nothing") {
  Board board({"--soc", "imx8qm"});
  CHECK(board.control.does("notify cm41 reboot"));
  CHECK(board.control.does("notify cm41 rebooted"));
  board.notify("reboot"); // so that all is read
  REQUIRE(board.host.wait_remote(0, RemoteState::quiescing));
  CHECK(board.host.resets.empty());
}

TEST_CASE("two remotes of one board are reset each by itself") {
  SocProcess soc({"--soc", "imx8qm", "--firmware",
                  "cm40=" + program_path("rpmsg-firmware") + " --core cm40 --vdevs 1", "--firmware",
                  "cm41=" + program_path("rpmsg-firmware") + " --core cm41 --vdevs 1"});
  SocControl control(soc.socket());
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.open(sim_setup(soc.socket(), "cm41", 1)) == 1);
  REQUIRE(host.start());
  REQUIRE(host.wait_name(0, 0, "echo") != 0);
  REQUIRE(host.wait_name(1, 0, "echo") != 0);
  const uint32_t generation = host.generations[1];
  host.names.clear();
  control.ask("kill cm40");
  REQUIRE(host.wait_name(0, 0, "echo") != 0);
  for (const auto& reset : host.resets)
    CHECK(reset.remote == 0);
  CHECK(host.generations[1] == generation);
  CHECK(host.remote_states[1] == RemoteState::attached);
}

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
