// SPDX-License-Identifier: Apache-2.0
// Board creation, the event loop and its timers.
#include "sim/soc/soc.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>

#include "sim/soc/clock.h"
#include "sim/soc/control_verbs.h"
#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

constexpr size_t kMostSilentSessions = 64;

std::string system_error(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

} // namespace

Soc::Soc(const SocOptions& options)
    : options_(options),
      control_([this](const std::string& line) { return control_request(line); }) {}

std::string Soc::make_board() {
  if (::getrandom(board_id_.data(), board_id_.size(), 0) != ssize_t{16})
    return system_error("cannot make a board id");
  if (std::string problem = make_memory(); !problem.empty()) return problem;
  if (options_.soc->has_scfw && !scfw_.emplace(partitions_).create())
    return system_error("cannot make SCFW's Messaging Unit");
  partitions_.set_host(options_.host_partition);
  for (const CoreInfo* info : options_.cores)
    if (std::string problem = make_core(*info); !problem.empty()) return problem;
  return {};
}

std::string Soc::make_memory() {
  std::vector<Window> windows;
  for (const CoreInfo* info : options_.cores)
    for (const Window& window : Core::windows(*options_.soc, *info))
      windows.push_back(window);
  if (!options_.uio_memory.empty()) return memory_.open_uio(options_.uio_memory, windows);
  return memory_.make(windows) ? "" : system_error("cannot make the board's memory");
}

std::string Soc::make_core(const CoreInfo& info) {
  const SocInfo& soc = *options_.soc;
  Core& core =
      *cores_.emplace_back(std::make_unique<Core>(soc, info, memory_, options_.clear_mu_on_death));
  if (!core.create()) return system_error("cannot make a core's Messaging Unit");
  std::unique_ptr<Supervisor> supervisor;
  const auto command = options_.firmware.find(info.name);
  if (command != options_.firmware.end())
    supervisor = std::make_unique<Supervisor>(info.name, command->second, options_.socket);
  const auto partition = options_.partitions.find(info.name);
  const CoreLife::Options life = {partition == options_.partitions.end() ? info.partition
                                                                         : partition->second,
                                  options_.start_delay_ms, options_.reboot_timeout_ms};
  lives_.push_back(
      std::make_unique<CoreLife>(core, life, scfw_ ? &*scfw_ : nullptr, std::move(supervisor)));
  partitions_.add(*lives_.back());
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
  if (problem.empty()) problem = open_sockets();
  if (!problem.empty()) return problem;
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGCHLD})
    sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!watch(listener_.fd(), &listener_) || !watch(signals_.get(), &signals_) ||
      (scfw_ && !watch(scfw_->interrupt_fd(), &scfw_)) ||
      (control_.fd() >= 0 && !watch(control_.fd(), &control_)))
    return system_error("cannot set up the event loop");
  return {};
}

std::string Soc::open_sockets() {
  std::string problem = listener_.open(options_.socket, {"--socket", SOCK_SEQPACKET, 0777});
  if (!problem.empty() || options_.control.empty()) return problem;
  return control_.open(options_.control);
}

std::string Soc::control_request(const std::string& line) {
  std::string id;
  for (const uint8_t byte : board_id_) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", unsigned{byte});
    id += digits;
  }
  return answer_request({options_, id, scfw_ ? &*scfw_ : nullptr, lives_}, line);
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
      else if (tag == &scfw_)
        scfw_->on_interrupt(now_ms());
      else if (tag == &control_)
        control_.on_event();
      else
        on_session(static_cast<Session*>(tag));
    }
  }
  for (const auto& life : lives_)
    life->stop();
}

int Soc::run_timers() {
  const int64_t now = now_ms();
  int64_t wait = poll_hellos(now);
  if (scfw_) wait = sooner(wait, scfw_->poll(now));
  for (const auto& life : lives_)
    wait = sooner(wait, life->poll(now));
  accept_waiting();
  return static_cast<int>(wait);
}

int64_t Soc::poll_hellos(int64_t now_ms) {
  int64_t wait = -1;
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    Session& session = *next++;
    if (session.deadline_ms == 0) continue;
    if (session.deadline_ms > now_ms)
      wait = sooner(wait, session.deadline_ms - now_ms);
    else
      refuse(session, RPMSG_SIM_BAD_HELLO,
             "no hello came within " + std::to_string(options_.hello_timeout_ms) + " ms");
  }
  return wait;
}

void Soc::read_signals() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info})
    if (info.ssi_signo != SIGCHLD) stopping_ = true;
  wait_for_children();
}

void Soc::wait_for_children() {
  for (;;) {
    siginfo_t child = {};
    if (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0 || child.si_pid == 0) return;
    // Its process group cannot be another's while it has not been waited for.
    for (const auto& life : lives_)
      life->ending(child.si_pid);
    int status = 0;
    ::waitpid(child.si_pid, &status, 0);
    for (const auto& life : lives_)
      if (life->ended(child.si_pid, status, now_ms())) break;
  }
}

void Soc::accept_clients() {
  for (;;) {
    const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    const auto silent = [](const Session& s) { return s.role == 0; };
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
  if (session->role == 0) return on_hello(*session);
  if (has_hung_up(session->socket.get())) return drop(session);
  // Version 1 has no further message; what comes is read and dropped.
  char ignored[256];
  const ssize_t got = ::recv(session->socket.get(), ignored, sizeof ignored, MSG_DONTWAIT);
  if (got < 0 && errno != EAGAIN && errno != EINTR) drop(session);
}

} // namespace rpmsg::sim
