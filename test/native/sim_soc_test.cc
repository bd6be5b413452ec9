// SPDX-License-Identifier: Apache-2.0
// rpmsg-soc as a process: who may attach, who is refused and why, and what the death of each means.
#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <thread>

#include "platform/platform.h"
#include "sim/protocol.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

UniqueFd connect_raw(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

rpmsg_sim_hello sound_hello() {
  rpmsg_sim_hello hello = {RPMSG_SIM_MAGIC, RPMSG_SIM_VERSION, RPMSG_SIM_ROLE_HOST, 0, "cm40"};
  return hello;
}

/// The reply to `bytes`, or one with status ~0 if there was none. Descriptors are dropped.
rpmsg_sim_reply reply_to(const std::string& path, const void* bytes, size_t length) {
  UniqueFd fd = connect_raw(path);
  ::send(fd.get(), bytes, length, MSG_NOSIGNAL);
  rpmsg_sim_reply reply = {};
  pollfd readable = {fd.get(), POLLIN, 0};
  ::poll(&readable, 1, kPatienceMs);
  if (::recv(fd.get(), &reply, sizeof reply, 0) != ssize_t{sizeof reply}) reply.status = ~0u;
  return reply;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool is_readable(int fd) {
  pollfd state = {fd, POLLIN, 0};
  return ::poll(&state, 1, kPatienceMs) == 1;
}

} // namespace

TEST_CASE("a host attaches and maps the windows of its core, nothing else") {
  SocProcess soc;
  REQUIRE(soc.ready());
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE_MESSAGE(opened.platform, opened.error.message);
  CHECK(opened.platform->mu_generation() == MuGeneration::v1);
  CHECK(opened.platform->map(0x90000000, 0x80000).ok());
  CHECK(opened.platform->map(0x90400000, 0x200000).ok());
  CHECK(!opened.platform->map(0x90400000, 0x200001).ok());
  CHECK(!opened.platform->map(0x8FFFF000, 0x2000).ok());
  const Result<SharedSpan> high = opened.platform->map(0xFFFFF000, 0x2000);
  REQUIRE(!high.ok());
  CHECK(contains(high.error().operation, "4 GiB"));
  CHECK(high.error().detail == 0xFFFFF000);
}

TEST_CASE("a second host and a second firmware are refused with the first one's process id") {
  SocProcess soc;
  OpenedPlatform first = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(first.platform);
  OpenedPlatform second = open_sim_platform(soc.socket(), "cm40");
  CHECK(!second.platform);
  CHECK(contains(second.error.message, "already has a host"));
  CHECK(contains(second.error.message, std::to_string(::getpid())));
  Process firmware = soc.start_firmware();
  Process other({program_path("rpmsg-firmware"), "--socket", soc.socket()});
  const int status = other.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
}

TEST_CASE("a place is free again the moment its holder is gone") {
  SocProcess soc;
  for (int i = 0; i < 50; i++) {
    OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
    REQUIRE_MESSAGE(opened.platform, opened.error.message);
  }
}

TEST_CASE("malformed hellos get a reason and harm nobody") {
  SocProcess soc;
  OpenedPlatform attached = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(attached.platform);
  rpmsg_sim_hello hello = sound_hello();
  CHECK(reply_to(soc.socket(), &hello, 10).status == RPMSG_SIM_BAD_HELLO);
  CHECK(reply_to(soc.socket(), &hello, 0).status == RPMSG_SIM_BAD_HELLO);
  const std::string huge(60000, 'x');
  CHECK(reply_to(soc.socket(), huge.data(), huge.size()).status == RPMSG_SIM_BAD_HELLO);
  hello.magic = 1;
  CHECK(reply_to(soc.socket(), &hello, sizeof hello).status == RPMSG_SIM_BAD_HELLO);
  hello = sound_hello();
  hello.role = 9;
  CHECK(contains(reply_to(soc.socket(), &hello, sizeof hello).reason, "role 9"));
  hello = sound_hello();
  hello.version = 2;
  const rpmsg_sim_reply old = reply_to(soc.socket(), &hello, sizeof hello);
  CHECK(old.status == RPMSG_SIM_BAD_VERSION);
  CHECK(old.version == RPMSG_SIM_VERSION);
  hello = sound_hello();
  hello.reserved = 7;
  const rpmsg_sim_reply reserved = reply_to(soc.socket(), &hello, sizeof hello);
  CHECK(reserved.status == RPMSG_SIM_BAD_HELLO);
  CHECK(contains(reserved.reason, "reserved field is 7"));
  hello = sound_hello();
  std::memset(hello.core, 'x', sizeof hello.core);
  const rpmsg_sim_reply endless = reply_to(soc.socket(), &hello, sizeof hello);
  CHECK(endless.status == RPMSG_SIM_BAD_HELLO);
  CHECK(contains(endless.reason, "no terminating zero"));
  connect_raw(soc.socket()); // says nothing and goes
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 100; i++)
    silent.push_back(connect_raw(soc.socket()));
  Process firmware = soc.start_firmware();
  CHECK(firmware.pid() > 0);
  pollfd board = {attached.platform->board_fd(), POLLIN, 0};
  CHECK(::poll(&board, 1, 0) == 0);
}

