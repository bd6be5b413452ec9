// SPDX-License-Identifier: Apache-2.0
// The simulated MU's registers, two windows over one block of wires: host and remote side.
#include <doctest/doctest.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/unique_fd.h"
#include "platform/sim/sim_register_window.h"

using namespace rpmsg;

namespace {

struct Offsets {
  MuGeneration generation;
  uint32_t transmit, receive;
};
constexpr Offsets kGenerations[] = {{MuGeneration::v1, 0x00, 0x10},
                                    {MuGeneration::imx7ulp, 0x20, 0x40},
                                    {MuGeneration::v2, 0x200, 0x280}};

/// A MU with both its sides in this process.
struct Mu {
  explicit Mu(MuGeneration generation)
      : interrupt{UniqueFd(::eventfd(0, EFD_NONBLOCK)), UniqueFd(::eventfd(0, EFD_NONBLOCK))},
        a(generation, MuWires(&wires, 0, interrupt[0].get(), interrupt[1].get())),
        b(generation, MuWires(&wires, 1, interrupt[1].get(), interrupt[0].get())) {}
  bool fired(int side) {
    uint64_t events = 0;
    return ::read(interrupt[side].get(), &events, sizeof events) == ssize_t{sizeof events};
  }
  rpmsg_sim_mu wires = {};
  UniqueFd interrupt[2];
  SimRegisterWindow a, b;
};

} // namespace

TEST_CASE("a word goes through TR and RR of each channel in every MU generation") {
  for (const Offsets& at : kGenerations) {
    Mu mu(at.generation);
    for (uint32_t n = 0; n < 4; n++) {
      CHECK(mu.a.wires().transmit_empty() == 15);
      mu.a.write32(at.transmit + 4 * n, 0xABC0 + n);
      CHECK(mu.a.wires().transmit_empty() == (15u & ~(1u << n)));
      CHECK(mu.b.wires().receive_full() == 1u << n);
      CHECK(mu.b.read32(at.receive + 4 * n) == 0xABC0 + n);
      CHECK(mu.b.wires().receive_full() == 0);
    }
  }
}

TEST_CASE("RR read while empty gives the old word and frees nothing") {
  for (const Offsets& at : kGenerations) {
    Mu mu(at.generation);
    mu.a.write32(at.transmit + 4, 7);
    CHECK(mu.b.read32(at.receive + 4) == 7);
    CHECK(mu.b.read32(at.receive + 4) == 7);
    CHECK(mu.a.wires().overruns() == 0);
  }
}

TEST_CASE("TR written while full is counted and changes nothing") {
  for (const Offsets& at : kGenerations) {
    Mu mu(at.generation);
    mu.a.write32(at.transmit + 4, 1);
    mu.a.write32(at.transmit + 4, 2);
    CHECK(mu.a.wires().overruns() == 1);
    CHECK(mu.b.read32(at.receive + 4) == 1);
  }
}

TEST_CASE("V1 and i.MX7ULP show TE, RF, GIP and Fn in SR, channel 0 in the top bit of a group") {
  for (const bool is_ulp : {false, true}) {
    Mu mu(is_ulp ? MuGeneration::imx7ulp : MuGeneration::v1);
    const uint32_t tr = is_ulp ? 0x20 : 0, rr = is_ulp ? 0x40 : 0x10;
    const uint32_t sr = is_ulp ? 0x60 : 0x20, cr = is_ulp ? 0x64 : 0x24;
    CHECK(mu.a.read32(sr) == 0x00F00000);
    mu.a.write32(tr + 4, 1);
    CHECK(mu.a.read32(sr) == 0x00B00000);             // TE1 is bit 22
    CHECK(mu.b.read32(sr) == (0x00F00000 | 1 << 26)); // RF1
    CHECK(mu.b.read32(rr + 4) == 1);
    mu.a.write32(cr, 1u << 18 | 5); // GIR1, Fn
    CHECK(mu.a.read32(cr) == (1u << 18 | 5));
    CHECK(mu.b.read32(sr) == (1u << 30 | 0x00F00000 | 5)); // GIP1
    mu.a.write32(cr, 0);
    CHECK(mu.a.read32(cr) == 1u << 18); // writing 0 does not take a ring back
    mu.b.write32(sr, 1u << 30);
    CHECK(mu.a.read32(cr) == 0);
    CHECK(mu.b.read32(sr) == 0x00F00000);
    mu.a.write32(cr, 0xFFF00000); // every GIE, RIE, TIE
    CHECK(mu.a.read32(cr) == 0xFFF00000);
  }
}

