// SPDX-License-Identifier: Apache-2.0
// The remote that stands in native/sim/README.md, built from its text (packaging/dev/
// readme-remote.mjs) beside this program or named by $RPMSG_README_REMOTE.
#include <doctest/doctest.h>

#include <cstdlib>
#include <unistd.h>

#include "support/hand_host.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

std::string readme_remote() {
  const char* given = std::getenv("RPMSG_README_REMOTE");
  return given != nullptr ? given : program_path("readme-remote");
}

} // namespace

TEST_CASE("the README's remote announces itself and echoes" *
          doctest::skip(::access(readme_remote().c_str(), X_OK) != 0)) {
  SocProcess soc({"--firmware", "cm40=" + readme_remote() + " $RPMSG_SOC_SOCKET cm40"});
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  REQUIRE(soc.wait_event("cm40 firmware attached"));
  HandHost host(*opened.platform, 0);
  host.link_up();
  const auto announcement = host.receive();
  REQUIRE(announcement);
  CHECK(announcement->payload.substr(0, 12) == std::string("readme-echo", 12));
  CHECK(announcement->src == 40);
  for (int i = 0; i < 1000; i++) {
    REQUIRE(host.send(1024, 40, std::string(static_cast<size_t>(i % 497), 'x')));
    const auto echo = host.receive();
    REQUIRE(echo);
    CHECK(echo->payload.size() == static_cast<size_t>(i % 497));
  }
}
