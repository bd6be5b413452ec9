// SPDX-License-Identifier: Apache-2.0
// A host is single-stepped through one message each way and killed after each n-th instruction; its
// successor goes on with the same rings. Nothing is lost, doubled or reordered, whichever
// instruction was the last. Prints one line of counts; exits 1 at the first difference.
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "base/clock.h"
#include "support/hand_remote.h"
#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kLocal = 1024;
constexpr uint8_t kProbe = 0xEE; // the successor's message, behind which nothing can still come
constexpr uint64_t kBlockedNs = 20 * kNsPerMs; // asleep for so long: it waits for events

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "link-step: %s\n", what.c_str());
  std::exit(1);
}

void need(bool ok, const char* what) {
  if (!ok) fail(what);
}

/// What a host that dies has told the world by then, in memory that survives it.
struct Diary {
  std::atomic<pid_t> thread{0}; // to be stepped
  std::atomic<bool> go{false};
  std::atomic<bool> is_received{false};
  std::atomic<bool> is_released{false};
  std::atomic<bool> is_sent{false};
};

struct Host : LinkHarness {
  explicit Host(const RemoteSetup& setup) {
    hold = true;
    if (open(setup) != 0) fail(error);
    id = endpoint(0, 0, kLocal);
    need(id != 0 && start(), "the link does not start");
  }
  std::vector<Message>& messages() { return received[id]; }
  uint32_t id = 0;
};

struct World {
  World() : remote(soc.socket(), "cm40"), setup(sim_setup(soc.socket(), "cm40", 1)) {
    setup.state_file = directory.path() + "/cm40.state";
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(page != MAP_FAILED, "no memory");
    diary = new (page) Diary;
    remote.ready();
    Host host(setup);
    need(host.wait_vdev(0, 0, VdevState::offered), "the rings are not offered");
    say(0);
    need(host.until([&] { return host.messages().size() == 1; }), "the first message is lost");
    host.link().release(host.id, 1);
    need(host.wait_remote(0, RemoteState::attached), "the remote does not attach");
  }

  void say(uint8_t number) {
    remote.take_word();
    need(remote.say(0, 7, kLocal, {number}), "no buffer is posted");
  }

  TemporaryDirectory directory;
  SocProcess soc;
  HandRemote remote;
  RemoteSetup setup;
  Diary* diary = nullptr;
};

/// The thread of this process that is called `name`.
pid_t thread_named(const std::string& name) {
  for (pid_t id = getpid(); id < getpid() + 64; ++id) {
    const std::string path = "/proc/self/task/" + std::to_string(id) + "/comm";
    std::FILE* file = std::fopen(path.c_str(), "r");
    if (file == nullptr) continue;
    char text[32] = {};
    const bool is_it = std::fgets(text, sizeof text, file) != nullptr && text == name + "\n";
    std::fclose(file);
    if (is_it) return id;
  }
  return 0;
}

[[noreturn]] void receive_one(World& world) {
  Host host(world.setup);
  need(host.wait_remote(0, RemoteState::attached), "the successor is not attached");
  world.diary->thread = thread_named("link");
  need(host.until([&] { return host.messages().size() == 1; }), "the message did not come");
  world.diary->is_received = true;
  host.link().release(host.id, host.messages()[0].seq + 1);
  world.diary->is_released = true;
  for (;;)
    pause();
}

[[noreturn]] void send_one(World& world, uint8_t number) {
  Host host(world.setup);
  need(host.wait_remote(0, RemoteState::attached), "the successor is not attached");
  const std::vector<uint8_t> payload = {number};
  world.diary->thread = static_cast<pid_t>(syscall(SYS_gettid));
  while (!world.diary->go) {
  }
  if (host.begin(host.id, 7, payload, 0, 1, 1).kind != SendOutcome::Kind::sent) _exit(1);
  world.diary->is_sent = true;
  for (;;) {
  }
}

bool is_asleep(pid_t thread) {
  char text[256] = {};
  std::FILE* file = std::fopen(("/proc/" + std::to_string(thread) + "/stat").c_str(), "r");
  if (file == nullptr) return false;
  const bool is_read = std::fgets(text, sizeof text, file) != nullptr;
  std::fclose(file);
  const char* name_end = is_read ? std::strrchr(text, ')') : nullptr;
  return name_end != nullptr && name_end[2] == 'S';
}

/// Waits for the stepped thread's next stop. False when it sleeps in a call, or is gone.
bool wait_stop(pid_t thread) {
  int status = 0;
  uint64_t asleep_since = 0;
  for (uint32_t looks = 0;; ++looks) {
    const pid_t got = waitpid(thread, &status, __WALL | WNOHANG);
    if (got == thread) return WIFSTOPPED(status);
    if (got < 0) return false;
    if (looks < 1000) continue;
    usleep(500); // a busy machine, or a call that takes its time
    const uint64_t now = monotonic_ns();
    if (!is_asleep(thread)) asleep_since = now;
    if (asleep_since == 0) asleep_since = now;
    if (now - asleep_since > kBlockedNs) return false;
  }
}

