// SPDX-License-Identifier: Apache-2.0
// A state file that is gone bad, under a remote that lives: the rings say what they can, and what
// they cannot say is not guessed.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "support/resume_bench.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr std::streamoff kMagic = 0;
constexpr std::streamoff kBootId = 56;

void overwrite(const std::string& path, std::streamoff at, const std::vector<uint8_t>& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<ssize_t>(bytes.size()));
  REQUIRE(file.good());
}

/// Both ways work, from a host that knows nothing but the rings.
void check_traffic(Bench& bench, Host& host, uint32_t generation = 1) {
  bench.say(3);
  REQUIRE(
      host.until([&] { return host.count() > 0 && host.received[host.id].back().data[0] == 3; }));
  REQUIRE(host.send(host.id, 7, {4}) == Errc::ok);
  std::vector<uint8_t> heard;
  while (const auto payload = bench.remote.hear(0))
    heard.push_back(payload->at(0));
  REQUIRE_FALSE(heard.empty());
  CHECK(heard.back() == 4);
  CHECK(host.generations[0] == generation);
}

} // namespace

TEST_CASE("a damaged or truncated state is said to be so, and the rings are adopted") {
  const auto damage = [](int kind, const std::string& path) {
    if (kind == 0) overwrite(path, kMagic, {1, 2, 3, 4});
    if (kind == 1) REQUIRE(truncate(path.c_str(), 100) == 0);
    if (kind == 2) REQUIRE(truncate(path.c_str(), 40000) == 0);
    if (kind == 3) REQUIRE(truncate(path.c_str(), 0) == 0);
  };
  for (int kind = 0; kind < 4; ++kind) {
    CAPTURE(kind);
    Bench bench;
    bench.bring_up();
    in_dying_process([&] {
      Host host(bench.setup());
      if (!host.wait_vdev(0, 0, VdevState::up)) _exit(1);
      if (host.send(host.id, 7, {2}) != Errc::ok) _exit(1);
    });
    damage(kind, bench.state_file());
    Host host(bench.setup());
    CHECK(host.opened.resume == Resume::Kind::adopted);
    CHECK(host.opened.reason.find("took vdev 0 over from the rings") != std::string::npos);
    CHECK(host.opened.generation == 1);
    REQUIRE(host.wait_remote(0, RemoteState::attached));
    CHECK(host.vdev_states[{0, 0}] == VdevState::up);
    CHECK(bench.remote.hear(0) == std::vector<uint8_t>{2}); // it was in flight and still is
    check_traffic(bench, host);
  }
}

TEST_CASE("what was adopted is resumed by the next host") {
  Bench bench;
  bench.bring_up();
  overwrite(bench.state_file(), kMagic, {0});
  in_dying_process([&] {
    Host host(bench.setup());
    if (!host.wait_vdev(0, 0, VdevState::up)) _exit(1);
  });
  Host host(bench.setup());
  CHECK(host.opened.resume == Resume::Kind::resumed);
  check_traffic(bench, host);
}

TEST_CASE("rings that do not say enough leave the vdev faulted until the remote's next life") {
  Bench bench;
  bench.bring_up(2);
  overwrite(bench.state_file(), kMagic, {0});
  bench.remote.u16(0, 1, 16 * 5) = 0x1234;  // a descriptor that we would not write
  for (int hosts = 0; hosts < 2; ++hosts) { // the second one finds a file that says the same
    CAPTURE(hosts);
    Host host(bench.setup(2));
    CHECK(host.opened.resume == Resume::Kind::lost);
    CHECK(host.opened.reason.find("rings of vdev 0 do not say enough") != std::string::npos);
    REQUIRE(host.wait_vdev(0, 0, VdevState::faulted));
    CHECK(host.send(host.id, 7, {1}) == Errc::peer_fault);
    REQUIRE(host.wait_vdev(0, 1, VdevState::up)); // its neighbour never notices
    CHECK(host.remote_states[0] == RemoteState::attached);
  }
  Host host(bench.setup(2));
  REQUIRE(host.wait_vdev(0, 0, VdevState::faulted));
  bench.remote.ready();
  REQUIRE(host.until([&] { return host.generations[0] == 2; }));
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  check_traffic(bench, host, 2);
}

TEST_CASE("a damaged state over rings that nobody used is a first life") {
  Bench bench;
  { std::ofstream(bench.state_file()) << "not a state"; }
  Host host(bench.setup());
  CHECK(host.opened.resume == Resume::Kind::cold);
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  CHECK(host.generations[0] == 1);
}

TEST_CASE("a state of another boot is none, and the next life counts from one") {
  Bench bench;
  { Host host(bench.setup()); }
  overwrite(bench.state_file(), kBootId, {1, 2, 3, 4, 5, 6, 7, 8});
  Host host(bench.setup());
  CHECK(host.opened.resume == Resume::Kind::cold);
  CHECK(host.opened.reason == "the state file is of another boot");
  CHECK(host.opened.generation == 1);
}

TEST_CASE("a remote that gets one more vdev goes on with those it had") {
  Bench bench;
  bench.bring_up(1);
  Host host(bench.setup(2));
  CHECK(host.opened.resume == Resume::Kind::adopted);
  CHECK(host.opened.reason.find("another configuration") != std::string::npos);
  REQUIRE(host.wait_vdev(0, 1, VdevState::offered));
  check_traffic(bench, host);
}

TEST_CASE("a state that cannot be kept is an error that says why") {
  Bench bench;
  RemoteSetup setup = bench.setup();
  setup.state_file = bench.directory.path() + "/nowhere/cm40.state";
  LinkHarness host;
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("cannot create the state file " + setup.state_file) == 0);
  CHECK(host.error.find("No such file or directory") != std::string::npos);
}

TEST_CASE("the state is a file of its owner alone, with no hole in it") {
  Bench bench;
  { Host host(bench.setup()); }
  struct stat info = {};
  REQUIRE(stat(bench.state_file().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(info.st_blocks * 512 >= info.st_size);
  CHECK(access((bench.state_file() + ".new").c_str(), F_OK) != 0);
}

TEST_CASE("no damage of a state makes a host crash, hang or use a ring that is not sound") {
  std::minstd_rand random(11);
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    Bench bench;
    bench.bring_up();
    struct stat info = {};
    REQUIRE(stat(bench.state_file().c_str(), &info) == 0);
    for (int n = 0; n < 8; ++n) {
      // Half of the damage where the queues are, the rest anywhere.
      const auto limit = n % 2 == 0 ? 6000 : static_cast<uint64_t>(info.st_size) - 8;
      overwrite(bench.state_file(), static_cast<std::streamoff>(random() % limit / 4 * 4),
                {static_cast<uint8_t>(random()), static_cast<uint8_t>(random())});
    }
    Host host(bench.setup());
    bench.say(5);
    // It works, or it says that it does not; and a new life of the remote works in any case.
    const auto works = [&] {
      return host.count() > 0 && host.received[host.id].back().data[0] == 5;
    };
    const auto faulted = [&] { return host.vdev_states[{0, 0}] == VdevState::faulted; };
    REQUIRE(host.until(
        [&] { return works() || faulted() || host.opened.resume == Resume::Kind::cold; }));
    bench.remote.ready();
    REQUIRE(host.until([&] { return host.vdev_states[{0, 0}] == VdevState::offered; }));
    bench.say(6);
    REQUIRE(
        host.until([&] { return host.count() > 0 && host.received[host.id].back().data[0] == 6; }));
  }
}