TEST_CASE("a board that is refused or not there is explained in a sentence") {
  SocProcess soc({"--soc", "imx8qm"});
  CHECK(contains(open_sim_platform(soc.socket(), "m7").error.message, "it has: cm40, cm41"));
  CHECK(contains(open_sim_platform("/nonexistent/soc", "cm40").error.message, "does not exist"));
  CHECK(contains(open_sim_platform("/dev/null", "cm40").error.message, "is not a socket"));
  CHECK(contains(open_sim_platform(std::string(200, 'x'), "cm40").error.message, "107"));
  CHECK(contains(open_sim_platform(soc.socket(), std::string(32, 'x')).error.message, "31 bytes"));
}

TEST_CASE("a hello of another version is told so, whatever that version put into the fields") {
  SocProcess soc;
  rpmsg_sim_hello hello = sound_hello();
  hello.version = 2;
  hello.reserved = 7;
  std::memset(hello.core, 'x', sizeof hello.core);
  CHECK(reply_to(soc.socket(), &hello, sizeof hello).status == RPMSG_SIM_BAD_VERSION);
}

TEST_CASE("who says nothing is refused when the time for a hello is over") {
  SocProcess soc({"--hello-timeout-ms", "20"});
  UniqueFd silent = connect_raw(soc.socket());
  rpmsg_sim_reply reply = {};
  REQUIRE(is_readable(silent.get()));
  REQUIRE(::recv(silent.get(), &reply, sizeof reply, 0) == ssize_t{sizeof reply});
  CHECK(reply.status == RPMSG_SIM_BAD_HELLO);
  CHECK(contains(reply.reason, "no hello came within 20 ms"));
  CHECK(::recv(silent.get(), &reply, sizeof reply, 0) == 0);
}

TEST_CASE("an attached client is not bound by the time for a hello") {
  SocProcess soc({"--hello-timeout-ms", "20"});
  OpenedPlatform attached = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(attached.platform);
  UniqueFd silent = connect_raw(soc.socket()); // its time is over later than the attached one's
  REQUIRE(is_readable(silent.get()));
  pollfd board = {attached.platform->board_fd(), POLLIN, 0};
  CHECK(::poll(&board, 1, 0) == 0);
}

TEST_CASE("a host names both versions when the board speaks another one") {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  UniqueFd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  std::thread board([&listener] {
    UniqueFd client(::accept(listener.get(), nullptr, nullptr));
    rpmsg_sim_hello hello = {};
    ::recv(client.get(), &hello, sizeof hello, 0);
    rpmsg_sim_reply reply = {};
    reply.magic = RPMSG_SIM_MAGIC;
    reply.version = 9;
    reply.status = RPMSG_SIM_BAD_VERSION;
    ::send(client.get(), &reply, sizeof reply, MSG_NOSIGNAL);
  });
  const OpenedPlatform opened = open_sim_platform(path, "cm40");
  board.join();
  CHECK(!opened.platform);
  CHECK(contains(opened.error.message, "speaks version 9"));
  CHECK(contains(opened.error.message, "this program version 1"));
}

TEST_CASE("two cores of one SoC are apart") {
  SocProcess soc({"--soc", "imx8qm"});
  OpenedPlatform first = open_sim_platform(soc.socket(), "cm40");
  OpenedPlatform second = open_sim_platform(soc.socket(), "cm41");
  REQUIRE(first.platform);
  REQUIRE(second.platform);
  CHECK(first.platform->map(0x90000000, 0x40000).ok());
  CHECK(!first.platform->map(0x90100000, 0x40000).ok());
  CHECK(second.platform->map(0x90100000, 0x40000).ok());
}

