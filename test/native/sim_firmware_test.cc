// SPDX-License-Identifier: Apache-2.0
// The simulated firmware, held against what an RPMsg-Lite remote does, by a host written by hand.
#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <sys/wait.h>

#include <map>

#include "support/hand_host.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kOurs = 1024;
constexpr uint32_t kPingPong = 1, kClientSample = 2, kEcho = 3, kSink = 4, kSource = 5;

std::string bytes(uint32_t value) {
  return std::string(reinterpret_cast<char*>(&value), 4);
}

/// One SoC, one firmware and one host that is linked up with vdev `vdev`.
struct Bench {
  explicit Bench(const std::vector<std::string>& firmware_options, uint32_t vdev = 0)
      : firmware(soc.start_firmware(firmware_options)),
        opened(open_sim_platform(soc.socket(), "cm40")) {
    REQUIRE_MESSAGE(opened.platform, opened.error.message);
    host.emplace(*opened.platform, vdev);
    host->link_up();
  }
  SocProcess soc;
  Process firmware;
  OpenedPlatform opened;
  std::optional<HandHost> host;
};

std::string ask(HandHost& host, uint32_t to, const std::string& payload) {
  REQUIRE(host.send(kOurs, to, payload));
  const auto answer = host.receive_data();
  REQUIRE(answer);
  CHECK(answer->src == to);
  CHECK(answer->dst == kOurs);
  return answer->payload;
}

} // namespace

TEST_CASE("the firmware announces every application once its link is up") {
  Bench bench({"--vdevs", "1"});
  std::map<std::string, uint32_t> announced;
  while (announced.size() < 6) {
    const auto message = bench.host->receive();
    REQUIRE(message);
    CHECK(message->dst == 53);
    CHECK(message->used_length == 512);
    REQUIRE(message->payload.size() == 40);
    uint32_t address = 0;
    std::memcpy(&address, message->payload.data() + 32, 4);
    CHECK(message->src == address);
    CHECK(message->payload.substr(36) == bytes(0));
    const std::string name = message->payload.substr(0, 32);
    announced[name.substr(0, name.find('\0'))] = address;
  }
  const std::map<std::string, uint32_t> expected = {{"rpmsg-openamp-demo-channel", 1},
                                                    {"rpmsg-client-sample", 2},
                                                    {"echo", 3},
                                                    {"sink", 4},
                                                    {"source", 5},
                                                    {"rpmsg-name-of-thirty-two-bytes!!", 6}};
  CHECK(announced == expected);
}

TEST_CASE("a firmware announces as many echoes more as it is told, beyond what the ring holds") {
  constexpr uint32_t kFirst = 129;
  constexpr uint32_t kChannels = 300;
  Bench bench({"--vdevs", "1", "--app", "echo", "--channels", std::to_string(kChannels)});
  REQUIRE(bench.host->receive()); // of echo
  for (uint32_t channel = 0; channel < kChannels; channel++) {
    const auto message = bench.host->receive();
    REQUIRE(message);
    CHECK(message->src == kFirst + channel);
    const std::string name = message->payload.substr(0, 32);
    CHECK(name.c_str() == "channel-" + std::to_string(channel + 1));
  }
  CHECK(ask(*bench.host, kFirst + kChannels - 1, "last") == "last");
}

TEST_CASE("echo returns every size from 0 to 496 unchanged") {
  Bench bench({"--vdevs", "1"});
  for (size_t size = 0; size <= 496; size += size < 8 || size > 488 ? 1 : 61) {
    std::string payload;
    for (size_t i = 0; i < size; i++)
      payload += static_cast<char>(i * 7 + size);
    CHECK(ask(*bench.host, kEcho, payload) == payload);
  }
}

TEST_CASE("ping-pong counts from the greeting to past 100") {
  Bench bench({"--vdevs", "1"});
  std::string counter = ask(*bench.host, kPingPong, "hello world!");
  CHECK(counter == bytes(0));
  uint32_t value = 0;
  while (value <= 100) {
    counter = ask(*bench.host, kPingPong, bytes(value + 1));
    REQUIRE(counter == bytes(value + 2));
    value += 2;
  }
  CHECK(bench.host->send(kOurs, kPingPong, "goodbye!"));
  CHECK(ask(*bench.host, kClientSample, "hello world!") == "hello world!");
}

