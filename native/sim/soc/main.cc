// SPDX-License-Identifier: Apache-2.0
// rpmsg-soc: an NXP i.MX made of shared memory and event descriptors. native/sim/README.md.
#include <csignal>
#include <cstdio>
#include <unistd.h>

#include "sim/soc/log.h"
#include "sim/soc/service_manager.h"
#include "sim/soc/soc.h"

int main(int argc, char** argv) {
  using namespace rpmsg::sim;
  std::signal(SIGPIPE, SIG_IGN);
  SocOptions options;
  switch (parse_options(argc, argv, options)) {
  case Parsed::exit_ok: return 0;
  case Parsed::exit_usage: return 2;
  case Parsed::run: break;
  }
  Soc soc(options);
  const std::string problem = soc.open();
  if (!problem.empty()) {
    std::fprintf(stderr, "rpmsg-soc: %s\n", problem.c_str());
    return 1;
  }
  say("READY");
  notify_ready();
  if (options.ready_fd >= 0) {
    const ssize_t written = ::write(options.ready_fd, "READY\n", 6);
    (void)written;
    ::close(options.ready_fd);
  }
  soc.run();
  return 0;
}