TEST_CASE("V2 has a register an event kind, channel n in bit n") {
  Mu mu(MuGeneration::v2);
  CHECK(mu.a.read32(0x124) == 15); // TSR
  mu.a.write32(0x204, 9);
  CHECK(mu.a.read32(0x124) == 13);
  CHECK(mu.b.read32(0x12C) == 2); // RSR
  CHECK(mu.b.read32(0x284) == 9);
  mu.a.write32(0x114, 2); // GCR
  CHECK(mu.a.read32(0x114) == 2);
  CHECK(mu.b.read32(0x118) == 2); // GSR
  mu.b.write32(0x118, 2);
  CHECK(mu.a.read32(0x114) == 0);
  mu.a.write32(0x100, 7); // FCR
  CHECK(mu.b.read32(0x104) == 7);
  for (const uint32_t enable : {0x110u, 0x120u, 0x128u}) {
    mu.a.write32(enable, 15);
    CHECK(mu.a.read32(enable) == 15);
  }
}

TEST_CASE("an interrupt masks its own line until it is unmasked, and then fires for what is left") {
  Mu mu(MuGeneration::v1);
  mu.b.write32(0x24, 1u << 26); // RIE1
  mu.b.wires().unmask();
  CHECK(!mu.fired(1));
  mu.a.write32(0x04, 1);
  CHECK(mu.fired(1));
  mu.a.write32(0x24, 1u << 18);
  CHECK(!mu.fired(1)); // masked
  mu.b.wires().unmask();
  CHECK(mu.fired(1)); // RF1 is still up
  mu.b.read32(0x14);
  mu.b.wires().unmask();
  CHECK(!mu.fired(1)); // the doorbell is not enabled
  mu.b.write32(0x24, 1u << 30);
  CHECK(mu.fired(1));
}

TEST_CASE("TIE fires at once while TR is empty, and when the peer empties it") {
  Mu mu(MuGeneration::v1);
  mu.a.wires().unmask();
  mu.a.write32(0x04, 1);
  mu.a.write32(0x24, 1u << 22); // TIE1
  CHECK(!mu.fired(0));
  mu.b.read32(0x14);
  CHECK(mu.fired(0));
  mu.a.wires().unmask();
  CHECK(mu.fired(0)); // the storm that leaving TIE on means, one event an unmask
}

TEST_CASE("no wake-up is lost and none comes twice between two threads") {
  constexpr uint32_t kWords = 20000;
  Mu mu(MuGeneration::v1);
  std::atomic<uint32_t> wakes{0};
  std::thread reader([&mu, &wakes] {
    mu.b.write32(0x24, 1u << 26);
    for (uint32_t expected = 0; expected < kWords;) {
      mu.b.wires().unmask();
      pollfd line = {mu.interrupt[1].get(), POLLIN, 0};
      if (::poll(&line, 1, 10000) != 1) return;
      if (mu.fired(1)) wakes++;
      while ((mu.b.read32(0x20) & 1u << 26) != 0)
        if (mu.b.read32(0x14) != expected++) return;
    }
  });
  uint32_t sent = 0;
  for (; sent < kWords; sent++) {
    while ((mu.a.read32(0x20) & 1u << 22) == 0) {
      mu.a.write32(0x24, 1u << 22);
      mu.a.wires().unmask();
      pollfd line = {mu.interrupt[0].get(), POLLIN, 0};
      if (::poll(&line, 1, 10000) != 1) break;
      mu.fired(0);
      mu.a.write32(0x24, 0);
    }
    if ((mu.a.read32(0x20) & 1u << 22) == 0) break;
    mu.a.write32(0x04, sent);
  }
  reader.join();
  CHECK(sent == kWords);
  CHECK(mu.a.wires().overruns() == 0);
  CHECK(mu.b.wires().receive_full() == 0);
  CHECK(wakes.load() <= 2 * kWords + 1);
}
