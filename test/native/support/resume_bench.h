// SPDX-License-Identifier: Apache-2.0
// Hosts that follow one another on one board, whose remote is in the test's hands and outlives
// them.
#pragma once

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "support/hand_remote.h"
#include "support/link_harness.h"

namespace rpmsg::test {

constexpr uint32_t kLocal = 1024;

/// A host with one endpoint at kLocal; what comes is kept until it is released.
struct Host : LinkHarness {
  explicit Host(const RemoteSetup& setup) {
    hold = true;
    opened = open_named(setup);
    REQUIRE(opened.ok);
    id = endpoint(0, 0, kLocal);
    REQUIRE(id != 0);
    REQUIRE(start());
  }
  size_t count() { return received[id].size(); }

  Link::OpenedRemote opened;
  uint32_t id = 0;
};

/// One board, and a place for the state.
struct Bench {
  Bench() : remote(soc.socket(), "cm40") {}

  std::string state_file() const { return directory.path() + "/cm40.state"; }
  RemoteSetup setup(uint32_t vdevs = 1) const {
    RemoteSetup made = sim_setup(soc.socket(), "cm40", vdevs);
    made.state_file = state_file();
    return made;
  }

  /// A first host that meets the remote and stops in order: seq 0 of each vdev was delivered.
  void bring_up(uint32_t vdevs = 1) {
    remote.ready();
    Host host(setup(vdevs));
    for (uint32_t vdev = 0; vdev < vdevs; ++vdev) {
      REQUIRE(host.wait_vdev(0, vdev, VdevState::offered));
      remote.take_word();
      REQUIRE(remote.say(vdev, 7, kLocal, {0}));
      REQUIRE(host.wait_vdev(0, vdev, VdevState::up));
    }
    REQUIRE(host.until([&] { return host.count() == 1; }));
    host.link().release(host.id, 1);
    remote.take_word();
  }

  void say(uint8_t number) {
    remote.take_word();
    REQUIRE(remote.say(0, 7, kLocal, {number}));
  }

  /// In a dying process: meets the remote and takes `count` messages {0}, {1}, … of it.
  void take_messages(Host& host, uint8_t count) {
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
    for (uint8_t n = 0; n < count; ++n) {
      remote.take_word();
      if (!remote.say(0, 7, kLocal, {n})) _exit(1);
      if (!host.until([&] { return host.count() == n + 1u; })) _exit(1);
    }
  }

  TemporaryDirectory directory;
  SocProcess soc;
  HandRemote remote;
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

} // namespace rpmsg::test
