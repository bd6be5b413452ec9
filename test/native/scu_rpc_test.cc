// SPDX-License-Identifier: Apache-2.0
// Calls to SCFW over its MU: the frame, and everything an answer can be other than right.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "scu/scu_rpc.h"
#include "support/fake_scfw.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

struct Caller final : ScuRpcClient {
  struct Ended {
    uint32_t tag;
    ScuAnswer answer;
  };

  FakeScfw scfw;
  Mu mu{scfw.mu, MuGeneration::v1};
  ScuRpc rpc{mu, *this};
  std::vector<Ended> ended;
  uint64_t now = 1'000'000'000;
  bool asks_again = false;

  Caller() {
    mu.open(0xF, 1u << SCFW_DOORBELL_SVC);
    rpc.start();
    run();
  }
  void on_answer(uint32_t tag, const ScuAnswer& answer, uint64_t now_ns) override {
    ended.push_back({tag, answer});
    if (asks_again) {
      asks_again = false;
      rpc.call(owner_of(SCFW_R_M4_1_PID0), tag + 1, now_ns);
    }
  }

  static ScuCall owner_of(uint32_t resource) {
    return ScuCall{SCFW_SVC_RM, SCFW_RM_GET_RESOURCE_OWNER, 1, 2, {resource}};
  }
  void ask(uint32_t tag) { rpc.call(owner_of(SCFW_R_M4_0_PID0), tag, now); }
  /// Interrupts and service until nothing moves; no time passes.
  void run() {
    do {
      rpc.advance(now);
    } while (scfw.serve());
    rpc.advance(now);
  }
  /// Lets time pass up to `ns`, timer after timer.
  void pass(uint64_t ns) {
    const uint64_t end = now + ns;
    while (rpc.next_deadline() <= end) {
      now = std::max(now, rpc.next_deadline());
      rpc.on_timer(now);
      run();
    }
    now = end;
    run();
  }
};

constexpr uint32_t kAnswer2 = 0x00'01'02'01; // version 1, size 2, service RETURN, no error

} // namespace

