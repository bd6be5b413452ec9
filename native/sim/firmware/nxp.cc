// SPDX-License-Identifier: Apache-2.0
// Heads, versions and peers are the same for all services; what stands behind the head is theirs.
#include "sim/firmware/nxp.h"

#include <algorithm>

#include "sim/firmware/link.h"

namespace rpmsg::sim {
namespace {

struct ServiceInfo {
  uint8_t category;
  uint32_t answer_bytes; // behind the head
  uint32_t code_at;      // of these
};
constexpr ServiceInfo kServices[] = {
    {1, 1, 0},
    {5, NxpGpio::kAnswerBytes, 2},
    {6, NxpRtc::kBodyBytes, 1},
};
static_assert(std::size(kServices) == kNxpServices);

constexpr uint8_t kSetMode = 0, kHeartbeat = 1; // of life-cycle
constexpr uint8_t kModes = 8;
constexpr uint8_t kOtherMajor = 2; // that a fault answers with

const ServiceInfo& info_of(NxpService service) {
  return kServices[static_cast<uint32_t>(service)];
}

NxpHead head_of(NxpService service, NxpType type, uint8_t command) {
  const uint8_t category = info_of(service).category;
  return {category, kNxpMajor, kNxpMinor, static_cast<uint8_t>(type), command, {}};
}

} // namespace

bool NxpServices::handle(Link& link, NxpService service, const Message& message) {
  NxpHead head;
  Peer& peer = peers_[static_cast<uint32_t>(service)];
  if (!peer.is_known) peer = {true, message.src, message.dst};
  if (message.length < sizeof head) {
    ignore(link, message);
    return true;
  }
  std::memcpy(&head, message.data, sizeof head);
  if (head.category != info_of(service).category) {
    ignore(link, message);
    return true;
  }
  if (head.type == static_cast<uint8_t>(NxpType::request))
    return answer(link, service, head, message);
  take_notification(link, service, head, message);
  return true;
}

bool NxpServices::answer(Link& link, NxpService service, const NxpHead& head,
                         const Message& message) {
  const ServiceInfo& info = info_of(service);
  const uint32_t length = kNxpHeadBytes + info.answer_bytes;
  uint8_t* out = link.begin(length);
  if (out == nullptr) return false;
  NxpHead to_host = head_of(service, NxpType::reply, head.command);
  uint8_t* body = out + kNxpHeadBytes;
  bool is_known_version = head.major == kNxpMajor && head.minor == kNxpMinor;
  if (link.fault_due(Fault::nxp_version)) {
    to_host.major = kOtherMajor;
    is_known_version = false;
  }
  if (link.fault_due(Fault::nxp_silent)) return true;
  const NxpRequest request = {head.command, message.data + kNxpHeadBytes,
                              message.length - kNxpHeadBytes};
  serve(service, request, is_known_version, body);
  if (link.fault_due(Fault::nxp_failure))
    body[info.code_at] = static_cast<uint8_t>(NxpCode::failed);
  std::memcpy(out, &to_host, sizeof to_host);
  link.commit(message.dst, peer_of(service).address, length);
  return true;
}

void NxpServices::serve(NxpService service, const NxpRequest& request, bool is_known_version,
                        uint8_t* answer) {
  switch (service) {
  case NxpService::gpio: gpio_.serve(request, is_known_version, answer); return;
  case NxpService::rtc: rtc_.serve(request, is_known_version, monotonic_ms(), answer); return;
  case NxpService::life_cycle: break;
  }
  NxpCode code = NxpCode::unsupported;
  if (is_known_version && request.command == kSetMode && request.length == 1)
    code = request.body[0] < kModes ? NxpCode::ok : NxpCode::failed;
  *answer = static_cast<uint8_t>(code);
}

/// A heartbeat is the only one that a service takes.
void NxpServices::take_notification(Link& link, NxpService service, const NxpHead& head,
                                    const Message& message) {
  const bool is_heartbeat = service == NxpService::life_cycle && head.command == kHeartbeat &&
                            head.type == static_cast<uint8_t>(NxpType::notification) &&
                            head.major == kNxpMajor && head.minor == kNxpMinor &&
                            message.length == kNxpHeadBytes + 1;
  if (!is_heartbeat) {
    ignore(link, message);
    return;
  }
  link.trace().say("vdev %u: heartbeat %u\n", link.index(), ++heartbeats_);
}

void NxpServices::ignore(Link& link, const Message& message) {
  link.trace().say("vdev %u: %u bytes to %u are no packet of that service (%u ignored)\n",
                   link.index(), message.length, message.dst, ++ignored_);
}

uint32_t NxpServices::send_owed(Link& link, uint32_t budget, int64_t now_ms) {
  uint32_t sent = 0;
  for (uint8_t event[NxpGpio::kEventBytes]; sent < budget && gpio_.next_event(event); sent++) {
    if (!notify(link, NxpService::gpio, event, sizeof event)) return sent;
    gpio_.event_told(event);
  }
  if (sent == budget || rtc_.alarm_due_ms() > now_ms) return sent;
  if (!notify(link, NxpService::rtc, nullptr, 0)) return sent;
  rtc_.alarm_told();
  return sent + 1;
}

bool NxpServices::notify(Link& link, NxpService service, const uint8_t* body, uint32_t length) {
  uint8_t* out = link.begin(kNxpHeadBytes + length);
  if (out == nullptr) return false;
  const NxpHead head = head_of(service, NxpType::notification, 0);
  std::memcpy(out, &head, sizeof head);
  std::copy_n(body, length, out + kNxpHeadBytes);
  const Peer& peer = peer_of(service);
  link.commit(peer.own, peer.address, kNxpHeadBytes + length);
  return true;
}

} // namespace rpmsg::sim