TEST_CASE("sink counts in silence and tells when asked") {
  Bench bench({"--vdevs", "1"});
  for (int i = 0; i < 3; i++)
    REQUIRE(bench.host->send(kOurs, kSink, "12345"));
  const std::string stats = ask(*bench.host, kSink, "stats?");
  CHECK(stats == bytes(3) + bytes(0) + bytes(15) + bytes(0));
}

TEST_CASE("sink compares what it gets with what source would send once it is asked to") {
  Bench bench({"--vdevs", "1"});
  const auto numbered = [](uint32_t number, size_t size) {
    std::string message(size, '\0');
    for (size_t i = 0; i < size; i++)
      message[i] = static_cast<char>(number + i);
    return message.replace(0, 4, bytes(number));
  };
  REQUIRE(bench.host->send(kOurs, kSink, "not asked yet"));
  REQUIRE(bench.host->send(kOurs, kSink, "check"));
  REQUIRE(bench.host->send(kOurs, kSink, numbered(0, 496)));
  REQUIRE(bench.host->send(kOurs, kSink, numbered(1, 5)));
  CHECK(ask(*bench.host, kSink, "checked?") == bytes(2) + bytes(0) + bytes(0) + bytes(0));
  REQUIRE(bench.host->send(kOurs, kSink, numbered(3, 5)));
  CHECK(ask(*bench.host, kSink, "checked?") == bytes(3) + bytes(0) + bytes(1) + bytes(0));
}

TEST_CASE("source sends as many messages as ordered, more than the ring holds, in order") {
  Bench bench({"--vdevs", "1"});
  REQUIRE(bench.host->send(kOurs, kSource, bytes(1000) + bytes(10)));
  for (uint32_t n = 0; n < 1000; n++) {
    const auto message = bench.host->receive_data();
    REQUIRE(message);
    CHECK(message->payload.substr(0, 4) == bytes(n));
    CHECK(message->payload[9] == static_cast<char>(n + 9));
  }
}

TEST_CASE("source takes its time when told to, and other orders do not wait for it") {
  Bench bench({"--vdevs", "1"});
  constexpr uint32_t kOther = kOurs + 1;
  REQUIRE(bench.host->send(kOurs, kSource, bytes(3) + bytes(4) + bytes(50)));
  REQUIRE(bench.host->send(kOther, kSource, bytes(20) + bytes(4)));
  std::map<uint32_t, uint32_t> sent;
  for (int i = 0; i < 23; i++) {
    const auto message = bench.host->receive_data();
    REQUIRE(message);
    CHECK(message->payload == bytes(sent[message->dst]++));
    if (message->dst == kOurs && sent[kOurs] > 1) CHECK(sent[kOther] == 20);
  }
  CHECK(sent[kOurs] == 3);
}

TEST_CASE("a held firmware takes no buffer until SIGUSR1") {
  Bench bench({"--vdevs", "1", "--hold"});
  for (int i = 0; i < 256; i++)
    REQUIRE(bench.host->send(kOurs, kEcho, std::to_string(i)));
  CHECK(!bench.host->send(kOurs, kEcho, "no room"));
  bench.firmware.signal(SIGUSR1);
  for (int i = 0; i < 256; i++) {
    const auto message = bench.host->receive_data();
    REQUIRE(message);
    CHECK(message->payload == std::to_string(i));
  }
}

TEST_CASE("returned buffers are signalled only when asked for") {
  Bench bench({"--vdevs", "1", "--consumed-notify", "on"});
  REQUIRE(bench.host->send(kOurs, kSink, "x"));
  CHECK(bench.host->wait_word(1));
}

TEST_CASE("a quiet firmware announces nothing and echoes at address 30") {
  Bench bench({"--vdevs", "1", "--quiet"});
  REQUIRE(bench.host->send(kOurs, 30, "x"));
  const auto message = bench.host->receive();
  REQUIRE(message);
  CHECK(message->src == 30);
  CHECK(message->payload == "x");
}

