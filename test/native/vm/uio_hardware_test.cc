// SPDX-License-Identifier: Apache-2.0
// A real UIO device: the PL031 clock of QEMU's arm64 machine, bound to uio_pdrv_genirq, whose alarm
// is an interrupt that a test can set. map0 has its registers, map1 reserved memory. Runs as root
// in the emulated machine of `npm run test:vm`, nowhere else.
#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "memory/shared_copy.h"
#include "platform/uio/uio_devices.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint64_t kClock = 0x09010000; // virt_memmap of QEMU's hw/arm/virt.c
constexpr uint64_t kMemory = 0x90000000;
constexpr uint64_t kMemoryBytes = 0x800000;
constexpr const char* kDriver = "/sys/bus/platform/drivers/uio_pdrv_genirq/";

// PL031 technical reference manual, programmer's model.
enum Register : uint32_t {
  kTime = 0x00,
  kMatch = 0x04,
  kMask = 0x10,
  kRaw = 0x14,
  kClear = 0x1C,
};

UioBoard board() {
  UioBoard made;
  made.mu.name = "rpmsg-mu";
  made.soc = "imx8qxp";
  return made;
}

/// Raises the level: the alarm is now. Once more where a second began between the accesses.
void set_alarm(RegisterWindow& clock) {
  clock.write32(kMask, 1);
  uint32_t now = 0;
  do {
    now = clock.read32(kTime);
    clock.write32(kMatch, now);
  } while (clock.read32(kTime) != now);
}

void acknowledge(RegisterWindow& clock) {
  clock.write32(kClear, 1);
  REQUIRE(clock.read32(kRaw) == 0);
}

bool is_readable(int fd, int timeout_ms = kPatienceMs) {
  pollfd watched = {fd, POLLIN, 0};
  return ::poll(&watched, 1, timeout_ms) == 1;
}

/// Which number a device gets is chance.
std::string number() {
  return find_uio("/sys", {"rpmsg-mu"}).entry.node;
}
std::string node() {
  return "/dev/" + number();
}

/// The device's registers as any program that may open the node sees them: UIO asks nobody.
class Intruder final : public RegisterWindow {
public:
  Intruder() : fd_(::open(node().c_str(), O_RDWR | O_CLOEXEC)), mapping_(fd_.get(), 4096, 0) {
    REQUIRE(mapping_);
  }
  uint32_t read32(uint32_t offset) override { return *at(offset); }
  void write32(uint32_t offset, uint32_t value) override { *at(offset) = value; }

private:
  volatile uint32_t* at(uint32_t offset) {
    return reinterpret_cast<volatile uint32_t*>(static_cast<uint8_t*>(mapping_.base()) + offset);
  }
  UniqueFd fd_;
  Mapping mapping_;
};

/// An owner in a process of its own, that serves its interrupt and says so: 'o' when it has opened,
/// 'i' for each interrupt.
class Owner {
public:
  Owner() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    said_.reset(ends[0]);
    pid_ = ::fork();
    if (pid_ == 0) serve(ends[1]);
    ::close(ends[1]);
    REQUIRE(hear() == 'o');
  }
  ~Owner() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  void stop() {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
    REQUIRE(WIFSTOPPED(status));
  }
  void resume() { ::kill(pid_, SIGCONT); }
  pid_t pid() const { return pid_; }
  /// What it says next, 0 at the deadline.
  char hear(int timeout_ms = kPatienceMs) {
    char byte = 0;
    if (!is_readable(said_.get(), timeout_ms)) return 0;
    return ::read(said_.get(), &byte, 1) == 1 ? byte : '\0';
  }

private:
  [[noreturn]] static void serve(int to) {
    UioDevices devices;
    const OpenedPlatform opened = devices.open(board());
    if (!opened.platform) ::_exit(1);
    Platform& platform = *opened.platform;
    platform.unmask_interrupt();
    for (char word = 'o'; ::write(to, &word, 1) == 1; word = 'i') {
      pollfd watched = {platform.interrupt_fd(), POLLIN, 0};
      ::poll(&watched, 1, -1);
      platform.consume_interrupt();
      platform.mu().write32(kClear, 1);
      platform.unmask_interrupt();
    }
    ::_exit(0);
  }
  pid_t pid_ = -1;
  UniqueFd said_;
};