/// Lets the thread do so many instructions. False when it came to its end before that.
bool step(pid_t thread, uint64_t instructions, const std::atomic<bool>& is_over) {
  for (uint64_t n = 0; n < instructions; ++n) {
    if (is_over.load()) return false;
    if (ptrace(PTRACE_SINGLESTEP, thread, nullptr, nullptr) != 0) fail("cannot single-step");
    if (!wait_stop(thread)) return false;
  }
  return true;
}

/// Waits until it is gone.
void bury(pid_t id) {
  int status = 0;
  while (waitpid(id, &status, __WALL) == id && WIFSTOPPED(status)) {
  }
}

/// Runs `life` in a child, stops its thread, does `meanwhile`, lets it do so many instructions more
/// and kills it. True if it could do them all.
template<class Life, class Meanwhile>
bool die_after(World& world, uint64_t instructions, const std::atomic<bool>& is_over, Life life,
               Meanwhile meanwhile) {
  world.diary = new (world.diary) Diary;
  const pid_t child = fork();
  if (child == 0) life();
  while (world.diary->thread == 0) {
    need(waitpid(child, nullptr, WNOHANG) == 0, "a host failed");
    usleep(200);
  }
  const pid_t thread = world.diary->thread;
  if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
    fail(std::string("cannot trace a child: ") + std::strerror(errno));
  }
  need(ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 && wait_stop(thread),
       "cannot stop a child");
  meanwhile();
  const bool has_more = step(thread, instructions, is_over);
  kill(child, SIGKILL);
  bury(thread);
  if (thread != child) bury(child);
  return has_more;
}

/// One host that dies while it receives, and what its successor finds.
bool receive_round(World& world, uint64_t instructions, uint64_t& next_seq) {
  const auto number = static_cast<uint8_t>(next_seq % 200);
  const std::atomic<bool> never{false};
  const bool has_more = die_after(
      world, instructions, never, [&] { receive_one(world); }, [&] { world.say(number); });
  Host next(world.setup);
  world.say(kProbe);
  const auto& messages = next.messages();
  need(next.until([&] { return !messages.empty() && messages.back().data[0] == kProbe; }),
       "the ring is broken: the successor receives nothing");
  const bool is_again = messages.size() == 2;
  need(is_again || world.diary->is_received, "a message is lost");
  need(!is_again || !world.diary->is_released, "a delivered message is repeated");
  need(messages.size() <= 2 && messages.back().seq == next_seq + 1, "the numbers are broken");
  need(!is_again || (messages[0].seq == next_seq && messages[0].data[0] == number),
       "another message comes under the number of the first");
  need(next.generations[0] == 1, "a life was begun that nobody asked for");
  next_seq += 2;
  next.link().release(next.id, next_seq);
  return has_more;
}

bool send_round(World& world, uint64_t instructions) {
  const auto number = static_cast<uint8_t>(instructions % 200);
  const bool has_more = die_after(
      world, instructions, world.diary->is_sent, [&] { send_one(world, number); },
      [&] { world.diary->go = true; });
  Host next(world.setup);
  need(next.wait_remote(0, RemoteState::attached), "the successor is not attached");
  need(next.send(next.id, 7, {kProbe}) == Errc::ok, "the successor cannot send");
  std::vector<uint8_t> heard;
  while (const auto payload = world.remote.hear(0))
    heard.push_back(payload->at(0));
  const bool has_it = heard == std::vector<uint8_t>{number, kProbe};
  const bool has_not = heard == std::vector<uint8_t>{kProbe};
  need(has_it || has_not, "the remote was not sent what it had to be");
  need(has_it || !world.diary->is_sent, "a message that was sent is lost");
  need(next.generations[0] == 1, "a life was begun that nobody asked for");
  return has_more;
}

} // namespace

int main(int argc, char** argv) {
  const uint64_t stride = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 101;
  if (stride == 0) fail("the stride is 1 or more");
  World world;
  uint64_t next_seq = 1;
  uint64_t receives = 0;
  uint64_t sends = 0;
  for (uint64_t n = 0; receive_round(world, n, next_seq); n += stride)
    ++receives;
  for (uint64_t n = 0; send_round(world, n); n += stride)
    ++sends;
  need(receives * stride > 500 && sends > 0, "hardly anything was stepped through");
  std::printf("killed %" PRIu64 " times while receiving and %" PRIu64
              " while sending, every %" PRIu64 " instructions: nothing lost or doubled\n",
              receives, sends, stride);
  return 0;
}
