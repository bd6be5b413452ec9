// SPDX-License-Identifier: Apache-2.0
// The kick rules: when a word is written, when one on its way is enough, and when it waits.
#include "mu/word_sender.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "support/fake_mu.h"
#include "support/mu_generations.h"

using namespace rpmsg;
using test::FakeMu;

namespace {

struct Fixture {
  MuGeneration generation = test::each_mu_generation();
  FakeMu registers{generation};
  Mu mu{registers, generation};
  WordSender sender{mu};
  Fixture() {
    mu.open();
    sender.reset();
  }
  ~Fixture() { CHECK(registers.counts.overruns == 0); }

  bool interrupt_on() const { return registers.transmit_enables() == 0x2; }
  /// The remote takes words and we serve the interrupt, until nothing comes any more.
  std::vector<unsigned> drain() {
    std::vector<unsigned> queues;
    while (true) {
      if (registers.line()) sender.on_transmit_empty();
      const auto word = registers.remote_receive();
      if (!word) return queues;
      CHECK((*word & 0xFFFF) == 0);
      queues.push_back(*word >> 16);
    }
  }
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "a kick finds the register empty and writes queue << 16") {
  CHECK(sender.kick(3) == Kick::written);
  CHECK(registers.remote_receive() == 0x00030000u);
  CHECK(sender.words_written() == 1);
  CHECK_FALSE(interrupt_on());
}

TEST_CASE_FIXTURE(Fixture, "a second kick of the queue whose word still waits is unneeded") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.word_waiting());
  CHECK(sender.kick(1) == Kick::unneeded);
  CHECK(sender.pending() == 0);
  CHECK_FALSE(interrupt_on());
  CHECK(drain() == std::vector<unsigned>{1});
  CHECK_FALSE(sender.word_waiting());
}

TEST_CASE_FIXTURE(Fixture, "a kick after the remote took the word is written again") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(registers.remote_receive());
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.words_written() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a kick that finds another queue's word waits for the interrupt") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.kick(3) == Kick::pending);
  CHECK(sender.kick(3) == Kick::pending);
  CHECK(sender.pending() == 1u << 3);
  CHECK(interrupt_on());
  CHECK_FALSE(registers.line());
  CHECK(drain() == std::vector<unsigned>{1, 3});
  CHECK(sender.pending() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "the queue of the waiting word is unneeded even while others are pending") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.kick(3) == Kick::pending);
  CHECK(sender.kick(1) == Kick::unneeded);
  CHECK(drain() == std::vector<unsigned>{1, 3});
}

TEST_CASE_FIXTURE(Fixture, "the interrupt is on exactly while something is pending") {
  CHECK(sender.kick(1) == Kick::written);
  sender.mark_pending(1u << 3 | 1u << 5);
  CHECK(interrupt_on());
  CHECK(registers.remote_receive());
  CHECK(registers.line());
  sender.on_transmit_empty();
  CHECK(sender.pending() == 1u << 5);
  CHECK(interrupt_on());
  CHECK_FALSE(registers.line());
  CHECK(registers.remote_receive());
  sender.on_transmit_empty();
  CHECK_FALSE(interrupt_on());
  CHECK(registers.remote_receive());
  CHECK_FALSE(registers.line());
}

TEST_CASE_FIXTURE(Fixture, "a spurious look writes nothing and changes nothing") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.kick(3) == Kick::pending);
  const unsigned writes = registers.counts.writes;
  sender.on_transmit_empty();
  sender.on_transmit_empty();
  CHECK(registers.counts.writes == writes);
  CHECK(sender.pending() == 1u << 3);
}

TEST_CASE_FIXTURE(Fixture, "a word taken between the look and the enable raises the line") {
  CHECK(sender.kick(1) == Kick::written);
  registers.before_write = [&](uint32_t) { registers.remote_receive(); };
  CHECK(sender.kick(3) == Kick::pending);
  registers.before_write = nullptr;
  REQUIRE(registers.line());
  sender.on_transmit_empty();
  CHECK(drain() == std::vector<unsigned>{3});
}

TEST_CASE_FIXTURE(Fixture, "marking queues pending writes the first at once and keeps the rest") {
  sender.mark_pending(0xFFFF);
  CHECK(sender.words_written() == 1);
  CHECK(sender.pending() == 0xFFFE);
  CHECK(drain().size() == kMaxMuQueues);
  CHECK(sender.pending() == 0);
  CHECK_FALSE(interrupt_on());
}

TEST_CASE_FIXTURE(Fixture, "a remote that takes words as fast as they come gets each queue once") {
  registers.after_write = [&](uint32_t) { registers.remote_receive(); };
  sender.mark_pending(0xFFFF);
  CHECK(sender.words_written() == kMaxMuQueues);
  CHECK(sender.pending() == 0);
  CHECK_FALSE(interrupt_on());
}

TEST_CASE_FIXTURE(Fixture, "pending queues are served round robin") {
  CHECK(sender.kick(4) == Kick::written);
  sender.mark_pending(1u << 1 | 1u << 5 | 1u << 15);
  CHECK(drain() == std::vector<unsigned>{4, 5, 15, 1});
}

