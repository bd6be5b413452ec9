// SPDX-License-Identifier: Apache-2.0
// Board creation, the event loop and its timers.
#include "sim/soc/soc.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>

#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

constexpr size_t kMostSilentSessions = 64;

int64_t now_ms() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

std::string system_error(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

} // namespace

std::string Soc::make_board() {
  if (::getrandom(board_id_.data(), board_id_.size(), 0) != ssize_t{16})
    return system_error("cannot make a board id");
  const uint64_t core_bytes = Core::ddr_bytes(*options_.soc);
  ddr_ = make_memory("rpmsg-ddr", core_bytes * options_.cores.size());
  if (!ddr_) return system_error("cannot make the board's memory");
  for (const CoreInfo* info : options_.cores) {
    cores_.push_back(std::make_unique<Core>(*options_.soc, *info, core_bytes * cores_.size(),
                                            options_.clear_mu_on_death));
    if (!cores_.back()->create()) return system_error("cannot make a core's Messaging Unit");
    const auto command = options_.firmware.find(info->name);
    if (command != options_.firmware.end())
      supervisors_.emplace_back(info->name, command->second, options_.socket);
  }
  return {};
}

bool Soc::watch(int fd, void* tag) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.ptr = tag;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

std::string Soc::open() {
  std::string problem = make_board();
  if (problem.empty()) problem = listener_.open(options_.socket);
  if (!problem.empty()) return problem;
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGCHLD})
    sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!watch(listener_.fd(), &listener_) || !watch(signals_.get(), &signals_))
    return system_error("cannot set up the event loop");
  return {};
}

void Soc::run() {
  while (!stopping_) {
    epoll_event events[32];
    const int timeout_ms = run_timers();
    const int count = ::epoll_wait(epoll_.get(), events, std::size(events), timeout_ms);
    for (int i = 0; i < count; i++) {
      void* tag = events[i].data.ptr;
      if (tag == &listener_)
        accept_clients();
      else if (tag == &signals_)
        read_signals();
      else
        on_session(static_cast<Session*>(tag));
    }
  }
  for (Supervisor& supervisor : supervisors_)
    supervisor.stop();
}

int Soc::run_timers() {
  const int64_t now = now_ms();
  int64_t wait = -1;
  const auto sooner = [&wait](int64_t ms) {
    if (ms >= 0 && (wait < 0 || ms < wait)) wait = ms;
  };
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    Session& session = *next++;
    if (session.deadline_ms == 0) continue;
    if (session.deadline_ms > now)
      sooner(session.deadline_ms - now);
    else
      refuse(session, RPMSG_SIM_BAD_HELLO,
             "no hello came within " + std::to_string(options_.hello_timeout_ms) + " ms");
  }
  for (Supervisor& supervisor : supervisors_)
    sooner(supervisor.poll(now));
  return static_cast<int>(wait);
}

void Soc::read_signals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info})
    if (info.ssi_signo != SIGCHLD) stopping_ = true;
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG))
    for (Supervisor& supervisor : supervisors_)
      if (supervisor.ended(pid, status, now_ms())) break;
}

void Soc::accept_clients() {
  for (;;) {
    const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    const auto silent = [](const Session& s) { return s.core == nullptr; };
    if (std::count_if(sessions_.begin(), sessions_.end(), silent) >= ssize_t{kMostSilentSessions})
      drop(&*std::find_if(sessions_.begin(), sessions_.end(), silent));
    Session& session = sessions_.emplace_back();
    session.socket.reset(fd);
    session.pid = peer_pid(fd);
    session.deadline_ms = now_ms() + options_.hello_timeout_ms;
    if (!watch(fd, &session)) drop(&session);
  }
}

void Soc::on_session(Session* session) {
  // A connection that an earlier event of this round dropped still has its own event waiting.
  const auto known = [session](const Session& s) { return &s == session; };
  if (std::none_of(sessions_.begin(), sessions_.end(), known)) return;
  if (session->core == nullptr) return on_hello(*session);
  if (has_hung_up(session->socket.get())) return drop(session);
  // Version 1 has no further message; what comes is read and dropped.
  char ignored[256];
  const ssize_t got = ::recv(session->socket.get(), ignored, sizeof ignored, MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && errno != EINTR) drop(session);
}

} // namespace rpmsg::sim
