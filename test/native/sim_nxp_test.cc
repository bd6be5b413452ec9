// SPDX-License-Identifier: Apache-2.0
// The simulated firmware's services of NXP, byte by byte, by a host written by hand.
#include <doctest/doctest.h>

#include <cstring>
#include <ctime>

#include "support/hand_host.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kOurs = 1024;
constexpr uint32_t kEcho = 3, kLifeCycle = 7, kGpio = 8, kRtc = 9;
constexpr int kSilenceMs = 20; // for what comes by itself, or does not

/// The bytes that these hexadecimal digits and spaces stand for.
std::string hex(const std::string& digits) {
  std::string bytes;
  std::string pair;
  for (char digit : digits) {
    if (digit == ' ') continue;
    pair += digit;
    if (pair.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
    pair.clear();
  }
  return bytes;
}

uint32_t u32_at(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  REQUIRE(bytes.size() >= at + 4);
  std::memcpy(&value, bytes.data() + at, 4);
  return value;
}

/// One SoC, one firmware that serves NXP's services, and one host that is linked up.
struct Bench {
  explicit Bench(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"--vdevs", "1", "--nxp"});
    firmware.emplace(soc.start_firmware(options));
    opened = open_sim_platform(soc.socket(), "cm40");
    REQUIRE_MESSAGE(opened.platform, opened.error.message);
    host.emplace(*opened.platform, 0);
    host->link_up();
  }

  std::string ask(uint32_t service, const std::string& digits, uint32_t from = kOurs) {
    REQUIRE(host->send(from, service, hex(digits)));
    return next(service);
  }
  std::string next(uint32_t service) {
    const auto message = host->receive_data();
    REQUIRE(message);
    CHECK(message->src == service);
    CHECK(message->dst == kOurs);
    return message->payload;
  }
  /// Whether it says nothing to these bytes: what comes next is the echo of what was sent next.
  bool is_silent_to(uint32_t service, const std::string& digits) {
    REQUIRE(host->send(kOurs, service, hex(digits)));
    REQUIRE(host->send(kOurs, kEcho, "next"));
    const auto message = host->receive_data();
    REQUIRE(message);
    return message->src == kEcho;
  }

  SocProcess soc;
  std::optional<Process> firmware;
  OpenedPlatform opened;
  std::optional<HandHost> host;
};

const char* kSet = "05 01 00 00 01 0000000000 04 03 01 00 00 00";
const char* kGet = "05 01 00 00 02 0000000000 04 03 00 00 00 00";

} // namespace

TEST_CASE("NXP's services are announced if they are asked for, behind the other applications") {
  Bench bench({"--app", "echo"});
  std::vector<std::string> names;
  std::vector<uint32_t> addresses;
  while (names.size() < 4) {
    const auto message = bench.host->receive();
    REQUIRE(message);
    names.push_back(message->payload.substr(0, 32).c_str());
    addresses.push_back(message->src);
  }
  CHECK(names == std::vector<std::string>{"echo", "rpmsg-life-cycle-channel", "rpmsg-io-channel",
                                          "rpmsg-rtc-channel"});
  CHECK(addresses == std::vector<uint32_t>{3, kLifeCycle, kGpio, kRtc});
}

TEST_CASE("a pin that was set reads so, and so does the input that it is wired to") {
  Bench bench;
  CHECK(bench.ask(kGpio, kGet) == hex("05 01 00 01 02 0000000000 04 03 00 00"));
  CHECK(bench.ask(kGpio, kSet) == hex("05 01 00 01 01 0000000000 04 03 00 00"));
  CHECK(bench.ask(kGpio, kGet) == hex("05 01 00 01 02 0000000000 04 03 00 01"));
  CHECK(bench.ask(kGpio, "05 01 00 00 02 0000000000 05 03") ==
        hex("05 01 00 01 02 0000000000 05 03 00 01"));
}

