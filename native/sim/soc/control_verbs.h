// SPDX-License-Identifier: Apache-2.0
// The verbs of the control socket: a line of words in, a line of JSON out. README.md, "The control
// socket".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/soc/core_life.h"
#include "sim/soc/json.h"
#include "sim/soc/options.h"
#include "sim/soc/scfw.h"

namespace rpmsg::sim {

/// What the verbs act on.
struct ControlledBoard {
  const SocOptions& options;
  std::string board_id; // hexadecimal
  Scfw* scfw;           // null on a SoC without
  const std::vector<std::unique_ptr<CoreLife>>& lives;
};

/// Carries out one request, without its newline; the answer has none either.
std::string answer_request(const ControlledBoard& board, const std::string& line);
/// The answer that only says what is wrong.
std::string refuse_request(const std::string& sentence);
JsonObject describe_board(const ControlledBoard& board);

} // namespace rpmsg::sim
