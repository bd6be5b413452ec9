// SPDX-License-Identifier: Apache-2.0
// What each application answers. README.md, "The applications", is their specification.
#include "sim/firmware/apps.h"

#include <cstring>

#include <algorithm>
#include <array>

#include "sim/firmware/link.h"

namespace rpmsg::sim {
namespace {

enum AppNumber : uint32_t {
  kPingPong = 1,
  kClientSample,
  kEcho,
  kSink,
  kSource,
  kLongName,
  kLifeCycle,
  kGpio,
  kRtc,
  kTty
};

constexpr AppInfo kApps[] = {
    {"rpmsg-openamp-demo-channel", kPingPong},
    {"rpmsg-client-sample", kClientSample},
    {"echo", kEcho},
    {"sink", kSink},
    {"source", kSource},
    {"rpmsg-name-of-thirty-two-bytes!!", kLongName},
    {"rpmsg-life-cycle-channel", kLifeCycle},
    {"rpmsg-io-channel", kGpio},
    {"rpmsg-rtc-channel", kRtc},
    {"rpmsg-virtual-tty-channel", kTty},
};
static_assert(std::size(kApps) == kMostApps);

/// Byte i is i: a message of `source` is a piece of it behind its number.
constexpr auto kRamp = [] {
  std::array<uint8_t, 256 + kPayloadBytes> ramp = {};
  for (size_t i = 0; i < ramp.size(); i++)
    ramp[i] = static_cast<uint8_t>(i);
  return ramp;
}();

const uint8_t* pattern_of(uint32_t number) {
  return kRamp.data() + (number & 0xFF);
}

/// Whether this is what `source` would send under that number.
bool is_numbered(const Message& message, uint32_t number) {
  const size_t head = std::min<size_t>(message.length, sizeof number);
  return std::memcmp(message.data, &number, head) == 0 &&
         std::memcmp(message.data + head, pattern_of(number) + head, message.length - head) == 0;
}

bool is_text(const Message& message, const char* text) {
  const size_t length = std::strlen(text);
  return message.length == length && std::memcmp(message.data, text, length) == 0;
}

bool answer(Link& link, const Message& message, const void* data, uint32_t length) {
  uint8_t* out = link.begin(length);
  if (out == nullptr) return false;
  std::memcpy(out, data, length);
  link.commit(message.dst, message.src, length);
  return true;
}

bool echo(Link& link, const Message& message) {
  return answer(link, message, message.data, message.length);
}

/// The greeting is answered with 0, each counter with the next one, all else with silence.
bool ping_pong(Link& link, const Message& message) {
  uint32_t counter = 0;
  if (message.length == sizeof counter) {
    std::memcpy(&counter, message.data, sizeof counter);
    counter++;
  } else if (!is_text(message, "hello world!")) {
    return true;
  }
  const Message to_peer = {link.peer_of(kPingPong, message), message.dst, 0, nullptr};
  return answer(link, to_peer, &counter, sizeof counter);
}

} // namespace

std::span<const AppInfo> all_apps() {
  return kApps;
}

bool Apps::handle(Link& link, uint32_t number, const Message& message) {
  switch (number) {
  case kPingPong: return ping_pong(link, message);
  case kSink: return sink(link, message);
  case kSource: return source(message);
  case kLifeCycle: return nxp_.handle(link, NxpService::life_cycle, message);
  case kGpio: return nxp_.handle(link, NxpService::gpio, message);
  case kRtc: return nxp_.handle(link, NxpService::rtc, message);
  default: return echo(link, message);
  }
}

bool Apps::sink(Link& link, const Message& message) {
  if (is_text(message, "stats?")) {
    const uint64_t counts[2] = {sunk_messages_, sunk_bytes_};
    return answer(link, message, counts, sizeof counts);
  }
  if (is_text(message, "check")) {
    checks_ = true;
    checked_ = altered_ = 0;
    return true;
  }
  if (is_text(message, "checked?")) {
    const uint64_t counts[2] = {checked_, altered_};
    return answer(link, message, counts, sizeof counts);
  }
  if (checks_ && !is_numbered(message, static_cast<uint32_t>(checked_++))) altered_++;
  sunk_messages_++;
  sunk_bytes_ += message.length;
  return true;
}

bool Apps::source(const Message& message) {
  uint32_t order[3] = {}; // count, size, interval_ms
  constexpr uint32_t kWithoutInterval = 2 * sizeof order[0];
  if (message.length != sizeof order && message.length != kWithoutInterval) return true;
  std::memcpy(order, message.data, message.length);
  if (order[0] == 0 || order[1] > kPayloadBytes) return true;
  const auto is_free = [](const Job& job) { return job.count == 0; };
  const auto job = std::find_if(jobs_.begin(), jobs_.end(), is_free);
  if (job == jobs_.end()) return false;
  *job = {message.dst, message.src, order[1], 0, order[0], order[2], 0};
  return true;
}

bool Apps::send_owed(Link& link, uint32_t budget, int64_t now_ms) {
  const uint32_t sent = nxp_.send_owed(link, budget, now_ms);
  return sent == budget || send_jobs(link, budget - sent, now_ms);
}

bool Apps::send_jobs(Link& link, uint32_t budget, int64_t now_ms) {
  uint32_t idle = 0;
  for (uint32_t sent = 0; sent < budget;) {
    Job& job = jobs_[job_turn_ % jobs_.size()];
    if (job.count == 0 || job.due_ms > now_ms) {
      job_turn_++;
      if (++idle == jobs_.size()) return false;
      continue;
    }
    idle = 0;
    if (!send_one(link, job)) return false;
    job.due_ms = job.interval_ms == 0 ? 0 : now_ms + job.interval_ms;
    sent++;
    job_turn_++;
  }
  return true;
}

bool Apps::send_one(Link& link, Job& job) {
  uint8_t* out = link.begin(job.size);
  if (out == nullptr) return false;
  std::memcpy(out, pattern_of(job.next), job.size);
  std::memcpy(out, &job.next, std::min<size_t>(job.size, sizeof job.next));
  link.commit(job.src, job.dst, job.size);
  if (++job.next == job.count) job.count = 0;
  return true;
}

int64_t Apps::next_due_ms() const {
  int64_t soonest = nxp_.next_due_ms();
  for (const Job& job : jobs_)
    if (job.count != 0) soonest = std::min(soonest, job.due_ms);
  return soonest;
}

void Apps::forget() {
  *this = Apps();
}

} // namespace rpmsg::sim