TEST_CASE("a pin that does not exist fails, a command that does not is unsupported") {
  Bench bench;
  CHECK(bench.ask(kGpio, "05 01 00 00 02 0000000000 20 00 00 00") ==
        hex("05 01 00 01 02 0000000000 20 00 01 00"));
  CHECK(bench.ask(kGpio, "05 01 00 00 02 0000000000 00 04 00 00") ==
        hex("05 01 00 01 02 0000000000 00 04 01 00"));
  CHECK(bench.ask(kGpio, "05 01 00 00 2a 0000000000 00 00 00 00") ==
        hex("05 01 00 01 2a 0000000000 00 00 02 00"));
  CHECK(bench.ask(kGpio, "05 01 00 00 02 0000000000 07") ==
        hex("05 01 00 01 02 0000000000 07 00 02 00"));
  CHECK(bench.ask(kGpio, "05 01 00 00 00 0000000000 00 00 06 00") ==
        hex("05 01 00 01 00 0000000000 00 00 01 00"));
}

TEST_CASE("an edge is told once for each time that it is asked for") {
  Bench bench;
  const std::string arm = "05 01 00 00 00 0000000000 05 03 01 00 00 00"; // pin 5: rising
  const std::string low = "05 01 00 00 01 0000000000 04 03 00 00 00 00";
  CHECK(bench.ask(kGpio, arm) == hex("05 01 00 01 00 0000000000 05 03 00 00"));
  CHECK(bench.ask(kGpio, kSet) == hex("05 01 00 01 01 0000000000 04 03 00 00"));
  CHECK(bench.next(kGpio) == hex("05 01 00 02 00 0000000000 05 03"));
  CHECK(bench.ask(kGpio, low) == hex("05 01 00 01 01 0000000000 04 03 00 00"));
  CHECK(bench.ask(kGpio, kSet) == hex("05 01 00 01 01 0000000000 04 03 00 00"));
  CHECK(!bench.host->receive_data(kSilenceMs));
}

TEST_CASE("each trigger is met by what it is called, a level also if it is there already") {
  Bench bench;
  struct Row {
    const char* trigger;
    const char* to; // from low, or from high where it is low again
    bool is_told;
  };
  const Row rows[] = {{"00", "01", false}, {"01", "00", false}, {"01", "01", true},
                      {"02", "00", true},  {"03", "01", true},  {"04", "00", true},
                      {"05", "01", true},  {"05", "01", true}};
  for (const Row& row : rows) {
    CAPTURE(row.trigger);
    bench.ask(kGpio, std::string("05 01 00 00 00 0000000000 05 03 ") + row.trigger + " 00");
    const auto early = bench.host->receive_data(kSilenceMs);
    bench.host->send(kOurs, kGpio,
                     hex(std::string("05 01 00 00 01 0000000000 04 03 ") + row.to + " 00"));
    bench.next(kGpio);
    const auto late = bench.host->receive_data(kSilenceMs);
    CHECK((early || late) == row.is_told);
    CHECK(!(early && late));
  }
}

