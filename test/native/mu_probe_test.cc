// SPDX-License-Identifier: Apache-2.0
// A look at a MU that changes nothing: what it reads, of which registers, and what may be in its
// way.
#include <doctest/doctest.h>

#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <set>

#include "base/unique_fd.h"
#include "mu/mu.h"
#include "platform/uio/mu_probe.h"
#include "platform/uio/uio_register_window.h"
#include "support/access_counter.h"
#include "support/fake_mu.h"
#include "support/mu_generations.h"
#include "support/uio_fixture.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

/// A device's file whose map 0 has registers.
struct RegisterFile : UioFixture {
  explicit RegisterFile(MuGeneration of) : generation(of) {
    add("uio0", "rpmsg-mu", {{"0x5d200000", "0x1000"}});
  }
  void put(uint32_t offset, uint32_t value) {
    const UniqueFd file(::open(path().c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), &value, sizeof value, offset) == sizeof value);
  }
  std::string path() const { return dev() + "/uio0"; }
  MuProbe probe(uint32_t map = 0, uint64_t offset = 0) const {
    return probe_mu({path(), map, offset, generation});
  }

  MuGeneration generation;
};

} // namespace

TEST_CASE("a look at a MU says what its driver did and what the remote does") {
  const MuGeneration generation = each_mu_generation();
  FakeMu registers{generation};
  Mu mu{registers, generation};
  mu.open();
  REQUIRE(mu.set_flags(1));
  mu.set_transmit_interrupt(1, true);
  mu.transmit(1, 0x10000);
  mu.ring_doorbell(3);
  registers.remote_transmit(0x20000, 1);
  registers.remote_transmit(0, 0);
  registers.remote_ring(1);
  registers.remote_set_flags(5);
  const MuState state = read_mu_state(registers, generation);
  CHECK(state.transmit_empty == 0xD);
  CHECK(state.receive_full == 0x3);
  CHECK(state.doorbells_pending == 0x2);
  CHECK(state.transmit_enabled == 0x2);
  CHECK(state.receive_enabled == 0x2);
  CHECK(state.doorbells_enabled == 0x2);
  CHECK(state.doorbells_ringing == 0x8);
  CHECK(state.own_flags == 1);
  CHECK(state.remote_flags == 5);
  CHECK_FALSE(state.flags_crossing);
}

TEST_CASE("a look takes no word, acknowledges no doorbell and writes nothing") {
  const MuGeneration generation = each_mu_generation();
  FakeMu registers{generation};
  Mu mu{registers, generation};
  mu.open();
  registers.remote_transmit(0x20000, 1);
  registers.remote_ring(1);
  const unsigned writes = registers.counts.writes;
  read_mu_state(registers, generation);
  CHECK(registers.counts.writes == writes);
  CHECK(registers.counts.wrong_offsets == 0);
  CHECK_FALSE(registers.remote_transmit_empty(1));
  CHECK(mu.pending_doorbells() == 0x2);
  uint32_t word = 0;
  REQUIRE(mu.receive(1, word));
  CHECK(word == 0x20000);
}

TEST_CASE("an update of the flags that is still crossing shows") {
  const MuGeneration generation = each_mu_generation();
  FakeMu registers{generation};
  Mu mu{registers, generation};
  registers.hold_flag_updates(true);
  REQUIRE(mu.set_flags(1));
  CHECK(read_mu_state(registers, generation).flags_crossing);
}

#if defined(RPMSG_CAN_COUNT_ACCESSES)
TEST_CASE("of the registers only status and control are read, each once, and none is stored to") {
  const MuGeneration generation = each_mu_generation();
  const size_t page = UioFixture::page();
  void* base = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(base != MAP_FAILED);
  std::memset(base, 0xA5, page);
  UioRegisterWindow window(SharedSpan(base, page, 0));
  AccessCounter counter(base, page);
  const MuState state = read_mu_state(window, generation);
  const std::vector<AccessCounter::Access> accesses = counter.stop();
  const MuLayout& layout = mu_layout(generation);
  std::set<size_t> offsets;
  for (const auto& [offset, is_store] : accesses) {
    CHECK_FALSE(is_store);
    CHECK((offset < layout.transmit || offset >= layout.transmit + 16));
    CHECK((offset < layout.receive || offset >= layout.receive + 16));
    offsets.insert(offset);
  }
  CHECK(offsets.size() == accesses.size());
  CHECK(offsets.size() == (generation == MuGeneration::v2 ? 10 : 2));
  CHECK(offsets.size() == state.registers().size());
  for (const MuRegister& each : state.registers()) {
    CHECK(offsets.count(each.offset) == 1);
    CHECK(each.value == 0xA5A5A5A5);
  }
  ::munmap(base, page);
}
#endif

TEST_CASE("a probe reads the registers in the device's map, whoever has the device locked") {
  RegisterFile file(each_mu_generation());
  const MuLayout& layout = mu_layout(file.generation);
  file.put(layout.receive_full.offset, layout.receive_full.bit(1));
  const UniqueFd owner(::open(file.path().c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(owner.get(), LOCK_EX | LOCK_NB) == 0);
  const MuProbe probe = file.probe();
  CHECK(probe.outcome == MuProbe::Outcome::read);
  CHECK(probe.state.receive_full == 0x2);
  CHECK(probe.state.transmit_empty == 0);
  CHECK(::flock(owner.get(), LOCK_EX | LOCK_NB) == 0);
}

TEST_CASE("a probe finds registers that begin inside a page, in the map that is named") {
  RegisterFile file(each_mu_generation());
  const MuLayout& layout = mu_layout(file.generation);
  const auto at = static_cast<uint32_t>(2 * UioFixture::page()) + 0x80;
  file.put(at + layout.doorbell_pending.offset, layout.doorbell_pending.bit(1));
  CHECK(file.probe(2, 0x80).state.doorbells_pending == 0x2);
  CHECK(file.probe(0, 0x80).state.doorbells_pending == 0);
}

TEST_CASE("a probe needs the right to read, and no more than that") {
  RegisterFile file(MuGeneration::v1);
  std::filesystem::permissions(file.path(), std::filesystem::perms::owner_read);
  CHECK(file.probe().outcome == MuProbe::Outcome::read);
}

TEST_CASE("what cannot be opened or mapped is refused with its errno") {
  RegisterFile file(MuGeneration::v1);
  const MuProbe absent = probe_mu({file.dev() + "/uio7", 0, 0, MuGeneration::v1});
  CHECK(absent.outcome == MuProbe::Outcome::refused);
  CHECK(absent.error == ENOENT);
  CHECK(probe_mu({file.dev(), 0, 0, MuGeneration::v1}).error == ENODEV);
  CHECK(file.probe(0, 2).error == EINVAL);
  CHECK(file.probe(0, UioFixture::page()).error == EINVAL);
}

TEST_CASE("registers that do not answer end the child that reads them, and not the caller") {
  RegisterFile file(each_mu_generation());
  // Behind its end a mapped file is a bus error, as a MU without its clock is.
  CHECK(file.probe(70).outcome == MuProbe::Outcome::bus_error);
}
