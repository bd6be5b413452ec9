// SPDX-License-Identifier: Apache-2.0
// A host that ends, in order or by SIGKILL, is followed by one that goes on with the same rings,
// the same numbers and everything that was not delivered; the remote notices nothing.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/hand_remote.h"
#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kLocal = 1024;

/// One board with a remote in the test's hands, and a place for the state.
struct Bench {
  Bench() : remote(soc.socket(), "cm40") {}

  RemoteSetup setup(uint32_t vdevs = 1) const {
    RemoteSetup made = sim_setup(soc.socket(), "cm40", vdevs);
    made.state_file = directory.path() + "/cm40.state";
    return made;
  }

  TemporaryDirectory directory;
  SocProcess soc;
  HandRemote remote;
};

/// A host with one endpoint at kLocal; what comes is kept until it is released.
struct Host : LinkHarness {
  explicit Host(const RemoteSetup& setup) {
    hold = true;
    REQUIRE(open(setup) == 0);
    id = endpoint(0, 0, kLocal);
    REQUIRE(id != 0);
    REQUIRE(start());
  }
  size_t count() { return received[id].size(); }
  uint32_t id = 0;
};

/// Runs `life` in a process that then dies by SIGKILL.
template<class Life>
void in_dying_process(Life life) {
  const pid_t child = fork();
  if (child == 0) {
    life();
    raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

} // namespace

TEST_CASE("a host that is killed is followed by one that has every message, in order, once") {
  Bench bench;
  bench.remote.ready();
  in_dying_process([&] {
    Host host(bench.setup());
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
    for (uint8_t n = 0; n < 5; ++n) {
      bench.remote.take_word();
      if (!bench.remote.say(0, 7, kLocal, {n})) _exit(1);
      if (!host.until([&] { return host.count() == n + 1u; })) _exit(1);
    }
    host.link().release(host.id, 2);
  });
  Link::OpenedRemote opened;
  Host host(bench.setup());
  REQUIRE(host.wait_remote(0, RemoteState::attached));
  CHECK(host.remote_reasons[0] == "resumed");
  CHECK(host.generations[0] == 1);
  REQUIRE(host.until([&] { return host.count() == 3; }));
  for (uint32_t n = 0; n < 3; ++n) {
    CHECK(host.received[host.id][n].seq == n + 2);
    CHECK(host.received[host.id][n].data == std::vector<uint8_t>{static_cast<uint8_t>(n + 2)});
  }
}
