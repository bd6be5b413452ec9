// SPDX-License-Identifier: Apache-2.0
// The MU driver against a model of the registers, on every generation.
#include "mu/mu.h"

#include <doctest/doctest.h>

#include <functional>

#include "support/fake_mu.h"
#include "support/mu_generations.h"

using namespace rpmsg;
using test::FakeMu;

namespace {

struct Fixture {
  MuGeneration generation = test::each_mu_generation();
  FakeMu registers{generation};
  Mu mu{registers, generation};
  ~Fixture() {
    CHECK(registers.counts.nmis == 0);
    CHECK(registers.counts.resets == 0);
    CHECK(registers.counts.overruns == 0);
    CHECK(registers.counts.lost_updates == 0);
    CHECK(registers.counts.wrong_offsets == 0);
  }
};

} // namespace

TEST_CASE_FIXTURE(Fixture,
                  "open enables received words and doorbells of channel 1 and nothing else") {
  mu.set_transmit_interrupt(0, true);
  mu.set_transmit_interrupt(1, true);
  mu.open();
  CHECK(registers.receive_enables() == 0x2);
  CHECK(registers.doorbell_enables() == 0x2);
  CHECK(registers.transmit_enables() == 0);
  CHECK_FALSE(registers.line());
}

TEST_CASE_FIXTURE(Fixture, "open enables the channels and doorbells it is asked for") {
  mu.open(0xF, 0x8);
  CHECK(registers.receive_enables() == 0xF);
  CHECK(registers.doorbell_enables() == 0x8);
  mu.open(0, 0);
  CHECK((registers.receive_enables() | registers.doorbell_enables()) == 0);
}

TEST_CASE_FIXTURE(Fixture, "a doorbell rings until the other side acknowledges it") {
  mu.ring_doorbell(3);
  CHECK(mu.doorbell_rings(3));
  CHECK_FALSE(mu.doorbell_rings(2));
  registers.remote_acknowledge(3);
  CHECK_FALSE(mu.doorbell_rings(3));
}

