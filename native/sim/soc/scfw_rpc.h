// SPDX-License-Identifier: Apache-2.0
// The words of SCFW's MU become messages, and answers become words. The client may stop, lie or
// die between any two words: a doorbell from it makes everything as new.
#pragma once

#include <cstdint>

#include "sim/soc/mu_side.h"
#include "sim/soc/scfw_services.h"

namespace rpmsg::sim {

class ScfwRpc {
public:
  ScfwRpc(MuSide& mu, ScfwServices& services) : mu_(mu), services_(services) {}

  /// Does what can be done now, a bounded part of it, and sets what interrupts next.
  void service(int64_t now_ms);
  /// The same if an answer is due. Milliseconds until one is; -1: none is held back.
  int64_t poll(int64_t now_ms);

  /// Every answer from now on waits so long.
  void set_delay(int64_t ms) { delay_ms_ = ms; }
  /// The next `count` calls are carried out and not answered.
  void set_drop(uint32_t count) { drop_ = count; }
  int64_t delay_ms() const { return delay_ms_; }
  uint32_t drop() const { return drop_; }
  uint64_t calls() const { return calls_; }
  uint64_t resets() const { return resets_; }

private:
  enum class State { receiving, held_back, sending, out_of_step };

  bool step(int64_t now_ms);
  bool receive(int64_t now_ms);
  bool send();
  void begin_answer(size_t words, int64_t now_ms);
  void reset();
  void set_interrupts();

  MuSide& mu_;
  ScfwServices& services_;
  State state_ = State::receiving;
  bool then_out_of_step_ = false;
  ScfwMessage message_ = {};
  uint32_t index_ = 0; // the word that comes or goes next
  uint32_t words_ = 0; // of the answer
  int64_t due_ms_ = 0;
  int64_t delay_ms_ = 0;
  uint32_t drop_ = 0;
  uint64_t calls_ = 0;
  uint64_t resets_ = 0;
};

} // namespace rpmsg::sim
