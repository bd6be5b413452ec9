// SPDX-License-Identifier: Apache-2.0
// A host dies by SIGKILL, again and again at random moments, under traffic both ways with firmware
// that echoes. Each successor goes on: every message that was accepted comes back once, in order,
// and the firmware never notices. Prints one line of counts; exits 1 at the first difference.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "base/clock.h"
#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kEcho = 3; // where the firmware's echo always is
constexpr uint32_t kVdevs = 8;
constexpr uint64_t kWindow = 96; // below the TX credits of an endpoint
constexpr uint64_t kMessages = 1 << 20;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "link-deaths: %s\n", what.c_str());
  std::_Exit(1);
}

void need(bool ok, const char* what) {
  if (!ok) fail(what);
}

/// One vdev's conversation, in memory that survives the hosts.
struct Lane {
  uint64_t attempted = 0; // messages that a send was begun for
  uint64_t next_echo = 0; // the lowest number that may come back next
  uint64_t next_seq = 0;  // of the next message, by what clients have had
  uint64_t repeated = 0;
  bool is_accepted[kMessages] = {};
};

struct Book {
  Lane lanes[kVdevs];
  bool is_up = false;
};

struct Host : LinkHarness {
  Host(const RemoteSetup& setup, Book& in) : book(in) {
    hold = true;
    if (open(setup) != 0) fail(error);
    for (uint32_t vdev = 0; vdev < kVdevs; ++vdev)
      ids[vdev] = endpoint(0, vdev, 1024, 1024);
    need(start(), "the link does not start");
    for (uint32_t vdev = 0; vdev < kVdevs; ++vdev)
      need(wait_vdev(0, vdev, VdevState::up) || !book.is_up, "a vdev does not come up");
    need(generations[0] == 1, "a life was begun that nobody asked for");
    book.is_up = true;
  }

  /// What came is booked, then released, as a client is given it.
  void take(uint32_t vdev) {
    Lane& lane = book.lanes[vdev];
    auto& messages = received[ids[vdev]];
    for (const Message& message : messages) {
      need(message.seq <= lane.next_seq, "a message is lost");
      if (message.seq < lane.next_seq) { // had, and the host died before it could be released
        need(message.seq + 1 == lane.next_seq, "more than the one message in doubt is repeated");
        ++lane.repeated;
      } else {
        take_new(lane, message);
      }
      link().release(ids[vdev], message.seq + 1);
    }
    messages.clear();
  }

  static void take_new(Lane& lane, const Message& message) {
    uint64_t number = 0;
    need(message.data.size() == sizeof number, "a message was altered");
    std::memcpy(&number, message.data.data(), sizeof number);
    need(number >= lane.next_echo, "an echo is doubled or late");
    for (uint64_t n = lane.next_echo; n < number; ++n)
      need(!lane.is_accepted[n], "an accepted message was never sent");
    lane.next_echo = number + 1;
    lane.next_seq = message.seq + 1;
  }

  void send_some(uint32_t vdev) {
    Lane& lane = book.lanes[vdev];
    while (lane.attempted - lane.next_echo < kWindow && lane.attempted < kMessages) {
      const uint64_t number = lane.attempted;
      std::vector<uint8_t> payload(sizeof number);
      std::memcpy(payload.data(), &number, sizeof number);
      lane.attempted = number + 1;
      if (begin(ids[vdev], kEcho, payload, 0, vdev + 1, 1).kind != SendOutcome::Kind::sent) return;
      lane.is_accepted[number] = true;
    }
  }

  void turn(bool sends) {
    until([] { return true; });
    for (uint32_t vdev = 0; vdev < kVdevs; ++vdev) {
      take(vdev);
      if (sends) send_some(vdev);
    }
  }

  bool has_all() const {
    for (const Lane& lane : book.lanes) {
      for (uint64_t n = lane.next_echo; n < lane.attempted; ++n)
        if (lane.is_accepted[n]) return false;
    }
    return true;
  }

  Book& book;
  uint32_t ids[kVdevs] = {};
};

/// Lets a host live for a while under traffic, and kills it.
void live_and_die(const RemoteSetup& setup, Book& book, uint32_t life_us) {
  const pid_t child = fork();
  if (child == 0) {
    Host host(setup, book);
    for (;;)
      host.turn(true);
  }
  usleep(life_us);
  kill(child, SIGKILL);
  int status = 0;
  need(waitpid(child, &status, 0) == child, "a host cannot be waited for");
  if (!WIFSIGNALED(status)) std::_Exit(1);
}

} // namespace

int main(int argc, char** argv) {
  const uint64_t deaths = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20;
  SocProcess soc;
  need(soc.ready(), "no board");
  Process firmware = soc.start_firmware({"--vdevs", "8"});
  TemporaryDirectory directory;
  RemoteSetup setup = sim_setup(soc.socket(), "cm40", kVdevs);
  setup.state_file = directory.path() + "/cm40.state";
  void* memory = mmap(nullptr, sizeof(Book), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  need(memory != MAP_FAILED, "no memory");
  Book& book = *static_cast<Book*>(memory); // zero, as it begins
  std::minstd_rand random(static_cast<uint32_t>(monotonic_ns()));
  for (uint64_t n = 0; n < deaths; ++n)
    live_and_die(setup, book, 2000 + random() % 60000);
  Host last(setup, book);
  const uint64_t deadline = monotonic_ns() + 20'000 * kNsPerMs;
  while (!last.has_all()) {
    last.turn(false);
    need(monotonic_ns() < deadline, "an accepted message does not come back");
  }
  for (uint32_t vdev = 0; vdev < kVdevs; ++vdev) {
    need(last.vdev_states[{0, vdev}] == VdevState::up, "a vdev is not up");
  }
  need(kill(firmware.pid(), 0) == 0, "the firmware is gone");
  uint64_t echoed = 0;
  uint64_t repeated = 0;
  for (const Lane& lane : book.lanes) {
    echoed += lane.next_echo;
    repeated += lane.repeated;
  }
  need(echoed > deaths, "hardly anything was said");
  std::printf("%" PRIu64 " deaths of the host: %" PRIu64 " messages came back once each; %" PRIu64
              " that a client was being given when it died came again\n",
              deaths, echoed, repeated);
  return 0;
}