TEST_CASE("a firmware that registered other links drops this one's word and goes on") {
  SocProcess soc;
  Process firmware = soc.start_firmware({"--link", "2,5"});
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  HandHost unserved(*opened.platform, 0);
  HandHost served(*opened.platform, 5);
  unserved.link_up();
  served.link_up();
  REQUIRE(served.receive());
  CHECK(unserved.used_index(0) == 0);
}

TEST_CASE("a silently restarted firmware forgets its place in the rings") {
  Bench bench({"--vdevs", "1", "--fault", "silent-restart"});
  CHECK(ask(*bench.host, kEcho, "before") == "before");
  // Its last act in the old life gives the buffer back; from then on the rings are ours to zero.
  for (int i = 0; bench.host->used_index(1) == 0 && i < 1000; i++)
    bench.host->receive(10);
  REQUIRE(bench.host->used_index(1) == 1);
  bench.host->link_up();
  for (int i = 0; bench.host->used_index(0) == 0 && i < 1000; i++) {
    bench.host->wait_word(0, 10);
    bench.host->kick(0); // the first one may still have met the old life
  }
  CHECK(ask(*bench.host, kEcho, "after") == "after");
}

TEST_CASE("a word that the former life left in RR is link-up for the next one") {
  SocProcess soc;
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  HandHost host(*opened.platform, 0);
  host.link_up(); // nobody is there: the word waits in RR
  Process firmware = soc.start_firmware({"--vdevs", "1"});
  CHECK(host.receive());
}

TEST_CASE("a firmware whose rings are zeroed while it is up starts over on SIGUSR2") {
  Bench bench({"--vdevs", "1"});
  for (int i = 0; i < 6; i++)
    REQUIRE(bench.host->receive()); // the announcements: then it looks at no ring
  bench.host->link_up();            // what a new host without state does
  bench.host->kick(0);              // written when the word before it was taken
  CHECK(bench.host->used_index(0) == 0);
  bench.firmware.signal(SIGUSR2);
  for (int i = 0; bench.host->used_index(0) == 0 && i < 1000; i++) {
    bench.host->wait_word(0, 10);
    bench.host->kick(0);
  }
  CHECK(ask(*bench.host, kEcho, "after") == "after");
}

TEST_CASE("a firmware that is told to reads RR no more, and goes on otherwise") {
  Bench bench({"--vdevs", "1", "--quiet", "--fault", "never-drain-rr:2"}); // link-up is the first
  REQUIRE(bench.host->send(kOurs, kSource, bytes(1000) + bytes(4)));
  bench.host->kick(1); // waits until the second word is taken
  for (int n = 0; n < 1000; n++)
    REQUIRE(bench.host->receive_data());
  const uint32_t transmit_empty = 1u << 22; // TE1 in SR
  CHECK((bench.opened.platform->mu().read32(0x20) & transmit_empty) == 0);
}

TEST_CASE("a firmware is not started with more vdevs than its SoC can have") {
  SocProcess soc({"--soc", "imx8qm"});
  const std::string program = program_path("rpmsg-firmware");
  for (const std::vector<std::string>& order :
       {std::vector<std::string>{"--vdevs", "5"}, {"--link", "0,4"}}) {
    CAPTURE(order[0]);
    const std::string command =
        "exec " + program + " --socket " + soc.socket() + " " + order[0] + " " + order[1] + " 2>&1";
    Process firmware({"/bin/sh", "-c", command});
    const std::string said = firmware.wait_line("rpmsg-firmware:");
    CHECK(said.find("vdev 4;") != std::string::npos);
    CHECK(said.find("imx8qm can address vdevs 0 to 3 only") != std::string::npos);
    const int status = firmware.wait();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 2);
  }
  CHECK(soc.start_firmware({"--vdevs", "4"}).pid() > 0);
}

