// SPDX-License-Identifier: Apache-2.0
#include "scu/scu_rpc.h"

#include <algorithm>

namespace rpmsg {

namespace {

constexpr uint64_t kFirstPollNs = kNsPerMs / 4;
constexpr uint64_t kLastPollNs = 4 * kNsPerMs;

} // namespace

void ScuRpc::start() {
  state_ = State::clearing;
  mu_.ring_doorbell(SCFW_DOORBELL_RST);
}

bool ScuRpc::call(const ScuCall& call, uint32_t tag, uint64_t now_ns) {
  if (waiting_ == kMaxCalls) return false;
  queue_[(first_ + waiting_) % kMaxCalls] = Queued{call, tag};
  ++waiting_;
  if (state_ == State::clearing && waiting_ == 1) {
    // Nobody looked while nobody asked.
    deadline_ns_ = now_ns + kTimeoutNs;
    poll_interval_ns_ = kFirstPollNs;
    poll_at_ns_ = now_ns + poll_interval_ns_;
  }
  advance(now_ns);
  return true;
}

void ScuRpc::advance(uint64_t now_ns) {
  if (is_advancing_) return;
  is_advancing_ = true;
  while (step(now_ns)) {
  }
  is_advancing_ = false;
}

/// One step; false when there is nothing to do until the next interrupt, timer or call.
bool ScuRpc::step(uint64_t now_ns) {
  switch (state_) {
  case State::idle: drop_words(); return begin(now_ns);
  case State::sending: return send();
  case State::receiving: return receive(now_ns);
  case State::clearing: return look_cleared(now_ns);
  }
  return false;
}

bool ScuRpc::begin(uint64_t now_ns) {
  if (waiting_ == 0) return false;
  present_ = queue_[first_];
  first_ = (first_ + 1) % kMaxCalls;
  --waiting_;
  const ScuCall& call = present_.call;
  size_ = 1u + std::min<uint32_t>(call.argument_words, SCFW_MAX_WORDS - 1);
  words_[0] = SCFW_WORD0(size_, uint32_t{call.service}, uint32_t{call.function});
  std::copy_n(call.arguments.begin(), size_ - 1, words_.begin() + 1);
  at_ = 0;
  deadline_ns_ = now_ns + kTimeoutNs;
  state_ = State::sending;
  return true;
}

bool ScuRpc::send() {
  while (at_ < size_) {
    const unsigned channel = at_ % SCFW_MU_CHANNELS;
    if (!mu_.transmit_empty(channel)) {
      await_transmit(channel, true);
      if (!mu_.transmit_empty(channel)) return false;
    }
    await_transmit(channel, false);
    mu_.transmit(channel, words_[at_]);
    ++at_;
  }
  at_ = 0;
  size_ = 1; // until word 0 says
  state_ = State::receiving;
  return true;
}

bool ScuRpc::receive(uint64_t now_ns) {
  while (at_ < size_) {
    if (!mu_.receive(at_ % SCFW_MU_CHANNELS, words_[at_])) return false;
    if (at_ == 0) {
      size_ = SCFW_SIZE_OF(words_[0]);
      if (SCFW_VERSION_OF(words_[0]) != SCFW_RPC_VERSION || size_ < 1 || size_ > SCFW_MAX_WORDS) {
        // Where this answer ends cannot be told, so neither can where the next one begins.
        clear(now_ns);
        finish(ScuAnswer{ScuAnswer::Kind::malformed, 0, {}}, now_ns);
        return true;
      }
    }
    ++at_;
  }
  state_ = State::idle;
  finish(read_answer(), now_ns);
  return true;
}

ScuAnswer ScuRpc::read_answer() const {
  ScuAnswer answer;
  std::copy(words_.begin() + 1, words_.begin() + size_, answer.results.begin());
  const bool is_return = SCFW_SERVICE_OF(words_[0]) == SCFW_SVC_RETURN;
  if (is_return && SCFW_ERROR_OF(words_[0]) != SCFW_ERR_NONE) {
    answer.kind = ScuAnswer::Kind::refused; // whatever its size
    answer.error = static_cast<uint8_t>(SCFW_ERROR_OF(words_[0]));
  } else if (!is_return || size_ != present_.call.answer_words) {
    answer.kind = ScuAnswer::Kind::malformed;
  }
  return answer;
}

void ScuRpc::finish(const ScuAnswer& answer, uint64_t now_ns) {
  client_.on_answer(present_.tag, answer, now_ns);
}

void ScuRpc::clear(uint64_t now_ns) {
  if (awaited_channel_ >= 0) await_transmit(static_cast<unsigned>(awaited_channel_), false);
  drop_words();
  mu_.ring_doorbell(SCFW_DOORBELL_RST);
  state_ = State::clearing;
  deadline_ns_ = now_ns + kTimeoutNs;
  poll_interval_ns_ = kFirstPollNs;
  poll_at_ns_ = now_ns + poll_interval_ns_;
}

/// SCFW acknowledges its reset by clearing our GIR; no interrupt tells of it.
bool ScuRpc::look_cleared(uint64_t now_ns) {
  drop_words();
  if (mu_.doorbell_rings(SCFW_DOORBELL_RST)) {
    if (waiting_ > 0 && now_ns >= deadline_ns_) fail_waiting(now_ns);
    if (waiting_ > 0 && now_ns >= poll_at_ns_) {
      poll_interval_ns_ = std::min(2 * poll_interval_ns_, kLastPollNs);
      poll_at_ns_ = now_ns + poll_interval_ns_;
    }
    return false;
  }
  drop_words(); // those of before the acknowledgement
  state_ = State::idle;
  return true;
}

/// It does not even acknowledge: who waits is told, and nobody looks again until somebody asks.
void ScuRpc::fail_waiting(uint64_t now_ns) {
  for (uint32_t left = waiting_; left > 0; --left) {
    const uint32_t tag = queue_[first_].tag;
    first_ = (first_ + 1) % kMaxCalls;
    --waiting_;
    client_.on_answer(tag, ScuAnswer{ScuAnswer::Kind::timed_out, 0, {}}, now_ns);
  }
  if (waiting_ > 0) { // they asked again
    deadline_ns_ = now_ns + kTimeoutNs;
    poll_at_ns_ = now_ns + poll_interval_ns_;
  }
}

void ScuRpc::on_timer(uint64_t now_ns) {
  if ((state_ == State::sending || is_receiving()) && now_ns >= deadline_ns_) {
    advance(now_ns); // it may be here, and only its interrupt is late
    if ((state_ == State::sending || is_receiving()) && now_ns >= deadline_ns_) {
      clear(now_ns);
      is_advancing_ = true;
      finish(ScuAnswer{ScuAnswer::Kind::timed_out, 0, {}}, now_ns);
      is_advancing_ = false;
    }
  }
  advance(now_ns);
}

uint64_t ScuRpc::next_deadline() const {
  switch (state_) {
  case State::idle: return kNever;
  case State::sending:
  case State::receiving: return deadline_ns_;
  case State::clearing: return waiting_ > 0 ? std::min(poll_at_ns_, deadline_ns_) : kNever;
  }
  return kNever;
}

void ScuRpc::drop_words() {
  // Bounded: what comes on raises the line again.
  for (unsigned i = 0; i < 2 * SCFW_MU_CHANNELS; ++i) {
    uint32_t word = 0;
    if (mu_.receive(i % SCFW_MU_CHANNELS, word)) ++stray_words_;
  }
}

void ScuRpc::await_transmit(unsigned channel, bool on) {
  const int awaited = on ? static_cast<int>(channel) : -1;
  if (awaited == awaited_channel_) return;
  if (awaited_channel_ >= 0) {
    mu_.set_transmit_interrupt(static_cast<unsigned>(awaited_channel_), false);
  }
  awaited_channel_ = awaited;
  if (on) mu_.set_transmit_interrupt(channel, true);
}

} // namespace rpmsg