TEST_CASE_FIXTURE(Fixture, "queues that are kicked without end do not starve a pending one") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.kick(9) == Kick::pending);
  std::vector<unsigned> seen;
  for (int round = 0; round < 8; round++) {
    auto word = registers.remote_receive();
    REQUIRE(word);
    seen.push_back(*word >> 16);
    // The kicks come before the interrupt is served, and find the register empty.
    CHECK(sender.kick(1) != Kick::unneeded);
    sender.kick(3);
  }
  REQUIRE(seen.size() == 8);
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 9);
}

TEST_CASE_FIXTURE(Fixture, "every busy queue gets its turn within one round") {
  for (unsigned queue = 0; queue < kMaxMuQueues; queue++)
    sender.kick(queue);
  std::vector<unsigned> seen;
  for (unsigned turn = 0; turn < 2 * kMaxMuQueues; turn++) {
    auto word = registers.remote_receive();
    REQUIRE(word);
    seen.push_back(*word >> 16);
    for (unsigned queue = 0; queue < kMaxMuQueues; queue++)
      sender.kick(queue);
  }
  for (unsigned turn = 0; turn < 2 * kMaxMuQueues; turn++)
    CHECK(seen[turn] == turn % kMaxMuQueues);
}

TEST_CASE_FIXTURE(Fixture, "after a reset the word left in the register counts as unknown") {
  CHECK(sender.kick(1) == Kick::written);
  CHECK(sender.kick(3) == Kick::pending);
  sender.reset();
  CHECK(sender.pending() == 0);
  CHECK_FALSE(interrupt_on());
  CHECK(sender.word_waiting());
  CHECK(sender.kick(1) == Kick::pending);
  CHECK(drain() == std::vector<unsigned>{1, 1});
}

TEST_CASE("a new sender does not trust a word that its predecessor left") {
  const MuGeneration generation = test::each_mu_generation();
  FakeMu registers(generation);
  Mu mu(registers, generation);
  mu.transmit(1, 1u << 16);
  mu.set_transmit_interrupt(1, true);
  WordSender sender(mu);
  mu.open();
  sender.reset();
  CHECK(registers.transmit_enables() == 0);
  CHECK(sender.kick(1) == Kick::pending);
  CHECK(registers.counts.overruns == 0);
}

TEST_CASE_FIXTURE(Fixture, "taken means that a word of this life was read by the remote") {
  CHECK_FALSE(sender.taken_since_reset());
  sender.kick(0);
  CHECK_FALSE(sender.taken_since_reset());
  registers.remote_receive();
  CHECK(sender.taken_since_reset());
  sender.kick(2);
  CHECK(sender.taken_since_reset());

  // The former life's word is taken late: that says nothing about words of this one.
  sender.reset();
  registers.remote_receive();
  CHECK_FALSE(sender.taken_since_reset());
}

TEST_CASE_FIXTURE(Fixture, "whatever the order of events, every kick is followed by a word") {
  std::mt19937 random(20240607);
  std::vector<bool> owed(kMaxMuQueues, false); // kicked, and no word taken since
  for (int step = 0; step < 20000; step++) {
    const unsigned queue = random() % kMaxMuQueues;
    switch (random() % 4) {
    case 0:
      if (auto word = registers.remote_receive()) owed[*word >> 16] = false;
      break;
    case 1:
      if (registers.line()) sender.on_transmit_empty();
      break;
    default: sender.kick(queue); owed[queue] = true;
    }
    CHECK(interrupt_on() == (sender.pending() != 0));
  }
  for (unsigned queue : drain())
    owed[queue] = false;
  CHECK(owed == std::vector<bool>(kMaxMuQueues, false));
}

TEST_CASE_FIXTURE(Fixture, "while held no word is written and no interrupt is asked for") {
  sender.hold(true);
  CHECK(sender.kick(0) == Kick::pending);
  CHECK(sender.kick(3) == Kick::pending);
  sender.mark_pending(1u << 5);
  sender.on_transmit_empty();
  CHECK(registers.counts.words == 0);
  CHECK_FALSE(interrupt_on());
  sender.hold(false);
  CHECK(drain() == std::vector<unsigned>{0, 3, 5});
}

TEST_CASE_FIXTURE(Fixture, "words that waited for the register are held, too, and not lost") {
  CHECK(sender.kick(0) == Kick::written);
  CHECK(sender.kick(1) == Kick::pending);
  sender.hold(true);
  CHECK_FALSE(interrupt_on());
  CHECK(drain() == std::vector<unsigned>{0});
  sender.on_transmit_empty();
  CHECK(sender.pending() == 1u << 1);
  sender.hold(false);
  CHECK(drain() == std::vector<unsigned>{1});
}

TEST_CASE_FIXTURE(Fixture, "a new life forgets what was held for the former one") {
  sender.hold(true);
  sender.kick(3);
  sender.reset();
  CHECK(sender.pending() == 0);
  CHECK(sender.kick(0) == Kick::written);
}
