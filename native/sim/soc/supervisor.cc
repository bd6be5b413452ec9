// SPDX-License-Identifier: Apache-2.0
// fork, exec and back-off of one core's firmware.
#include "sim/soc/supervisor.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

constexpr int64_t kFirstDelayMs = 10;
constexpr int64_t kLongestDelayMs = 1000;
constexpr int64_t kHealthyMs = 1000; // a life this long starts the back-off anew

[[noreturn]] void become(const std::string& command, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127); // the parent died before the line above
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  const std::string line = "exec " + command;
  ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  ::_exit(127);
}

} // namespace

Supervisor::Supervisor(std::string core, std::string command, std::string socket)
    : core_(std::move(core)), command_(std::move(command)), socket_(std::move(socket)) {}

int64_t Supervisor::poll(int64_t now_ms) {
  if (pid_ != 0) return -1;
  if (now_ms < due_ms_) return due_ms_ - now_ms;
  start(now_ms);
  return pid_ != 0 ? -1 : due_ms_ - now_ms;
}

void Supervisor::start(int64_t now_ms) {
  ::setenv("RPMSG_SOC_SOCKET", socket_.c_str(), 1);
  ::setenv("RPMSG_SOC_CORE", core_.c_str(), 1);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(command_, parent);
  started_ms_ = now_ms;
  if (pid < 0) {
    due_ms_ = now_ms + kLongestDelayMs;
    return;
  }
  ::setpgid(pid, pid); // also here, so that stop() never races the child's own call
  pid_ = pid;
  say(core_ + " firmware started pid " + std::to_string(pid));
}

bool Supervisor::ended(pid_t pid, int status, int64_t now_ms) {
  if (pid != pid_) return false;
  pid_ = 0;
  const bool healthy = now_ms - started_ms_ >= kHealthyMs;
  delay_ms_ = healthy ? kFirstDelayMs : std::clamp(delay_ms_ * 2, kFirstDelayMs, kLongestDelayMs);
  due_ms_ = now_ms + delay_ms_;
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "status " + std::to_string(WEXITSTATUS(status));
  say(core_ + " firmware ended pid " + std::to_string(pid) + " " + how);
  return true;
}

void Supervisor::stop() {
  if (pid_ == 0) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

} // namespace rpmsg::sim