TEST_CASE("the default number of vdevs is cut to what the SoC has") {
  SocProcess soc({"--soc", "imx7d"});
  OpenedPlatform opened = open_sim_platform(soc.socket(), "m4");
  REQUIRE(opened.platform);
  HandHost host(*opened.platform, 0, 0x8FFF0000, 0x8F400000);
  Process firmware = soc.start_firmware({}, "m4");
  host.link_up();
  CHECK(host.receive());
}

TEST_CASE("each fault of a message or ring shows on the wire as documented") {
  struct Case {
    const char* fault;
    bool (*shows)(const HandMessage&);
  };
  const Case cases[] = {
      {"bad-length", [](const HandMessage& m) { return m.header_length == 600; }},
      {"unknown-dst", [](const HandMessage& m) { return m.dst == 0xDEAD; }},
      {"used-id-range", [](const HandMessage& m) { return m.id >= 0x10000; }},
      {"short-used-len", [](const HandMessage& m) { return m.used_length == 8; }},
      {"header-len-overrun",
       [](const HandMessage& m) { return m.header_length > m.used_length - 16; }},
  };
  for (const Case& each : cases) {
    CAPTURE(each.fault);
    Bench bench({"--vdevs", "1", "--fault", each.fault});
    REQUIRE(bench.host->send(kOurs, kEcho, "x"));
    const auto message = bench.host->receive_data();
    REQUIRE(message);
    CHECK(each.shows(*message));
    CHECK(ask(*bench.host, kEcho, "sound again") == "sound again");
  }
}

TEST_CASE("a malformed announcement comes before the sound ones") {
  for (const size_t size : {39, 41}) {
    CAPTURE(size);
    Bench bench({"--vdevs", "1", "--fault", "ns-" + std::to_string(size)});
    const auto message = bench.host->receive();
    REQUIRE(message);
    CHECK(message->payload.size() == size);
  }
}

TEST_CASE("a TX buffer is given back twice, and used.idx jumps, when told") {
  Bench twice({"--vdevs", "1", "--quiet", "--fault", "used-id-duplicate"});
  CHECK(ask(*twice.host, 30, "x") == "x");
  while (twice.host->used_index(1) < 2)
    REQUIRE(twice.soc.ready());
  CHECK(twice.host->used_id(1, 0) == twice.host->used_id(1, 1));

  Bench jump({"--vdevs", "1", "--quiet", "--fault", "used-idx-jump"});
  CHECK(ask(*jump.host, 30, "x") == "x");
  CHECK(jump.host->used_index(0) >= 1001);
}

TEST_CASE("a firmware killed inside any step of a register access can be followed by another") {
  for (const char* step : {"tr-data", "tr-full", "rr-read", "rr-clear", "gir", "raise-mask"}) {
    CAPTURE(step);
    // The delay lets the host be asleep, its line unmasked, when the first word comes.
    Bench bench(
        {"--vdevs", "1", "--announce-delay-ms", "100", "--fault", std::string("crash-at:") + step});
    int status = bench.firmware.wait(0);
    for (int i = 0; status == -1 && i < 500; i++) {
      bench.host->receive(20); // the host goes on, so that the firmware does
      status = bench.firmware.wait(0);
    }
    REQUIRE(status != -1);
    CHECK(WIFSIGNALED(status));
    // Fresh rings first: a word that the dead firmware left in RR is link-up for the next life.
    bench.host->prepare();
    bench.firmware = bench.soc.start_firmware({"--vdevs", "1"});
    bench.host->kick(0);
    CHECK(ask(*bench.host, kEcho, "next life") == "next life");
  }
}

TEST_CASE("eight vdevs answer at once") {
  SocProcess soc;
  Process firmware = soc.start_firmware({"--vdevs", "8"});
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  std::vector<HandHost> hosts;
  for (uint32_t vdev = 0; vdev < 8; vdev++)
    hosts.emplace_back(*opened.platform, vdev).link_up();
  for (HandHost& host : hosts)
    REQUIRE(host.send(kOurs, kEcho, "to all"));
  for (HandHost& host : hosts)
    CHECK(host.receive_data()->payload == "to all");
}
