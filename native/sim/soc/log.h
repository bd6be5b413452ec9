// SPDX-License-Identifier: Apache-2.0
// Event lines on standard output that never block the simulator: a reader that stopped loses them.
#pragma once

#include <string>

namespace rpmsg::sim {

void say(const std::string& line);

} // namespace rpmsg::sim