TEST_CASE("a call is words through TR0 to TR3 and its answer words through RR0 to RR3") {
  Caller caller;
  caller.ask(7);
  caller.run();
  REQUIRE(caller.scfw.requests.size() == 1);
  CHECK(caller.scfw.requests[0] == FakeScfw::Words{0x21'03'02'01, 278});
  REQUIRE(caller.ended.size() == 1);
  CHECK(caller.ended[0].tag == 7);
  CHECK(caller.ended[0].answer.ok());
  CHECK(caller.ended[0].answer.results[0] == 3);
  CHECK(caller.scfw.mu.counts.overruns == 0);
}

TEST_CASE("a request of eight words and an answer of eight go through four registers, twice") {
  Caller caller;
  caller.scfw.answer = [](const FakeScfw::Words& request) {
    FakeScfw::Words answer(request.rbegin(), request.rend());
    answer[0] = 0x00'01'08'01;
    return answer;
  };
  ScuCall call{SCFW_SVC_MISC, 99, 7, 8, {11, 12, 13, 14, 15, 16, 17}};
  caller.rpc.call(call, 1, caller.now);
  CHECK(caller.scfw.mu.transmit_enables() != 0); // waits for TR0 by interrupt
  caller.run();
  REQUIRE(caller.ended.size() == 1);
  CHECK(caller.ended[0].answer.ok());
  CHECK(caller.ended[0].answer.results[0] == 16);
  CHECK(caller.ended[0].answer.results[5] == 11);
  CHECK(caller.scfw.mu.counts.overruns == 0);
  CHECK(caller.scfw.mu.transmit_enables() == 0);
}

TEST_CASE(
    "an answer with an error code is told as refused, whatever its size, and the next works") {
  Caller caller;
  for (uint32_t size = 1; size <= 8; ++size) {
    caller.scfw.answer = [size](const FakeScfw::Words&) {
      FakeScfw::Words answer(size, 0xDEAD);
      answer[0] = 1u | size << 8 | 1u << 16 | uint32_t{SCFW_ERR_NOACCESS} << 24;
      return answer;
    };
    caller.ended.clear();
    caller.ask(size);
    caller.run();
    REQUIRE(caller.ended.size() == 1);
    CHECK(caller.ended[0].answer.kind == ScuAnswer::Kind::refused);
    CHECK(caller.ended[0].answer.error == SCFW_ERR_NOACCESS);
  }
  caller.scfw.answer = nullptr;
  caller.ask(9);
  caller.run();
  CHECK(caller.ended.back().answer.ok());
  CHECK(caller.scfw.resets == 1); // that of the start
}

TEST_CASE("an answer of the wrong version is malformed, and SCFW is told to forget") {
  Caller caller;
  caller.scfw.answer = [](const FakeScfw::Words&) { return FakeScfw::Words{0x00'01'02'02, 5}; };
  caller.ask(1);
  caller.run();
  REQUIRE(caller.ended.size() == 1);
  CHECK(caller.ended[0].answer.kind == ScuAnswer::Kind::malformed);
  CHECK(caller.scfw.resets == 2);
  caller.scfw.answer = nullptr;
  caller.ask(2);
  caller.run();
  REQUIRE(caller.ended.size() == 2);
  CHECK(caller.ended[1].answer.results[0] == 3);
}

TEST_CASE("an answer of another size or service than the API says is malformed") {
  for (const FakeScfw::Words& wrong :
       {FakeScfw::Words{0x00'01'01'01}, FakeScfw::Words{0x00'01'03'01, 4, 5},
        FakeScfw::Words{0x00'01'00'01}, FakeScfw::Words{0x00'01'FF'01, 1, 2, 3},
        FakeScfw::Words{0x00'0A'02'01, 4}}) {
    CAPTURE(wrong[0]);
    Caller caller;
    caller.scfw.answer = [&](const FakeScfw::Words&) { return wrong; };
    caller.ask(1);
    caller.run();
    REQUIRE(caller.ended.size() == 1);
    CHECK(caller.ended[0].answer.kind == ScuAnswer::Kind::malformed);
    caller.scfw.answer = nullptr;
    caller.ask(2);
    caller.run();
    REQUIRE(caller.ended.size() == 2);
    CHECK(caller.ended[1].answer.ok());
    CHECK(caller.ended[1].answer.results[0] == 3);
  }
}

TEST_CASE("an answer with fewer words than it says times out like no answer") {
  Caller caller;
  caller.scfw.answer = [](const FakeScfw::Words&) { return FakeScfw::Words{kAnswer2}; };
  caller.ask(1);
  caller.pass(ScuRpc::kTimeoutNs);
  REQUIRE(caller.ended.size() == 1);
  CHECK(caller.ended[0].answer.kind == ScuAnswer::Kind::timed_out);
}

TEST_CASE("no answer within 30 ms is a time-out, and SCFW is told to forget") {
  Caller caller;
  caller.scfw.is_silent = true;
  caller.ask(1);
  caller.pass(ScuRpc::kTimeoutNs - 1);
  CHECK(caller.ended.empty());
  caller.pass(1);
  REQUIRE(caller.ended.size() == 1);
  CHECK(caller.ended[0].answer.kind == ScuAnswer::Kind::timed_out);
  CHECK(caller.scfw.resets == 2);
  CHECK(caller.rpc.next_deadline() == kNever);
}

TEST_CASE("an answer that is in the registers when the time is over counts") {
  Caller caller;
  caller.ask(1);
  caller.scfw.serve();
  caller.now += 10 * ScuRpc::kTimeoutNs; // the thread was stopped meanwhile
  caller.rpc.on_timer(caller.now);
  REQUIRE(caller.ended.size() == 1);
  CHECK(caller.ended[0].answer.ok());
}

TEST_CASE("a late answer is never taken for that of the next call") {
  for (const bool is_before_acknowledgement : {true, false}) {
    Caller caller;
    caller.scfw.is_silent = true;
    caller.ask(1);
    if (is_before_acknowledgement) caller.scfw.ignores_reset = true;
    caller.pass(ScuRpc::kTimeoutNs);
    REQUIRE(caller.ended.size() == 1);
    caller.scfw.is_silent = false;
    if (is_before_acknowledgement) {
      caller.ask(2);
      caller.scfw.say({kAnswer2, 0xBAD}); // of the first call
      caller.run();
      CHECK(caller.ended.size() == 1); // not even sent
      CHECK(caller.scfw.requests.size() == 1);
      caller.scfw.ignores_reset = false;
      caller.scfw.serve(); // acknowledges; a timer looks
      caller.pass(ScuRpc::kTimeoutNs / 2);
    } else {
      caller.scfw.say({kAnswer2, 0xBAD});
      caller.rpc.advance(caller.now); // its interrupt
      caller.ask(2);
      caller.run();
    }
    REQUIRE(caller.ended.size() == 2);
    CHECK(caller.ended[1].tag == 2);
    CHECK(caller.ended[1].answer.ok());
    CHECK(caller.ended[1].answer.results[0] == 3);
    CHECK(caller.rpc.stray_words() == 2);
  }
}

TEST_CASE(
    "an SCFW that does not even acknowledge its reset fails calls in time, then costs no timer") {
  Caller caller;
  caller.scfw.is_silent = true;
  caller.scfw.ignores_reset = true;
  caller.ask(1);
  caller.ask(2);
  caller.pass(ScuRpc::kTimeoutNs);
  CHECK(caller.ended.size() == 1);
  caller.pass(ScuRpc::kTimeoutNs);
  REQUIRE(caller.ended.size() == 2);
  CHECK(caller.ended[1].answer.kind == ScuAnswer::Kind::timed_out);
  CHECK(caller.rpc.next_deadline() == kNever);
  // Once it acknowledges, the next call works.
  caller.scfw.is_silent = false;
  caller.scfw.ignores_reset = false;
  caller.scfw.serve();
  caller.ask(3);
  caller.run();
  REQUIRE(caller.ended.size() == 3);
  CHECK(caller.ended[2].answer.ok());
}

TEST_CASE("what a former client left half done is forgotten before the first call") {
  FakeScfw scfw;
  scfw.mu.write32(0x00, 0x21'03'02'01); // its request, half written
  scfw.say({kAnswer2, 0xBAD});          // and an answer it did not live to read
  Mu mu(scfw.mu, MuGeneration::v1);
  mu.open(0xF, 1u << SCFW_DOORBELL_SVC);
  struct Client final : ScuRpcClient {
    void on_answer(uint32_t, const ScuAnswer& answer, uint64_t) override {
      ++answers;
      result = answer.results[0];
    }
    uint32_t answers = 0;
    uint32_t result = 0;
  } client;
  ScuRpc rpc(mu, client);
  rpc.start();
  rpc.call(Caller::owner_of(278), 1, 0);
  CHECK(scfw.mu.counts.words == 1); // none of ours before the acknowledgement
  for (int i = 0; i < 4; ++i) {
    scfw.serve();
    rpc.advance(0);
  }
  CHECK(client.answers == 1);
  CHECK(client.result == 3);
}

TEST_CASE("calls are made one at a time, in order, and one more than fit is refused") {
  Caller caller;
  for (uint32_t tag = 0; tag <= ScuRpc::kMaxCalls; ++tag)
    CHECK(caller.rpc.call(Caller::owner_of(tag), tag, caller.now));
  CHECK_FALSE(caller.rpc.call(Caller::owner_of(99), 99, caller.now));
  CHECK(caller.scfw.mu.counts.words == 2); // of the first one
  caller.run();
  REQUIRE(caller.ended.size() == ScuRpc::kMaxCalls + 1);
  for (uint32_t tag = 0; tag < caller.ended.size(); ++tag) {
    CHECK(caller.ended[tag].tag == tag);
    CHECK(caller.scfw.requests[tag][1] == tag);
  }
  CHECK(caller.scfw.mu.counts.overruns == 0);
}

TEST_CASE("a call made from the end of another is sent after it") {
  Caller caller;
  caller.asks_again = true;
  caller.ask(1);
  caller.run();
  REQUIRE(caller.ended.size() == 2);
  CHECK(caller.ended[1].tag == 2);
  CHECK(caller.scfw.requests[1][1] == SCFW_R_M4_1_PID0);
}

TEST_CASE("spurious interrupts and words change nothing") {
  Caller caller;
  const auto before = caller.scfw.mu.counts;
  caller.rpc.advance(caller.now);
  CHECK(caller.scfw.mu.counts.writes == before.writes);
  caller.scfw.say({1, 2, 3, 4});
  caller.rpc.advance(caller.now);
  CHECK_FALSE(caller.scfw.mu.line());
  CHECK(caller.ended.empty());
  CHECK(caller.rpc.stray_words() == 4);
}
