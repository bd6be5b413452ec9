// SPDX-License-Identifier: Apache-2.0
// Life and death of what runs on one core: started, attached, dying, gone, started again; and what
// SCFW tells the host about it, in which order. README.md, "The reset of a partition".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "scu/scfw_api.h"
#include "sim/soc/core.h"
#include "sim/soc/scfw.h"
#include "sim/soc/supervisor.h"

namespace rpmsg::sim {

class CoreLife {
public:
  struct Options {
    uint8_t partition = 0;
    int64_t start_delay_ms = 10;
    int64_t reboot_timeout_ms = 100;
  };

  /// `scfw` is null on a board without; `supervisor` is null for a core that others start.
  CoreLife(Core& core, const Options& options, Scfw* scfw, std::unique_ptr<Supervisor> supervisor);

  Core& core() { return core_; }
  const CoreInfo& info() const { return core_.info(); }
  uint8_t partition() const { return options_.partition; }
  bool has_scfw() const { return scfw_ != nullptr; }
  bool supervised() const { return supervisor_ != nullptr; }

  /// A firmware that says hello now is taken in; else it waits until this is so.
  bool may_attach() const;
  void attached();
  void hung_up(int64_t now_ms);
  /// `pid` is about to be waited for: whatever it started goes with it.
  void ending(pid_t pid);
  /// True if `pid` was this core's program; it has been waited for.
  bool ended(pid_t pid, int status, int64_t now_ms);
  /// The host has quiesced: the reset need not wait longer. False if none waits.
  bool reboot_continue();
  /// Does what is due. Milliseconds until more is; -1: nothing is.
  int64_t poll(int64_t now_ms);
  /// Kills what was started here.
  void stop();

  // What a person provokes. Each returns an empty string or a sentence that says why not.
  std::string reset(std::optional<int64_t> grace_ms, int64_t now_ms);
  std::string kill();
  std::string lock_up(int64_t watchdog_ms, int64_t now_ms);
  std::string silent_restart();
  std::string notify(uint32_t group);
  void hold() { held_ = true; }
  void release(int64_t now_ms);
  void set_start_delay(int64_t ms) { options_.start_delay_ms = ms; }

  const char* state() const;
  bool started() const;
  bool held() const { return held_; }
  int64_t start_delay_ms() const { return options_.start_delay_ms; }
  /// The program that was started here, else the attached process; 0 if there is none.
  pid_t program() const;
  uint32_t lives() const { return lives_; }
  uint32_t deaths() const { return deaths_; }
  struct Reset {
    scfw_reset_reason reason;
    int64_t time_ms;
  };
  std::optional<Reset> last_reset() const { return last_reset_; }

private:
  enum class State {
    off,       // no program; one that is supervised starts at due_ms_
    starting,  // the program runs and has not attached
    running,   // attached
    rebooting, // REBOOT told: until the host continues or due_ms_; the program may run on
    ending,    // killed: until the process is gone
  };

  bool turn(int64_t now_ms);
  bool alive() const;
  /// Who is attached was not started here: the end of `pid`, which was, is not its death.
  bool attached_by_another(pid_t pid) const;
  std::string cannot_signal() const;
  void signal_program(int number);
  void die(scfw_reset_reason reason, int64_t grace_ms, int64_t now_ms);
  int64_t patience_ms() const;
  void end_program();
  void gone(int64_t now_ms);
  void tell(uint32_t group);

  Core& core_;
  Options options_;
  Scfw* scfw_;
  std::unique_ptr<Supervisor> supervisor_;
  State state_ = State::off;
  int64_t due_ms_ = 0;
  std::optional<int64_t> watchdog_ms_; // when the locked up core is reset
  bool held_ = false;
  bool silent_ = false;    // this death is told to nobody
  bool requested_ = false; // this death is no crash of the program's own
  uint32_t lives_ = 0, deaths_ = 0;
  std::optional<Reset> last_reset_;
};

} // namespace rpmsg::sim
