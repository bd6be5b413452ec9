// SPDX-License-Identifier: Apache-2.0
// The command line of rpmsg-firmware.
#pragma once

#include <cstdint>
#include <string>

#include "sim/firmware/fault.h"
#include "sim/protocol.h"

namespace rpmsg::sim {

enum class Behaviour { rpmsg_lite, openamp };
enum class ReadySignal { none, rxdb, flag };

struct FirmwareOptions {
  std::string socket;
  std::string core = "cm40";
  uint32_t links = 0x3; // bit i: vdev i is registered
  bool links_are_chosen = false;
  uint32_t apps = 0; // bit i: application number i + 1 is served; 0: the usual ones
  bool nxp = false;  // NXP's services, too
  Behaviour behaviour = Behaviour::rpmsg_lite;
  bool consumed_notify = false;
  bool resource_table = false; // rpmsg_lite writes one, too
  uint32_t channels = 0;       // echoes more
  ReadySignal ready = ReadySignal::rxdb;
  uint32_t announce_delay_ms = 0;
  bool print_ready = false;
  bool quiet = false;
  bool hold = false;
  FaultPlan fault;
};

enum class Parsed { run, exit_ok, exit_usage };

/// Prints help, version or a complaint itself.
Parsed parse_options(int argc, char** argv, FirmwareOptions& options);
/// A sentence if a vdev was asked for that firmware on this SoC cannot address, else empty. The
/// default is cut to what there is.
std::string fit_vdevs(FirmwareOptions& options, const rpmsg_sim_reply& board);

} // namespace rpmsg::sim
