// SPDX-License-Identifier: Apache-2.0
// One thread: take words in, work a bounded while on each link, sleep when nothing is left.
#include "sim/firmware/remote.h"

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <ctime>

namespace rpmsg::sim {
namespace {

constexpr uint32_t kTurnsWithoutSleep = 256;

volatile std::sig_atomic_t toggle_hold = 0;
volatile std::sig_atomic_t restart_silently = 0;

void on_signal(int signal) {
  (signal == SIGUSR1 ? toggle_hold : restart_silently) = 1;
}

/// Both signals stay blocked but for the sleep of WordPort.
void catch_signals() {
  sigset_t set;
  sigemptyset(&set);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  for (int signal : {SIGUSR1, SIGUSR2}) {
    sigaddset(&set, signal);
    ::sigaction(signal, &action, nullptr);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

int64_t now_ms() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void print_ready_time() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  std::printf("ready %" PRId64 "\n", int64_t{now.tv_sec} * 1000000000 + now.tv_nsec);
  std::fflush(stdout);
}

} // namespace

Remote::Remote(const FirmwareOptions& options, const AttachedBoard& board)
    : options_(options),
      mu_(board.mu(), board.reply().side, board.descriptor(RPMSG_SIM_FD_OWN_INTERRUPT),
          board.descriptor(RPMSG_SIM_FD_PEER_INTERRUPT), options_.fault),
      words_(mu_, board.reply().word_mask, board.power_line(), options_.fault),
      table_(options, board), hold_(options.hold) {
  links_.reserve(32);
  for (uint32_t i = 0; i < 32; i++)
    if ((options.links >> i & 1) != 0) links_.emplace_back(options, board, words_, table_, i);
}

void Remote::run() {
  catch_signals();
  mu_.set_flags(0);
  words_.open();
  say_ready();
  uint32_t turns = 0;
  for (;;) {
    words_.drain();
    const int64_t now = now_ms();
    on_words(words_.take_pending(), now);
    bool more = false;
    for (Link& link : links_)
      more |= link.work(hold_, now);
    more |= on_signals() || words_.has_pending(); // a send may have taken words in meanwhile
    // A busy program looks for signals and the power line now and then, too.
    if (!more)
      words_.sleep(timeout_ms(now));
    else if (++turns % kTurnsWithoutSleep == 0)
      words_.sleep(0);
  }
}

void Remote::say_ready() {
  table_.trace().say("stack ready");
  if (options_.print_ready) print_ready_time();
  if (options_.ready == ReadySignal::rxdb) mu_.ring(kReadyDoorbell);
  if (options_.ready == ReadySignal::flag) mu_.set_flags(1);
}

// A word for a link that is not registered finds an empty slot and is dropped.
void Remote::on_words(uint32_t queues, int64_t now_ms) {
  for (Link& link : links_) {
    const uint32_t both = queues >> (2 * link.index());
    if ((both & 1) != 0) link.on_link_word(now_ms);
    if ((both & 2) != 0) link.on_message_word();
  }
}

bool Remote::on_signals() {
  bool restart_now = restart_silently != 0;
  for (const Link& link : links_)
    restart_now |= link.restart_asked();
  const bool toggle_now = toggle_hold != 0;
  toggle_hold = 0;
  if (restart_now) restart();
  if (toggle_now) hold_ = !hold_;
  return restart_now || toggle_now;
}

// A core that came up again without a word to anyone: rings kept, everything private lost.
void Remote::restart() {
  restart_silently = 0;
  words_.take_pending();
  for (Link& link : links_)
    link.forget();
}

int Remote::timeout_ms(int64_t now_ms) const {
  int soonest = -1;
  for (const Link& link : links_) {
    const int ms = link.timeout_ms(now_ms);
    if (ms >= 0 && (soonest < 0 || ms < soonest)) soonest = ms;
  }
  return soonest;
}

} // namespace rpmsg::sim
