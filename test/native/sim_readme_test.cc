// SPDX-License-Identifier: Apache-2.0
// The remote that stands in native/sim/README.md, built from its text (packaging/dev/
// readme-remote.mjs) beside this program or named by $RPMSG_README_REMOTE.
#include <doctest/doctest.h>

#include <cstdlib>
#include <unistd.h>

#include "support/hand_host.h"
#include "support/link_harness.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

std::string readme_remote() {
  const char* given = std::getenv("RPMSG_README_REMOTE");
  return given != nullptr ? given : program_path("readme-remote");
}

/// A SoC that supervises the remote, and a host for its vdev 0.
struct Bench {
  Bench()
      : soc({"--firmware", "cm40=" + readme_remote() + " $RPMSG_SOC_SOCKET cm40"}),
        opened(open_sim_platform(soc.socket(), "cm40")), host(*opened.platform, 0) {
    REQUIRE(soc.wait_event("cm40 firmware attached"));
  }
  void expect_announcement() {
    const auto announcement = host.receive();
    REQUIRE(announcement);
    CHECK(announcement->payload.substr(0, 12) == std::string("readme-echo", 12));
    CHECK(announcement->src == 40);
  }
  void expect_echo(const std::string& payload) {
    REQUIRE(host.send(1024, 40, payload));
    const auto echo = host.receive();
    REQUIRE(echo);
    CHECK(echo->payload == payload);
  }
  /// The word again until a ring is used, as hosts do: the first may still meet the former life.
  void link_up() {
    host.link_up();
    for (int i = 0; host.used_index(0) == 0 && i < 1000; i++) {
      host.kick(0);
      host.wait_word(0, 10);
    }
  }
  SocProcess soc;
  OpenedPlatform opened;
  HandHost host;
};

} // namespace

#define WITH_README_REMOTE *doctest::skip(::access(readme_remote().c_str(), X_OK) != 0)

TEST_CASE("the README's remote announces itself and echoes" WITH_README_REMOTE) {
  Bench bench;
  bench.link_up();
  bench.expect_announcement();
  for (int i = 0; i < 1000; i++)
    bench.expect_echo(std::string(static_cast<size_t>(i % 497), 'x'));
}

TEST_CASE("the README's remote starts over when a new host zeroes its rings" WITH_README_REMOTE) {
  // Fewer messages than a ring holds, as many, and more: each leaves its index elsewhere.
  for (const int count : {0, 1, 255, 256, 300}) {
    CAPTURE(count);
    Bench bench;
    bench.link_up();
    bench.expect_announcement();
    for (int i = 0; i < count; i++)
      bench.expect_echo("before");
    // Its last store into a ring comes just after the last echo.
    for (int i = 0; bench.host.used_index(1) != count && i < 10000; i++)
      bench.host.wait_word(0, 1);
    REQUIRE(bench.host.used_index(1) == count);
    bench.link_up();
    bench.expect_announcement();
    bench.expect_echo("after");
  }
}

TEST_CASE("the README's remote goes on with a host that kept its state" WITH_README_REMOTE) {
  Bench bench;
  bench.link_up();
  bench.expect_announcement();
  bench.host.kick(0);
  bench.host.kick(0); // written when the first was taken
  bench.expect_echo("x");
  CHECK(bench.host.used_index(0) == 2);
}

TEST_CASE("the README's remote drops a word that its former life left" WITH_README_REMOTE) {
  SocProcess soc;
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  HandHost host(*opened.platform, 0);
  host.link_up();
  Process remote({readme_remote(), soc.socket(), "cm40"});
  host.kick(1); // written when the word before it was taken; link-up for nobody
  host.kick(1);
  CHECK(host.used_index(0) == 0);
  host.kick(0);
  CHECK(host.receive());
}

TEST_CASE("the README's remote starts over at a descriptor that is no buffer" WITH_README_REMOTE) {
  Bench bench;
  Result<SharedSpan> rings = bench.opened.platform->map(0x90000000, 0x10000);
  REQUIRE(rings.ok());
  bench.link_up();
  bench.expect_announcement();
  // The next buffer's address lies in no segment: vring0's descriptor 1.
  *reinterpret_cast<volatile uint64_t*>(rings->at(16, 8)) = 0x1000;
  REQUIRE(bench.host.send(1024, 40, "lost"));
  bench.host.kick(1); // written when the word before it was taken
  bench.link_up();
  bench.expect_announcement();
  bench.expect_echo("after");
}

TEST_CASE("the README's remote serves one rpmsgd after the other" WITH_README_REMOTE) {
  SocProcess soc({"--firmware", "cm40=" + readme_remote() + " $RPMSG_SOC_SOCKET cm40"});
  REQUIRE(soc.wait_event("cm40 firmware attached"));
  for (int life = 0; life < 4; life++) {
    CAPTURE(life);
    LinkHarness host;
    const int remote = host.open(sim_setup(soc.socket(), "cm40", 1));
    REQUIRE_MESSAGE(remote >= 0, host.error);
    REQUIRE(host.start());
    const auto index = static_cast<uint32_t>(remote);
    REQUIRE(host.wait_name(index, 0, "readme-echo") == 40);
    const uint32_t endpoint = host.endpoint(index, 0, 1024);
    for (size_t sent = 1; sent <= 20; sent++) {
      REQUIRE(host.send(endpoint, 40, {1, 2, 3}) == Errc::ok);
      REQUIRE(host.until([&] { return host.received[endpoint].size() == sent; }));
    }
  }
}