TEST_CASE("the clock shows the machine's time, and what it was set to from then on") {
  Bench bench;
  const std::string get = "06 01 00 00 01 0000000000 00 00 00000000 00 00";
  const std::string before = bench.ask(kRtc, get);
  REQUIRE(before.size() == 18);
  CHECK(before.substr(0, 12) == hex("06 01 00 01 01 0000000000 00 00"));
  CHECK(static_cast<int64_t>(u32_at(before, 12)) >= std::time(nullptr) - 60);
  CHECK(bench.ask(kRtc, "06 01 00 00 00 0000000000 00 00 00f15365 00 00") ==
        hex("06 01 00 01 00 0000000000 00 00 00000000 00 00"));
  const uint32_t shown = u32_at(bench.ask(kRtc, get), 12);
  CHECK(shown >= 1'700'000'000);
  CHECK(shown < 1'700'000'060);
}

TEST_CASE("the alarm goes off once at its time, and is then off and pending") {
  Bench bench;
  const std::string get = "06 01 00 00 03 0000000000 00 00 00000000 00 00";
  bench.ask(kRtc, "06 01 00 00 00 0000000000 00 00 64000000 00 00");
  bench.ask(kRtc, "06 01 00 00 02 0000000000 00 00 65000000 01 00");
  CHECK(bench.ask(kRtc, get) == hex("06 01 00 01 03 0000000000 00 00 65000000 01 00"));
  CHECK(bench.next(kRtc) == hex("06 01 00 02 00 0000000000"));
  CHECK(bench.ask(kRtc, get) == hex("06 01 00 01 03 0000000000 00 00 65000000 00 01"));
}

TEST_CASE("an alarm that is switched off does not go off") {
  Bench bench;
  bench.ask(kRtc, "06 01 00 00 02 0000000000 00 00 00000000 00 00");
  CHECK(!bench.host->receive_data(kSilenceMs));
  bench.ask(kRtc, "06 01 00 00 04 0000000000 00 00 00000000 01 00");
  CHECK(bench.next(kRtc) == hex("06 01 00 02 00 0000000000"));
}

TEST_CASE("a clock answers unsupported to another length or command") {
  Bench bench;
  const std::string answer = hex("06 01 00 01 01 0000000000 00 02 00000000 00 00");
  CHECK(bench.ask(kRtc, "06 01 00 00 01 0000000000") == answer);
  CHECK(bench.ask(kRtc, "06 01 00 00 01 0000000000 00 00 00000000 00 00 00") == answer);
  CHECK(bench.ask(kRtc, "06 01 00 00 09 0000000000 00 00 00000000 00 00") ==
        hex("06 01 00 01 09 0000000000 00 02 00000000 00 00"));
}

TEST_CASE("a mode is acknowledged, a heartbeat is not") {
  Bench bench;
  CHECK(bench.ask(kLifeCycle, "01 01 00 00 00 0000000000 06") ==
        hex("01 01 00 01 00 0000000000 00"));
  CHECK(bench.ask(kLifeCycle, "01 01 00 00 00 0000000000 08") ==
        hex("01 01 00 01 00 0000000000 01"));
  CHECK(bench.is_silent_to(kLifeCycle, "01 01 00 02 01 0000000000 00"));
}

TEST_CASE("a request of another version is unsupported, and answered in the version that is") {
  Bench bench;
  CHECK(bench.ask(kGpio, "05 02 00 00 02 0000000000 04 03 00 00") ==
        hex("05 01 00 01 02 0000000000 04 03 02 00"));
  CHECK(bench.ask(kLifeCycle, "01 01 01 00 00 0000000000 06") ==
        hex("01 01 00 01 00 0000000000 02"));
}

TEST_CASE("what is no request of the service is not answered, and does not disturb it") {
  Bench bench;
  for (const char* bytes : {"", "05", "05 01 00 00 02 00000000",        // no head
                            "06 01 00 00 01 0000000000 00 00 00000000", // another category
                            "05 01 00 01 02 0000000000 04 03 00 01",    // a reply
                            "05 01 00 02 00 0000000000 04 03",          // a notification
                            "05 01 00 ff 02 0000000000 04 03 00 00"}) {
    CAPTURE(bytes);
    CHECK(bench.is_silent_to(kGpio, bytes));
  }
  CHECK(bench.ask(kGpio, kSet) == hex("05 01 00 01 01 0000000000 04 03 00 00"));
}

TEST_CASE("a service talks to whoever spoke to it first") {
  Bench bench;
  bench.ask(kGpio, kSet);
  CHECK(bench.ask(kGpio, kGet, kOurs + 1) == hex("05 01 00 01 02 0000000000 04 03 00 01"));
}

TEST_CASE("a service can be made to speak another version, to fail and to say nothing") {
  {
    Bench bench({"--fault", "nxp-version"});
    CHECK(bench.ask(kGpio, kSet) == hex("05 02 00 01 01 0000000000 04 03 02 00"));
    CHECK(bench.ask(kGpio, kGet) == hex("05 01 00 01 02 0000000000 04 03 00 00"));
  }
  {
    Bench bench({"--fault", "nxp-failure:2"});
    CHECK(bench.ask(kGpio, kSet) == hex("05 01 00 01 01 0000000000 04 03 00 00"));
    CHECK(bench.ask(kGpio, kGet) == hex("05 01 00 01 02 0000000000 04 03 01 01"));
  }
  Bench bench({"--fault", "nxp-silent:0"});
  CHECK(bench.is_silent_to(kGpio, kSet));
  CHECK(bench.is_silent_to(kGpio, kSet));
}
