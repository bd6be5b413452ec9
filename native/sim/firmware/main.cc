// SPDX-License-Identifier: Apache-2.0
// rpmsg-firmware: the program of one M core of a simulated SoC. native/sim/README.md.
#include <cstdio>
#include <string>

#include "sim/firmware/board.h"
#include "sim/firmware/options.h"
#include "sim/firmware/remote.h"

int main(int argc, char** argv) {
  using namespace rpmsg::sim;
  FirmwareOptions options;
  switch (parse_options(argc, argv, options)) {
  case Parsed::exit_ok: return 0;
  case Parsed::exit_usage: return 2;
  case Parsed::run: break;
  }
  AttachedBoard board;
  const std::string problem = board.attach(options.socket, options.core);
  if (!problem.empty()) {
    std::fprintf(stderr, "rpmsg-firmware: %s\n", problem.c_str());
    return 1;
  }
  const std::string misfit = fit_vdevs(options, board.reply());
  if (!misfit.empty()) {
    std::fprintf(stderr, "rpmsg-firmware: %s\n", misfit.c_str());
    return 2;
  }
  Remote remote(options, board);
  remote.run();
}
