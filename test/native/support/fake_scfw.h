// SPDX-License-Identifier: Apache-2.0
// A System Controller for unit tests, at the other side of a FakeMu: serves calls when told to,
// well or badly. Written from the API's text alone.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "scu/scfw_api.h"
#include "support/fake_mu.h"

namespace rpmsg::test {

class FakeScfw {
public:
  using Words = std::vector<uint32_t>;

  FakeMu mu{MuGeneration::v1};

  // What it is to serve.
  std::array<uint32_t, SCFW_IRQ_GROUPS> status{};  // latched, cleared by reading
  std::array<uint32_t, SCFW_IRQ_GROUPS> enabled{}; // masks
  uint8_t owner = 3;                               // of every resource
  /// Instead of the right answer, when set: gets the request, gives the answer's words.
  std::function<Words(const Words&)> answer;
  /// Takes requests and answers nothing.
  bool is_silent = false;
  /// Does not acknowledge the client's reset.
  bool ignores_reset = false;

  std::vector<Words> requests; // all whole ones, in order
  uint32_t resets = 0;         // times the client rang RST

  /// Takes and answers what is there, as far as the one-deep registers allow. True if it did
  /// anything.
  bool serve();
  /// Raises a partition's bit and the client's interrupt if that is enabled.
  void raise(uint32_t group, uint32_t partition);
  /// Puts the words of an answer that nobody waits for any more into the registers.
  void say(const Words& words);
  Words right_answer(const Words& request);

private:
  bool take_reset();
  bool take_request();
  bool send_answer();

  Words request_;
  Words answer_;
  size_t sent_ = 0;
};

} // namespace rpmsg::test
