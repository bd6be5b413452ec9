// SPDX-License-Identifier: Apache-2.0
// fork, exec, end and back-off of one core's firmware.
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

constexpr int64_t kFirstBackOffMs = 10;
constexpr int64_t kLongestBackOffMs = 1000;
constexpr int64_t kHealthyMs = 100; // ten starts a second are no burden

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

bool Supervisor::start(int64_t now_ms) {
  ::setenv("RPMSG_SOC_SOCKET", socket_.c_str(), 1);
  ::setenv("RPMSG_SOC_CORE", core_.c_str(), 1);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(command_, parent);
  if (pid < 0) return false;
  started_ms_ = now_ms;
  ::setpgid(pid, pid); // also here, so that signal() never races the child's own call
  pid_ = pid;
  say(core_ + " firmware started pid " + std::to_string(pid));
  return true;
}

void Supervisor::signal(int number) {
  if (pid_ != 0) ::kill(-pid_, number);
}

bool Supervisor::ended(pid_t pid, int status, int64_t now_ms) {
  if (pid != pid_) return false;
  pid_ = 0;
  const bool healthy = now_ms - started_ms_ >= kHealthyMs;
  back_off_ms_ = healthy ? 0 : std::clamp(back_off_ms_ * 2, kFirstBackOffMs, kLongestBackOffMs);
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "status " + std::to_string(WEXITSTATUS(status));
  say(core_ + " firmware ended pid " + std::to_string(pid) + " " + how);
  return true;
}

void Supervisor::stop() {
  if (pid_ == 0) return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

} // namespace rpmsg::sim
