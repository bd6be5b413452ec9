// SPDX-License-Identifier: Apache-2.0
// The moves of a core's life.
#include "sim/soc/core_life.h"

#include <csignal>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "sim/soc/clock.h"
#include "sim/soc/log.h"

namespace rpmsg::sim {
namespace {

constexpr int64_t kNoProcessMs = 1000; // until fork() is tried again

} // namespace

CoreLife::CoreLife(Core& core, const Options& options, Scfw* scfw,
                   std::unique_ptr<Supervisor> supervisor)
    : core_(core), options_(options), scfw_(scfw), supervisor_(std::move(supervisor)) {}

bool CoreLife::may_attach() const {
  return !held_ ? state_ == State::off || state_ == State::starting : state_ == State::starting;
}

void CoreLife::attached() {
  if (state_ == State::off) lives_++;
  state_ = State::running;
}

void CoreLife::hung_up(int64_t now_ms) {
  if (state_ == State::running) die(SCFW_RESET_WDOG, patience_ms(), now_ms);
}

void CoreLife::ending(pid_t pid) {
  if (supervisor_ && supervisor_->pid() == pid) supervisor_->signal(SIGKILL);
}

bool CoreLife::ended(pid_t pid, int status, int64_t now_ms) {
  if (!supervisor_ || !supervisor_->ended(pid, status, now_ms)) return false;
  if (requested_) supervisor_->forget_back_off();
  if (state_ == State::running && !attached_by_another(pid))
    die(SCFW_RESET_WDOG, patience_ms(), now_ms);
  if (state_ == State::starting) { // it never said that it lives: no partition was reset
    state_ = State::ending;
    silent_ = true;
    watchdog_ms_.reset();
  }
  return true;
}

bool CoreLife::reboot_continue() {
  if (state_ != State::rebooting) return false;
  due_ms_ = 0;
  return true;
}

int64_t CoreLife::poll(int64_t now_ms) {
  while (turn(now_ms)) {
  }
  const bool waits = state_ == State::rebooting || (state_ == State::off && supervisor_ && !held_);
  const int64_t watchdog = watchdog_ms_ ? *watchdog_ms_ - now_ms : -1;
  return sooner(waits ? due_ms_ - now_ms : -1, watchdog);
}

bool CoreLife::turn(int64_t now_ms) {
  if (watchdog_ms_ && now_ms >= *watchdog_ms_) {
    die(SCFW_RESET_LOCKUP, patience_ms(), now_ms);
    return true;
  }
  if (state_ == State::rebooting && now_ms >= due_ms_) {
    end_program();
    return true;
  }
  if (state_ == State::ending && !alive()) {
    gone(now_ms);
    return true;
  }
  if (state_ == State::off && supervisor_ && !held_ && now_ms >= due_ms_) {
    if (supervisor_->start(now_ms)) {
      state_ = State::starting;
      lives_++;
    } else {
      due_ms_ = now_ms + kNoProcessMs;
    }
  }
  return false;
}

void CoreLife::stop() {
  if (supervisor_) supervisor_->stop();
}

bool CoreLife::alive() const {
  return core_.attached(RPMSG_SIM_ROLE_FIRMWARE) != 0 || (supervisor_ && supervisor_->pid() != 0);
}

bool CoreLife::attached_by_another(pid_t pid) const {
  const pid_t attached = core_.attached(RPMSG_SIM_ROLE_FIRMWARE);
  return attached > 0 && attached != pid && ::getpgid(attached) != pid;
}

int64_t CoreLife::patience_ms() const {
  return scfw_ != nullptr && scfw_->listening(options_.partition) ? options_.reboot_timeout_ms : 0;
}

void CoreLife::die(scfw_reset_reason reason, int64_t grace_ms, int64_t now_ms) {
  watchdog_ms_.reset();
  deaths_++;
  state_ = State::rebooting;
  due_ms_ = now_ms + grace_ms;
  last_reset_ = {reason, now_ms};
  tell(SCFW_IRQ_GROUP_REBOOT);
}

void CoreLife::end_program() {
  state_ = State::ending;
  signal_program(SIGKILL);
}

// REBOOTED comes after the last access of the old program and before the first of the new one.
void CoreLife::gone(int64_t now_ms) {
  if (!silent_) tell(SCFW_IRQ_GROUP_REBOOTED);
  silent_ = requested_ = false;
  state_ = State::off;
  due_ms_ = now_ms + options_.start_delay_ms;
  if (supervisor_) due_ms_ = std::max(due_ms_, now_ms + supervisor_->back_off_ms());
}

void CoreLife::tell(uint32_t group) {
  if (scfw_ == nullptr) return;
  const char* what = group == SCFW_IRQ_GROUP_REBOOT ? " reboot" : " rebooted";
  say(info().name + std::string(what) + " partition " + std::to_string(options_.partition));
  scfw_->notify(group, options_.partition);
}

void CoreLife::signal_program(int number) {
  const pid_t pid = core_.attached(RPMSG_SIM_ROLE_FIRMWARE);
  if (supervisor_ && supervisor_->pid() != 0)
    supervisor_->signal(number);
  else if (pid > 0)
    ::kill(pid, number);
}

} // namespace rpmsg::sim