TEST_CASE("a killed firmware wakes the host and another one can take its place") {
  SocProcess soc;
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  Process firmware = soc.start_firmware({"--ready", "none"});
  opened.platform->consume_interrupt();
  firmware.kill();
  CHECK(is_readable(opened.platform->interrupt_fd()));
  CHECK(soc.wait_event("cm40 firmware gone"));
  firmware = soc.start_firmware();
  CHECK(firmware.pid() > 0);
}

TEST_CASE("a dead core's MU keeps its state, or is cleared, as told") {
  for (const std::string mode : {"keep", "clear"}) {
    SocProcess soc({"--mu-reset", mode});
    OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
    REQUIRE(opened.platform);
    Process firmware = soc.start_firmware({"--ready", "rxdb"});
    RegisterWindow& mu = opened.platform->mu();
    mu.write32(0x24, 1u << 30); // GIE1: rxdb
    opened.platform->unmask_interrupt();
    while ((mu.read32(0x20) & 1u << 30) == 0) {
      REQUIRE(is_readable(opened.platform->interrupt_fd()));
      opened.platform->consume_interrupt();
      opened.platform->unmask_interrupt();
    }
    firmware.kill();
    REQUIRE(soc.wait_event("cm40 firmware gone"));
    // The line is printed before the registers change; a refused hello comes after both.
    CHECK(!open_sim_platform(soc.socket(), "cm40").platform);
    CHECK(((mu.read32(0x20) & 1u << 30) != 0) == (mode == "keep"));
  }
}

TEST_CASE("the death of rpmsg-soc hangs up every attached socket") {
  SocProcess soc;
  OpenedPlatform opened = open_sim_platform(soc.socket(), "cm40");
  REQUIRE(opened.platform);
  Process firmware = soc.start_firmware();
  soc.process().kill();
  CHECK(is_readable(opened.platform->board_fd()));
  CHECK(WIFEXITED(firmware.wait()));
  CHECK(contains(open_sim_platform(soc.socket(), "cm40").error.message, "nobody listening"));
}

TEST_CASE("a supervised firmware is started again when it dies, and ends with the SoC") {
  SocProcess soc({"--firmware", "cm40=" + program_path("rpmsg-firmware") + " --vdevs 1"});
  const pid_t first = soc.wait_started("cm40");
  REQUIRE(first > 0);
  REQUIRE(soc.wait_event("cm40 firmware attached"));
  ::kill(first, SIGKILL);
  const pid_t second = soc.wait_started("cm40");
  REQUIRE(second > 0);
  CHECK(second != first);
  REQUIRE(soc.wait_event("cm40 firmware attached"));
  soc.process().signal(SIGTERM);
  const int status = soc.process().wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(::kill(second, 0) == -1);
  struct stat info = {};
  CHECK(::stat(soc.socket().c_str(), &info) == -1);
}

TEST_CASE("a dead simulator's socket is replaced, a living one's and a plain file are not") {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/s";
  const std::vector<std::string> command = {program_path("rpmsg-soc"), "--socket", path};
  Process first(command);
  REQUIRE(!first.wait_line("READY").empty());
  Process second(command);
  CHECK(WEXITSTATUS(second.wait()) == 1);
  first.kill();
  Process third(command);
  CHECK(!third.wait_line("READY").empty());
  const std::string file = directory.path() + "/file";
  std::ofstream(file) << "kept";
  Process fourth({program_path("rpmsg-soc"), "--socket", file});
  CHECK(WEXITSTATUS(fourth.wait()) == 1);
  CHECK(std::ifstream(file).good());
}

TEST_CASE("memory that is not there is an error, and another kind of it a wrong option") {
  TemporaryDirectory directory;
  const std::string socket = directory.path() + "/s";
  const auto status_with = [&](const std::string& memory) {
    Process soc({program_path("rpmsg-soc"), "--socket", socket, "--memory", memory});
    return WEXITSTATUS(soc.wait());
  };
  CHECK(status_with("disk") == 2);
  CHECK(status_with("uio:") == 2);
  CHECK(status_with("uio:no such device") == 1);
}