TEST_CASE_FIXTURE(Fixture, "open takes back what a former owner had enabled") {
  mu.open();
  for (uint32_t channel : {0u, 2u, 3u})
    mu.set_transmit_interrupt(channel, true);
  mu.open();
  CHECK(registers.receive_enables() == 0x2);
  CHECK(registers.transmit_enables() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a doorbell that rang before we came raises the line and is seen") {
  registers.remote_ring(1);
  mu.open();
  CHECK(registers.line());
  CHECK(mu.take_doorbells() == 0x2);
  CHECK_FALSE(registers.line());
}

TEST_CASE_FIXTURE(Fixture, "a word that waited before we came raises the line and is received") {
  registers.remote_transmit(0x00030000);
  mu.open();
  CHECK(registers.line());
  uint32_t word = 0;
  REQUIRE(mu.receive(1, word));
  CHECK(word == 0x00030000);
  CHECK_FALSE(registers.line());
  CHECK_FALSE(mu.receive(1, word));
}

TEST_CASE_FIXTURE(Fixture, "open and close ring nothing and keep words, doorbells and flags") {
  REQUIRE(mu.set_flags(5));
  mu.ring_doorbell(2);
  mu.transmit(1, 77);
  registers.remote_transmit(88);
  registers.remote_ring(1);
  mu.open();
  mu.close();
  CHECK(registers.counts.doorbells == 1);
  CHECK(registers.remote_flags_seen() == 5);
  CHECK(registers.remote_receive() == 77u);
  uint32_t word = 0;
  REQUIRE(mu.receive(1, word));
  CHECK(word == 88);
  CHECK(mu.take_doorbells() == 0x2);
}

TEST_CASE_FIXTURE(Fixture, "close masks every interrupt") {
  mu.open();
  mu.set_transmit_interrupt(1, true);
  registers.remote_transmit(1);
  registers.remote_ring(1);
  REQUIRE(registers.line());
  mu.close();
  CHECK_FALSE(registers.line());
  CHECK((registers.transmit_enables() | registers.receive_enables() |
         registers.doorbell_enables()) == 0);
}

TEST_CASE_FIXTURE(Fixture, "each channel carries its own words both ways") {
  for (unsigned channel = 0; channel < kMuChannels; channel++) {
    REQUIRE(mu.transmit_empty(channel));
    mu.transmit(channel, 100 + channel);
    CHECK_FALSE(mu.transmit_empty(channel));
    registers.remote_transmit(200 + channel, channel);
  }
  for (unsigned channel = 0; channel < kMuChannels; channel++) {
    CHECK(registers.remote_receive(channel) == 100 + channel);
    CHECK(mu.transmit_empty(channel));
    uint32_t word = 0;
    REQUIRE(mu.receive(channel, word));
    CHECK(word == 200 + channel);
    CHECK_FALSE(mu.receive(channel, word));
  }
}

TEST_CASE_FIXTURE(Fixture, "acknowledging doorbells clears those that were seen and no other") {
  registers.remote_ring(0);
  registers.remote_ring(3);
  registers.before_write = [&](uint32_t) { registers.remote_ring(1); };
  CHECK(mu.take_doorbells() == 0x9);
  registers.before_write = nullptr;
  CHECK(mu.take_doorbells() == 0x2);
  CHECK(mu.take_doorbells() == 0);
}

TEST_CASE_FIXTURE(Fixture, "looking for doorbells writes nothing while none is pending") {
  CHECK(mu.take_doorbells() == 0);
  CHECK(registers.counts.writes == 0);
}

TEST_CASE_FIXTURE(Fixture, "every doorbell reaches the general interrupt of its number") {
  for (unsigned channel = 0; channel < kMuChannels; channel++) {
    mu.ring_doorbell(channel);
    CHECK(registers.remote_doorbells() == 1u << channel);
    registers.remote_acknowledge(channel);
  }
  CHECK(registers.counts.doorbells == 4);
}

TEST_CASE_FIXTURE(Fixture, "a doorbell acknowledged inside a read-modify-write is not rung again") {
  const std::function<void()> writers[] = {
      [&] { mu.set_transmit_interrupt(1, true); },
      [&] { mu.set_transmit_interrupt(1, false); },
      [&] { CHECK(mu.set_flags(1)); },
      [&] { mu.ring_doorbell(0); },
      [&] { mu.open(); },
      [&] { mu.close(); },
  };
  for (const auto& write : writers) {
    registers.before_write = nullptr;
    mu.ring_doorbell(1);
    REQUIRE((registers.remote_doorbells() & 0x2) != 0);
    // GIR1 is read as 1, and the remote clears its GIP1 before our write arrives.
    registers.before_write = [&](uint32_t) { registers.remote_acknowledge(1); };
    write();
    CHECK((registers.remote_doorbells() & 0x2) == 0);
  }
}

TEST_CASE_FIXTURE(Fixture, "the transmit interrupt of one channel is switched alone") {
  mu.open();
  mu.set_transmit_interrupt(1, true);
  CHECK(registers.transmit_enables() == 0x2);
  mu.set_transmit_interrupt(3, true);
  CHECK(registers.transmit_enables() == 0xA);
  mu.set_transmit_interrupt(1, false);
  CHECK(registers.transmit_enables() == 0x8);
  CHECK(registers.receive_enables() == 0x2);
  CHECK(registers.doorbell_enables() == 0x2);
}

TEST_CASE_FIXTURE(Fixture, "flags are shown each way in bits 2:0") {
  for (uint8_t flags = 0; flags < 8; flags++) {
    CHECK(mu.set_flags(flags));
    CHECK(registers.remote_flags_seen() == flags);
    registers.remote_set_flags(flags);
    CHECK(mu.remote_flags() == flags);
  }
  CHECK(mu.set_flags(0xFF));
  CHECK(registers.remote_flags_seen() == 7);
}

TEST_CASE_FIXTURE(Fixture, "flags are refused while an earlier update is still crossing") {
  registers.hold_flag_updates(true);
  REQUIRE(mu.set_flags(1));
  const unsigned writes = registers.counts.writes;
  CHECK_FALSE(mu.set_flags(2));
  CHECK(registers.counts.writes == writes);
  // Other control bits may change meanwhile.
  mu.set_transmit_interrupt(1, true);
  registers.finish_flag_update();
  CHECK(registers.remote_flags_seen() == 1);
  CHECK(mu.set_flags(2));
}

TEST_CASE("the control bits of whoever booted the remote are kept on V1") {
  constexpr uint32_t kBootBits = 3u << 9 | 1u << 8 | 1u << 7;
  FakeMu registers(MuGeneration::v1);
  Mu mu(registers, MuGeneration::v1);
  registers.foreign_control_bits = kBootBits;
  mu.open();
  mu.ring_doorbell(1);
  CHECK(mu.set_flags(1));
  mu.close();
  CHECK(registers.foreign_control_bits == kBootBits);
}

TEST_CASE_FIXTURE(Fixture, "the receive side never touches a control register") {
  registers.remote_transmit(1);
  registers.remote_ring(1);
  const MuLayout& at = mu_layout(generation);
  registers.before_write = [&](uint32_t offset) { CHECK(offset == at.doorbell_pending.offset); };
  uint32_t word = 0;
  CHECK(mu.receive(1, word));
  CHECK(mu.take_doorbells() == 0x2);
  CHECK(mu.remote_flags() == 0);
  CHECK(registers.counts.writes == 1);
}
