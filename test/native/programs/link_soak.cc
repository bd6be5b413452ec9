// SPDX-License-Identifier: Apache-2.0
// Random messages to `echo` and back over every vdev of two remotes at once, checked one by one:
// none lost, reordered, doubled or altered. Prints one line of counts; exits 1 at the first
// difference.
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "base/clock.h"
#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kVdevs = 8;
constexpr uint32_t kRemotes = 2;
constexpr uint64_t kWindow = 96; // below the 128 TX credits of an endpoint and its rx_queue

// The n-th message of a lane, the same for who sends and who checks.
std::vector<uint8_t> message_of(uint32_t lane, uint64_t n) {
  std::minstd_rand random(static_cast<uint32_t>(n * 2654435761u + lane * 97u + 1));
  std::vector<uint8_t> data(random() % 497);
  for (auto& byte : data)
    byte = static_cast<uint8_t>(random());
  return data;
}

struct Lane {
  uint32_t endpoint = 0;
  uint32_t echo = 0;
  uint64_t sent = 0;
  uint64_t checked = 0;
};

bool check(LinkHarness& host, uint32_t index, Lane& lane) {
  auto& got = host.received[lane.endpoint];
  for (const Message& message : got) {
    if (message.seq != lane.checked || message.data != message_of(index, lane.checked)) {
      std::fprintf(stderr, "lane %u: message %" PRIu64 " came as %" PRIu64 " with %zu bytes\n",
                   index, lane.checked, message.seq, message.data.size());
      return false;
    }
    ++lane.checked;
  }
  if (!got.empty()) host.link().release(lane.endpoint, lane.checked);
  got.clear();
  return true;
}

void send_some(LinkHarness& host, uint32_t index, Lane& lane, uint64_t total) {
  while (lane.sent < total && lane.sent - lane.checked < kWindow) {
    const auto outcome =
        host.begin(lane.endpoint, lane.echo, message_of(index, lane.sent), 0, index + 1, 1);
    if (outcome.kind != SendOutcome::Kind::sent) return;
    ++lane.sent;
  }
}

bool run(LinkHarness& host, std::vector<Lane>& lanes, uint64_t total) {
  for (;;) {
    bool finished = true;
    uint64_t before = 0;
    for (uint32_t i = 0; i < lanes.size(); ++i) {
      if (!check(host, i, lanes[i])) return false;
      send_some(host, i, lanes[i], total);
      before += host.received[lanes[i].endpoint].size();
      finished = finished && lanes[i].checked == total;
    }
    if (finished) return true;
    const bool moved = host.until([&] {
      for (const Lane& lane : lanes) {
        if (!host.received[lane.endpoint].empty()) return true;
      }
      return false;
    });
    if (!moved) {
      std::fprintf(stderr, "nothing came back for 10 s\n");
      return false;
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  const uint64_t total = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 6250;
  std::array<SocProcess, kRemotes> socs; // two boards: an i.MX8QM's cores address four vdevs each
  std::array<Process, kRemotes> firmware;
  for (uint32_t i = 0; i < kRemotes; ++i) {
    if (!socs[i].ready()) return 1;
    firmware[i] = socs[i].start_firmware({"--vdevs", "8"});
  }
  LinkHarness host;
  host.hold = true; // released by check(), message by message
  for (SocProcess& soc : socs) {
    if (host.open(sim_setup(soc.socket(), "cm40", kVdevs)) < 0) {
      std::fprintf(stderr, "%s\n", host.error.c_str());
      return 1;
    }
  }
  if (!host.start()) return 1;
  std::vector<Lane> lanes;
  for (uint32_t i = 0; i < kRemotes * kVdevs; ++i) {
    Lane lane;
    lane.echo = host.wait_name(i / kVdevs, i % kVdevs, "echo");
    if (lane.echo == 0) {
      std::fprintf(stderr, "remote %u vdev %u did not announce echo\n", i / kVdevs, i % kVdevs);
      return 1;
    }
    lane.endpoint = host.endpoint(i / kVdevs, i % kVdevs, 1024);
    lanes.push_back(lane);
  }
  const uint64_t start = monotonic_ns();
  if (!run(host, lanes, total)) return 1;
  const double seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
  std::printf("%" PRIu64 " messages over %zu vdevs echoed unchanged in %.1f s; each ring's index "
              "wrapped %" PRIu64 " times\n",
              total * lanes.size(), lanes.size(), seconds, total / 65536);
  return 0;
}
