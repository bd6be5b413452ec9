// SPDX-License-Identifier: Apache-2.0
#include "support/fake_scfw.h"

#include <utility>

namespace rpmsg::test {

bool FakeScfw::serve() {
  bool did = take_reset();
  while (take_request() || send_answer())
    did = true;
  return did;
}

bool FakeScfw::take_reset() {
  if (ignores_reset || (mu.remote_doorbells() & 1u << SCFW_DOORBELL_RST) == 0) return false;
  request_.clear();
  answer_.clear();
  for (unsigned channel = 0; channel < SCFW_MU_CHANNELS; ++channel)
    (void)mu.remote_receive(channel);
  ++resets;
  mu.remote_acknowledge(SCFW_DOORBELL_RST);
  return true;
}

bool FakeScfw::take_request() {
  if (!answer_.empty()) return false;
  const auto word = mu.remote_receive(static_cast<unsigned>(request_.size() % SCFW_MU_CHANNELS));
  if (!word) return false;
  request_.push_back(*word);
  if (request_.size() < SCFW_SIZE_OF(request_[0])) return true;
  const Words whole = std::exchange(request_, {});
  requests.push_back(whole);
  if (is_silent) return true;
  answer_ = answer ? answer(whole) : right_answer(whole);
  sent_ = 0;
  return true;
}

bool FakeScfw::send_answer() {
  if (sent_ == answer_.size()) {
    answer_.clear();
    sent_ = 0;
    return false;
  }
  const auto channel = static_cast<unsigned>(sent_ % SCFW_MU_CHANNELS);
  if (!mu.remote_transmit_empty(channel)) return false;
  mu.remote_transmit(answer_[sent_++], channel);
  return true;
}

FakeScfw::Words FakeScfw::right_answer(const Words& request) {
  const uint32_t service = request[0] >> 16 & 0xFF;
  const uint32_t function = request[0] >> 24;
  const auto head = [](uint32_t size) { return 1u | size << 8 | 1u << 16; };
  if (service == 8 && function == 1) { // IRQ ENABLE
    const uint32_t group = request[2] >> 16 & 0xFF;
    const bool on = (request[2] >> 24) != 0;
    enabled[group] = on ? enabled[group] | request[1] : enabled[group] & ~request[1];
    if ((enabled[group] & status[group]) != 0) mu.remote_ring(3);
    return {head(1)};
  }
  if (service == 8 && function == 2) { // IRQ STATUS
    return {head(2), std::exchange(status[request[1] >> 16 & 0xFF], 0)};
  }
  if (service == 3 && function == 33) return {head(2), owner};
  if (service == 2 && function == 10) return {head(2), 4}; // LOCKUP
  if (service == 2 && function == 25) return {head(1)};
  return {head(1) | uint32_t{SCFW_ERR_NOTFOUND} << 24};
}

void FakeScfw::raise(uint32_t group, uint32_t partition) {
  status[group] |= 1u << partition;
  if ((enabled[group] & 1u << partition) != 0) mu.remote_ring(3);
}

void FakeScfw::say(const Words& words) {
  for (size_t i = 0; i < words.size(); ++i)
    mu.remote_transmit(words[i], static_cast<unsigned>(i % SCFW_MU_CHANNELS));
}

} // namespace rpmsg::test