/// The device without its driver, for as long as this lives.
class Unbound {
public:
  Unbound()
      : device_(std::filesystem::canonical("/sys/class/uio/" + number() + "/device").filename()) {
    write("unbind");
    REQUIRE(list_uio("/sys").size() + 1 == before_);
  }
  ~Unbound() {
    write("bind");
    CHECK(list_uio("/sys").size() == before_);
  }

private:
  void write(const char* file) const {
    std::ofstream(std::string(kDriver) + file) << device_ << std::flush;
  }
  size_t before_ = list_uio("/sys").size();
  std::string device_;
};

} // namespace

TEST_CASE("a real device is found by its name, with the addresses of its device tree node") {
  const UioSearch found = find_uio("/sys", {"rpmsg-mu", kClock});
  REQUIRE(found.problem == "");
  REQUIRE(found.entry.maps.size() == 2);
  CHECK(found.entry.maps[0].begin() == kClock);
  CHECK(found.entry.maps[0].end() == kClock + 0x1000);
  CHECK(found.entry.maps[1].has(kMemory, kMemoryBytes));
}

TEST_CASE("its registers are those of the device, and opening it changes none") {
  Intruder outside;
  outside.write32(kMask, 1);
  UioDevices devices;
  const OpenedPlatform opened = devices.open(board());
  REQUIRE_MESSAGE(opened.platform, opened.error.message);
  RegisterWindow& clock = opened.platform->mu();
  CHECK(clock.read32(kMask) == 1);
  clock.write32(kMatch, 0x12345678);
  CHECK(outside.read32(kMatch) == 0x12345678);
  auto all = opened.platform->map(kClock, 0x1000);
  REQUIRE(all);
  uint32_t part = 0; // PeriphID0 and 1: part number 0x031
  std::array<uint8_t, 8> id;
  copy_from_shared(id, all->at(0xFE0, id.size()));
  part = (id[4] & 0xFu) << 8 | id[0];
  CHECK(part == 0x31);
  clock.write32(kMask, 0);
}

