// SPDX-License-Identifier: Apache-2.0
// NXP's services on one vdev: life-cycle, GPIO and RTC, served as SRTM serves them. README.md,
// "NXP's services", is their specification.
#pragma once

#include <array>
#include <cstdint>

#include "sim/firmware/message.h"
#include "sim/firmware/nxp_gpio.h"
#include "sim/firmware/nxp_packet.h"
#include "sim/firmware/nxp_rtc.h"

namespace rpmsg::sim {

class Link;

enum class NxpService : uint8_t { life_cycle, gpio, rtc };
constexpr uint32_t kNxpServices = 3;

class NxpServices {
public:
  /// False: there is no buffer to answer with, hand in the same message again later.
  bool handle(Link& link, NxpService service, const Message& message);
  /// Sends the notifications that are owed by now, at most `budget`; how many it sent.
  uint32_t send_owed(Link& link, uint32_t budget, int64_t now_ms);
  /// When the next one is owed.
  int64_t next_due_ms() const { return rtc_.alarm_due_ms(); }

private:
  /// Whom a service talks to, and as whom.
  struct Peer {
    bool is_known = false;
    uint32_t address = 0;
    uint32_t own = 0;
  };
  const Peer& peer_of(NxpService service) const { return peers_[static_cast<uint32_t>(service)]; }
  bool answer(Link& link, NxpService service, const NxpHead& head, const Message& message);
  void serve(NxpService service, const NxpRequest& request, bool is_known_version, uint8_t* answer);
  void take_notification(Link& link, NxpService service, const NxpHead& head,
                         const Message& message);
  void ignore(Link& link, const Message& message);
  bool notify(Link& link, NxpService service, const uint8_t* body, uint32_t length);

  std::array<Peer, kNxpServices> peers_ = {};
  NxpGpio gpio_;
  NxpRtc rtc_;
  uint32_t heartbeats_ = 0;
  uint32_t ignored_ = 0;
};

} // namespace rpmsg::sim
