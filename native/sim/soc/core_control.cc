// SPDX-License-Identifier: Apache-2.0
// What a person provokes on a core, and what is told about it.
#include <cerrno>
#include <csignal>
#include <cstring>

#include "sim/soc/core_life.h"

namespace rpmsg::sim {

std::string CoreLife::cannot_signal() const {
  const std::string name = info().name;
  if (state_ == State::off || state_ == State::ending)
    return "core " + name + " has no running firmware: it is " + state();
  const pid_t pid = program();
  if (pid == 0) return "the firmware of core " + name + " has ended already";
  if (pid < 0)
    return "the firmware of core " + name +
           " runs in another process id namespace and cannot be signalled from here";
  if (::kill(pid, 0) != 0)
    return "the firmware of core " + name + ", process " + std::to_string(pid) +
           ", cannot be signalled: " + std::strerror(errno);
  return {};
}

std::string CoreLife::reset(std::optional<int64_t> grace_ms, int64_t now_ms) {
  if (std::string problem = cannot_signal(); !problem.empty()) return problem;
  if (state_ == State::rebooting)
    return "core " + std::string(info().name) + " is being reset already";
  requested_ = true;
  die(SCFW_RESET_SW, grace_ms.value_or(patience_ms()), now_ms);
  return {};
}

std::string CoreLife::kill() {
  if (std::string problem = cannot_signal(); !problem.empty()) return problem;
  requested_ = true;
  signal_program(SIGKILL);
  return {};
}

std::string CoreLife::lock_up(int64_t watchdog_ms, int64_t now_ms) {
  if (std::string problem = cannot_signal(); !problem.empty()) return problem;
  if (state_ == State::rebooting)
    return "core " + std::string(info().name) + " is being reset already";
  requested_ = true;
  signal_program(SIGSTOP);
  watchdog_ms_ = now_ms + watchdog_ms;
  return {};
}

std::string CoreLife::silent_restart() {
  if (std::string problem = cannot_signal(); !problem.empty()) return problem;
  if (state_ == State::rebooting)
    return "core " + std::string(info().name) + " is being reset, which was told already";
  requested_ = silent_ = true;
  watchdog_ms_.reset();
  deaths_++;
  end_program();
  return {};
}

std::string CoreLife::notify(uint32_t group) {
  if (scfw_ == nullptr) return "this SoC has no SCFW that could notify anyone";
  tell(group);
  return {};
}

void CoreLife::release(int64_t now_ms) {
  if (!held_) return;
  held_ = false;
  if (state_ == State::off) due_ms_ = now_ms;
}

const char* CoreLife::state() const {
  switch (state_) {
  case State::off: return held_ ? "held" : "off";
  case State::starting: return "starting";
  case State::running: return watchdog_ms_ ? "locked-up" : "running";
  case State::rebooting: return "rebooting";
  case State::ending: return "ending";
  }
  return "";
}

bool CoreLife::started() const {
  return state_ != State::off;
}

pid_t CoreLife::program() const {
  const pid_t attached = core_.attached(RPMSG_SIM_ROLE_FIRMWARE);
  if (supervisor_ && supervisor_->pid() != 0) return supervisor_->pid();
  return attached;
}

} // namespace rpmsg::sim
