// SPDX-License-Identifier: Apache-2.0
// Resets that SCFW tells of, against the simulated SCFW: a life ends once, in the right order, and
// nothing of it is taken for the next one.
#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include "support/link_harness.h"
#include "support/reset_board.h"
#include "support/soc_control.h"

using namespace rpmsg;
using namespace rpmsg::test;

using Board = ResetBoard;
using States = std::vector<RemoteState>;

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