TEST_CASE("its reserved memory is one and the same for two mappings, at any alignment of a copy") {
  UioDevices devices;
  const OpenedPlatform opened = devices.open(board());
  REQUIRE(opened.platform);
  auto whole = opened.platform->map(kMemory, kMemoryBytes);
  REQUIRE_MESSAGE(whole, opened.platform->map_problem());
  UniqueFd fd(::open(node().c_str(), O_RDWR | O_CLOEXEC));
  Mapping second(fd.get(), kMemoryBytes, static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
  REQUIRE(second);
  std::array<uint8_t, 64> sent, got;
  std::iota(sent.begin(), sent.end(), uint8_t{1});
  for (size_t at = 0; at < 9; ++at)
    for (size_t length = 0; length <= 41; ++length) {
      const size_t offset = kMemoryBytes - 128 + at;
      zero_shared(whole->at(offset, 64), 64);
      copy_to_shared(whole->at(offset, length), std::span(sent).first(length));
      copy_from_shared(std::span(got).first(length + 1),
                       static_cast<uint8_t*>(second.base()) + offset);
      CHECK(std::memcmp(got.data(), sent.data(), length) == 0);
      CHECK(got[length] == 0);
    }
}

TEST_CASE("an interrupt comes once and leaves its line masked until it is unmasked") {
  UioDevices devices;
  const OpenedPlatform opened = devices.open(board());
  REQUIRE(opened.platform);
  Platform& platform = *opened.platform;
  const int line = platform.interrupt_fd();
  set_alarm(platform.mu());
  CHECK_FALSE(is_readable(line, 200)); // opened masked
  platform.unmask_interrupt();
  REQUIRE(is_readable(line));
  platform.consume_interrupt();
  CHECK_FALSE(is_readable(line, 200)); // the level is still up

  SUBCASE("unmasked with the source not acknowledged, it fires again at once") {
    platform.unmask_interrupt();
    CHECK(is_readable(line));
  }
  SUBCASE("acknowledged, then unmasked, it is quiet until the next event") {
    acknowledge(platform.mu());
    platform.unmask_interrupt();
    CHECK_FALSE(is_readable(line, 200));
    set_alarm(platform.mu());
    CHECK(is_readable(line));
  }
  SUBCASE("what comes between acknowledgement and unmasking fires at once") {
    acknowledge(platform.mu());
    set_alarm(platform.mu());
    CHECK_FALSE(is_readable(line, 200));
    platform.unmask_interrupt();
    CHECK(is_readable(line));
  }
  acknowledge(platform.mu());
  platform.consume_interrupt();
}

TEST_CASE("a second owner is refused and names the first; its death lets the next one in") {
  Owner first;
  UioDevices devices;
  const OpenedPlatform refused = devices.open(board());
  CHECK_FALSE(refused.platform);
  const std::string holder = "(" + node() + ") is held by process " + std::to_string(first.pid());
  CHECK_MESSAGE(refused.error.message.find(holder) != std::string::npos, refused.error.message);
  first.kill();
  CHECK(devices.open(board()).platform);
}

TEST_CASE("an interrupt that fires while its owner is stopped waits for SIGCONT") {
  Owner owner;
  Intruder outside;
  set_alarm(outside);
  REQUIRE(owner.hear() == 'i');
  owner.stop();
  set_alarm(outside);
  CHECK(owner.hear(200) == 0);
  CHECK(outside.read32(kRaw) == 1);
  CHECK_FALSE(UioDevices().open(board()).platform); // stopped, it is the owner all the same
  owner.resume();
  CHECK(owner.hear() == 'i');
  CHECK(outside.read32(kRaw) == 0);
}

TEST_CASE("a line that a dead owner left masked serves the next one") {
  Owner owner;
  Intruder outside;
  owner.stop();
  set_alarm(outside); // fires, and is masked by the kernel; nobody is there to unmask it
  owner.kill();
  UioDevices devices;
  const OpenedPlatform opened = devices.open(board());
  REQUIRE(opened.platform);
  opened.platform->unmask_interrupt();
  CHECK(is_readable(opened.platform->interrupt_fd()));
  acknowledge(opened.platform->mu());
}

TEST_CASE("a device that loses its driver while it is open is a board that is gone") {
  UioDevices devices;
  OpenedPlatform opened = devices.open(board());
  REQUIRE(opened.platform);
  Platform& platform = *opened.platform;
  platform.unmask_interrupt();
  platform.mu().write32(kMatch, 0x1234);
  CHECK_FALSE(is_readable(platform.board_fd(), 0));
  {
    const Unbound without_driver;
    REQUIRE(is_readable(platform.interrupt_fd())); // the kernel wakes who waits
    platform.consume_interrupt();
    CHECK(is_readable(platform.board_fd(), 0));
    CHECK(platform.mu().read32(kMatch) == 0);
    platform.unmask_interrupt(); // harmless
    const UioSearch gone = find_uio("/sys", {"rpmsg-mu"});
    CHECK(gone.problem.find("there is no UIO device \"rpmsg-mu\"") == 0);
  }
  opened.platform.reset();
  CHECK(devices.open(board()).platform);
}

TEST_CASE("a device without an interrupt is no MU, and says what its node lacks") {
  UioBoard memory = board();
  memory.mu.name = "rpmsg-memory";
  UioDevices devices;
  const std::string problem = devices.open(memory).error.message;
  CHECK_MESSAGE(problem.find("has no interrupt: its device tree node needs") != std::string::npos,
                problem);
}

TEST_CASE("/dev/mem gives reserved memory where it was asked for, and never what Linux uses") {
  UioBoard asked = board();
  asked.memory_device = "rpmsg-memory"; // 1 MiB at its end
  asked.dev_mem = true;
  UioDevices devices;
  const OpenedPlatform opened = devices.open(asked);
  REQUIRE_MESSAGE(opened.platform, opened.error.message);
  auto through_uio = opened.platform->map(kMemory + 0x700000, 0x1000);
  REQUIRE_MESSAGE(through_uio, opened.platform->map_problem());
  auto through_mem = opened.platform->map(kMemory + 0x6FF000, 0x2000); // no map has all of it
  REQUIRE_MESSAGE(through_mem, opened.platform->map_problem());
  *through_uio->at(5, 1) = 0xA5;
  CHECK(*through_mem->at(0x1005, 1) == 0xA5);
  CHECK_FALSE(opened.platform->map(0x50000000, 0x1000));
  CHECK_MESSAGE(opened.platform->map_problem().find("CONFIG_STRICT_DEVMEM") != std::string::npos,
                opened.platform->map_problem());
}
