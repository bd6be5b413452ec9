// SPDX-License-Identifier: Apache-2.0
// The command line of rpmsg-soc.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/soc/board.h"
#include "sim/soc/partitions.h"

namespace rpmsg::sim {

struct SocOptions {
  std::string socket;
  const SocInfo* soc = nullptr;
  std::vector<const CoreInfo*> cores;
  std::string uio_memory; // UIO device that has the DDR; empty: a memfd
  bool clear_mu_on_death = false;
  std::map<std::string, std::string> firmware; // core -> restart command; absent: external
  int ready_fd = -1;
  uint32_t hello_timeout_ms = RPMSG_SIM_HELLO_TIMEOUT_MS;
  uint8_t host_partition = kHostPartition;
  std::map<std::string, uint8_t> partitions; // core -> partition; absent: the board's own
  uint32_t start_delay_ms = 10;
  uint32_t reboot_timeout_ms = 100;
  std::string control; // the control socket's path; empty: none
};

enum class Parsed { run, exit_ok, exit_usage };

/// Prints help, version or a complaint itself.
Parsed parse_options(int argc, char** argv, SocOptions& options);

} // namespace rpmsg::sim
