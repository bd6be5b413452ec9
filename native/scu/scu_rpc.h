// SPDX-License-Identifier: Apache-2.0
// Calls to the System Controller's firmware over its Messaging Unit, one at a time and without ever
// waiting: words go and come as interrupts and timers say. Source: SCFW API RPC.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "mu/mu.h"
#include "scu/scfw_api.h"

namespace rpmsg {

/// One request. `answer_words` is what the API says a successful answer has, word 0 included.
struct ScuCall {
  uint8_t service = 0;
  uint8_t function = 0;
  uint8_t argument_words = 0; // at most SCFW_MAX_WORDS - 1
  uint8_t answer_words = 1;
  std::array<uint32_t, SCFW_MAX_WORDS - 1> arguments{};
};

struct ScuAnswer {
  enum class Kind : uint8_t {
    ok,
    refused,   // SCFW answered with an error
    malformed, // it answered with another version, size or service than the API says
    timed_out, // it did not answer within SCFW_ANSWER_TIMEOUT_MS
  } kind = Kind::ok;
  uint8_t error = SCFW_ERR_NONE;                      // enum scfw_error, when refused
  std::array<uint32_t, SCFW_MAX_WORDS - 1> results{}; // after word 0

  bool ok() const { return kind == Kind::ok; }
};

class ScuRpcClient {
public:
  virtual ~ScuRpcClient() = default;
  /// Ends each call, once, in order. May call again at once.
  virtual void on_answer(uint32_t tag, const ScuAnswer& answer, uint64_t now_ns) = 0;
};

/// One thread. An answer that comes too late is never taken for that of a later call: after a
/// time-out, and at the start, SCFW is told to forget (GIR3, client RST), and nothing is sent
/// before it has done so and what it still had sent is drained.
class ScuRpc {
public:
  static constexpr uint32_t kMaxCalls = 32;
  static constexpr uint64_t kTimeoutNs = SCFW_ANSWER_TIMEOUT_MS * kNsPerMs;

  /// The MU must outlive it. Touches no register.
  ScuRpc(Mu& mu, ScuRpcClient& client) : mu_(mu), client_(client) {}
  ScuRpc(const ScuRpc&) = delete;
  ScuRpc& operator=(const ScuRpc&) = delete;

  /// The MU is open: forgets whatever a former client left half done.
  void start();
  /// Queues a call; false when kMaxCalls wait already. `tag` comes back with the answer.
  bool call(const ScuCall& call, uint32_t tag, uint64_t now_ns);
  /// Takes and writes the words that can go now. At each interrupt; spurious ones are harmless.
  void advance(uint64_t now_ns);
  void on_timer(uint64_t now_ns);
  /// When on_timer() wants to be called; kNever unless a call is under way or waits.
  uint64_t next_deadline() const;
  /// Nothing is under way and nothing waits.
  bool is_idle() const { return waiting_ == 0 && state_ != State::sending && !is_receiving(); }
  /// Words that belonged to no call, and were dropped.
  uint64_t stray_words() const { return stray_words_; }

private:
  enum class State : uint8_t { idle, sending, receiving, clearing };
  struct Queued {
    ScuCall call;
    uint32_t tag = 0;
  };

  bool is_receiving() const { return state_ == State::receiving; }
  bool step(uint64_t now_ns);
  bool begin(uint64_t now_ns);
  bool send();
  bool receive(uint64_t now_ns);
  ScuAnswer read_answer() const;
  void finish(const ScuAnswer& answer, uint64_t now_ns);
  void clear(uint64_t now_ns);
  bool look_cleared(uint64_t now_ns);
  void fail_waiting(uint64_t now_ns);
  void drop_words();
  void await_transmit(unsigned channel, bool on);

  Mu& mu_;
  ScuRpcClient& client_;
  State state_ = State::idle;
  bool is_advancing_ = false; // on_answer() calls again: the loop below it goes on
  std::array<Queued, kMaxCalls> queue_{};
  uint32_t first_ = 0;
  uint32_t waiting_ = 0;
  Queued present_{};
  std::array<uint32_t, SCFW_MAX_WORDS> words_{}; // of the request, then of the answer
  uint32_t size_ = 0;                            // of them
  uint32_t at_ = 0;                              // the next one
  uint64_t deadline_ns_ = kNever;                // of the call, or of the clearing
  uint64_t poll_at_ns_ = kNever;                 // while clearing
  uint64_t poll_interval_ns_ = 0;
  int awaited_channel_ = -1; // whose TIE is on
  uint64_t stray_words_ = 0;
};

} // namespace rpmsg
