// SPDX-License-Identifier: Apache-2.0
// A remote of the simulated SoC as a Platform: wires and segments mapped, eventfd as interrupt.
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "platform/mapping.h"
#include "platform/platform.h"
#include "platform/sim/sim_attach.h"
#include "platform/sim/sim_register_window.h"

namespace rpmsg {
namespace {

struct Segment {
  uint64_t physical;
  uint64_t length;
  Mapping mapping;
};

MuGeneration generation_of(uint32_t wire) {
  if (wire == RPMSG_SIM_MU_V2) return MuGeneration::v2;
  return wire == RPMSG_SIM_MU_IMX7ULP ? MuGeneration::imx7ulp : MuGeneration::v1;
}

class SimPlatform final : public Platform {
public:
  SimPlatform(SimAttachment attachment, Mapping wires, std::vector<Segment> segments)
      : attachment_(std::move(attachment)), wires_(std::move(wires)),
        segments_(std::move(segments)),
        window_(generation_of(attachment_.reply.mu_generation),
                MuWires(static_cast<rpmsg_sim_mu*>(wires_.base()), attachment_.reply.side,
                        descriptor(RPMSG_SIM_FD_OWN_INTERRUPT),
                        descriptor(RPMSG_SIM_FD_PEER_INTERRUPT))) {}

  RegisterWindow& mu() override { return window_; }
  MuGeneration mu_generation() const override {
    return generation_of(attachment_.reply.mu_generation);
  }
  int interrupt_fd() const override { return descriptor(RPMSG_SIM_FD_OWN_INTERRUPT); }
  void consume_interrupt() override {
    uint64_t events = 0;
    const ssize_t got = ::read(interrupt_fd(), &events, sizeof events);
    (void)got; // empty is legal: spurious wake-ups are part of the contract
  }
  void unmask_interrupt() override { window_.wires().unmask(); }
  int board_fd() const override { return attachment_.socket.get(); }

  std::string soc() const override {
    const char* name = attachment_.reply.soc;
    return {name, ::strnlen(name, sizeof attachment_.reply.soc)};
  }
  uint32_t max_vdevs() const override { return attachment_.reply.max_vdevs; }
  BoardId board_id() const override { return std::to_array(attachment_.reply.board_id); }

  Result<SharedSpan> map(uint64_t physical, uint64_t size_bytes) override {
    constexpr uint64_t kFourGiB = uint64_t{1} << 32;
    if (size_bytes > kFourGiB || physical > kFourGiB - size_bytes)
      return Error{Errc::invalid_argument, 0, "map a region that does not end below 4 GiB",
                   physical};
    for (const Segment& segment : segments_) {
      if (physical < segment.physical) continue;
      const uint64_t offset = physical - segment.physical;
      if (offset > segment.length || size_bytes > segment.length - offset) continue;
      return SharedSpan(static_cast<uint8_t*>(segment.mapping.base()) + offset, size_bytes,
                        physical);
    }
    return Error{Errc::invalid_argument, 0, "map a region the simulated board does not have",
                 physical};
  }

private:
  int descriptor(rpmsg_sim_descriptor index) const { return attachment_.descriptors[index].get(); }

  SimAttachment attachment_;
  Mapping wires_;
  std::vector<Segment> segments_;
  SimRegisterWindow window_;
};

std::string map_failure(const char* what) {
  return std::string("cannot map the simulated SoC's ") + what + ": " + std::strerror(errno);
}

} // namespace

namespace {

OpenedPlatform opened(SimAttachment attachment) {
  if (!attachment.error.empty()) {
    const bool is_absent = attachment.status == RPMSG_SIM_UNKNOWN_CORE;
    return {nullptr, {std::move(attachment.error), is_absent}};
  }
  const rpmsg_sim_reply& reply = attachment.reply;
  Mapping wires(attachment.descriptors[RPMSG_SIM_FD_MU].get(), reply.mu_length, 0);
  if (!wires) return {nullptr, {map_failure("MU")}};
  std::vector<Segment> segments;
  for (uint32_t i = 0; i < reply.segment_count; i++) {
    const rpmsg_sim_segment& s = reply.segments[i];
    Mapping mapping(attachment.descriptors[s.fd].get(), s.length, s.offset);
    if (!mapping) return {nullptr, {map_failure("memory")}};
    segments.push_back({s.physical, s.length, std::move(mapping)});
  }
  return {
      std::make_unique<SimPlatform>(std::move(attachment), std::move(wires), std::move(segments)),
      {}};
}

} // namespace

OpenedPlatform open_sim_platform(const std::string& socket_path, const std::string& core) {
  return opened(attach_sim(socket_path, RPMSG_SIM_ROLE_HOST, core));
}

OpenedPlatform open_sim_scu(const std::string& socket_path) {
  return opened(attach_sim(socket_path, RPMSG_SIM_ROLE_SCU, RPMSG_SIM_SCU_CORE));
}

} // namespace rpmsg
