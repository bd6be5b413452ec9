// SPDX-License-Identifier: Apache-2.0
// Framing, delays and reset of the RPC.
#include "sim/soc/scfw_rpc.h"

namespace rpmsg::sim {
namespace {

constexpr int kStepsAtOnce = 64; // a client that never stops writing gets no more than its turn

uint32_t bit(uint32_t n) {
  return 1u << n;
}

} // namespace

void ScfwRpc::service(int64_t now_ms) {
  for (int i = 0; i < kStepsAtOnce && step(now_ms); i++) {
  }
  set_interrupts();
}

int64_t ScfwRpc::poll(int64_t now_ms) {
  if (state_ != State::held_back) return -1;
  if (now_ms < due_ms_) return due_ms_ - now_ms;
  service(now_ms);
  return -1;
}

bool ScfwRpc::step(int64_t now_ms) {
  if (mu_.pending(SCFW_DOORBELL_RST)) {
    reset();
    return true;
  }
  switch (state_) {
  case State::receiving: return receive(now_ms);
  case State::held_back:
    if (now_ms < due_ms_) return false;
    state_ = State::sending;
    return true;
  case State::sending: return send();
  case State::out_of_step: return false;
  }
  return false;
}

bool ScfwRpc::receive(int64_t now_ms) {
  uint32_t word = 0;
  if (!mu_.read_receive(index_ % SCFW_MU_CHANNELS, word)) return false;
  message_[index_++] = word;
  const uint32_t size = SCFW_SIZE_OF(message_[0]);
  if (size == 0 || size > SCFW_MAX_WORDS) { // nobody can tell where the next message begins
    message_[0] = SCFW_WORD0(1u, uint32_t{SCFW_SVC_RETURN}, uint32_t{SCFW_ERR_IPC});
    then_out_of_step_ = true;
    begin_answer(1, now_ms);
    return true;
  }
  if (index_ < size) return true;
  calls_++;
  begin_answer(services_.call(message_), now_ms);
  if (services_.take_doorbell()) mu_.ring(SCFW_DOORBELL_SVC);
  return true;
}

void ScfwRpc::begin_answer(size_t words, int64_t now_ms) {
  index_ = 0;
  words_ = static_cast<uint32_t>(words);
  if (drop_ > 0) {
    drop_--;
    words_ = 0;
  }
  due_ms_ = now_ms + delay_ms_;
  state_ = delay_ms_ > 0 && words_ > 0 ? State::held_back : State::sending;
}

bool ScfwRpc::send() {
  if (index_ == words_) {
    index_ = 0;
    state_ = then_out_of_step_ ? State::out_of_step : State::receiving;
    return true;
  }
  const uint32_t channel = index_ % SCFW_MU_CHANNELS;
  if (!mu_.transmit_empty(channel)) return false;
  mu_.write_transmit(channel, message_[index_++]);
  return true;
}

// The doorbell is cleared last: a client that waits for that has none of its new words thrown away.
void ScfwRpc::reset() {
  resets_++;
  state_ = State::receiving;
  then_out_of_step_ = false;
  index_ = words_ = 0;
  uint32_t ignored = 0;
  for (uint32_t n = 0; n < SCFW_MU_CHANNELS; n++)
    mu_.read_receive(n, ignored);
  mu_.clear_pending(SCFW_DOORBELL_RST);
}

// Only what moves this state: a word that comes out of turn must not be a storm.
void ScfwRpc::set_interrupts() {
  const uint32_t next = bit(index_ % SCFW_MU_CHANNELS);
  mu_.enable(state_ == State::receiving ? next : 0, state_ == State::sending ? next : 0,
             bit(SCFW_DOORBELL_RST));
}

} // namespace rpmsg::sim
