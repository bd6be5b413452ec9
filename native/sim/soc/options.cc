// SPDX-License-Identifier: Apache-2.0
// Parses rpmsg-soc's options; every complaint names the value and what would be accepted.
#include "sim/soc/options.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <getopt.h>

#include <algorithm>

#ifndef RPMSG_VERSION
#define RPMSG_VERSION "0.1.0"
#endif

namespace rpmsg::sim {
namespace {

constexpr char kHelp[] =
    "Usage: rpmsg-soc --socket PATH [options]\n"
    "A simulated NXP i.MX: reserved DDR, Messaging Units and the life of its M cores' firmware.\n"
    "\n"
    "  --socket PATH            where hosts and firmware attach\n"
    "  --soc NAME               which SoC (default imx8qxp); --soc list prints all\n"
    "  --core NAME              only this core of the SoC (may be repeated; default all)\n"
    "  --firmware CORE=COMMAND  start COMMAND as the core's firmware and start it again when it\n"
    "                           ends; CORE=external (the default): anyone may attach\n"
    "  --mu-reset keep|clear    what a dead core's MU registers become (default keep)\n"
    "  --ready-fd N             also write READY to descriptor N, then close it\n"
    "  --hello-timeout-ms N     how long a connection may stay silent (default 8000)\n"
    "  --help, --version\n"
    "\n"
    "Prints READY on standard output when clients can attach, then a line an event.\n";

bool complain(const std::string& sentence) {
  std::fprintf(stderr, "rpmsg-soc: %s\n", sentence.c_str());
  return false;
}

const CoreInfo* find_core(const SocInfo& soc, const std::string& name) {
  for (const CoreInfo& core : soc.cores)
    if (name == core.name) return &core;
  complain("core \"" + name + "\" is not on " + soc.name + ", which has: " + core_names(soc));
  return nullptr;
}

bool add_cores(SocOptions& options, const std::vector<std::string>& names) {
  if (names.empty())
    for (const CoreInfo& core : options.soc->cores)
      options.cores.push_back(&core);
  for (const std::string& name : names) {
    const CoreInfo* core = find_core(*options.soc, name);
    if (core == nullptr) return false;
    if (std::find(options.cores.begin(), options.cores.end(), core) == options.cores.end())
      options.cores.push_back(core);
  }
  return true;
}

bool add_firmware(SocOptions& options, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    const size_t equals = value.find('=');
    if (equals == std::string::npos || equals + 1 == value.size())
      return complain("--firmware \"" + value + "\" must be CORE=COMMAND or CORE=external");
    const std::string name = value.substr(0, equals);
    const CoreInfo* core = find_core(*options.soc, name);
    if (core == nullptr) return false;
    if (std::find(options.cores.begin(), options.cores.end(), core) == options.cores.end())
      return complain("--firmware names core \"" + name + "\", which --core left out");
    const std::string command = value.substr(equals + 1);
    if (command != "external") options.firmware[name] = command;
  }
  return true;
}

bool parse_number(const std::string& text, int& number) {
  if (text.empty() || text.size() > 6) return false;
  if (text.find_first_not_of("0123456789") != std::string::npos) return false;
  number = static_cast<int>(std::strtol(text.c_str(), nullptr, 10));
  return true;
}

bool parse_descriptor(const std::string& text, int& fd) {
  return parse_number(text, fd) && ::fcntl(fd, F_GETFD) >= 0;
}

bool parse_hello_timeout(const std::string& text, uint32_t& timeout_ms) {
  int number = 0;
  if (!parse_number(text, number) || number == 0)
    return complain("--hello-timeout-ms \"" + text + "\" must be a number from 1 to 999999");
  timeout_ms = static_cast<uint32_t>(number);
  return true;
}

} // namespace

Parsed parse_options(int argc, char** argv, SocOptions& options) {
  static const option kOptions[] = {{"socket", required_argument, nullptr, 's'},
                                    {"soc", required_argument, nullptr, 'S'},
                                    {"core", required_argument, nullptr, 'c'},
                                    {"firmware", required_argument, nullptr, 'f'},
                                    {"mu-reset", required_argument, nullptr, 'm'},
                                    {"ready-fd", required_argument, nullptr, 'r'},
                                    {"hello-timeout-ms", required_argument, nullptr, 't'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {"version", no_argument, nullptr, 'v'},
                                    {nullptr, 0, nullptr, 0}};
  std::string soc = "imx8qxp";
  std::string mu_reset = "keep";
  std::string ready_fd;
  std::vector<std::string> cores, firmware;
  int c;
  while ((c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1) {
    switch (c) {
    case 's': options.socket = optarg; break;
    case 'S': soc = optarg; break;
    case 'c': cores.push_back(optarg); break;
    case 'f': firmware.push_back(optarg); break;
    case 'm': mu_reset = optarg; break;
    case 'r': ready_fd = optarg; break;
    case 't':
      if (!parse_hello_timeout(optarg, options.hello_timeout_ms)) return Parsed::exit_usage;
      break;
    case 'h': std::fputs(kHelp, stdout); return Parsed::exit_ok;
    case 'v': std::puts("rpmsg-soc " RPMSG_VERSION); return Parsed::exit_ok;
    default: return Parsed::exit_usage;
    }
  }
  if (optind < argc) complain(std::string("unexpected argument \"") + argv[optind] + "\"");
  if (optind < argc) return Parsed::exit_usage;
  if (soc == "list") {
    std::puts(soc_names().c_str());
    return Parsed::exit_ok;
  }
  options.soc = find_soc(soc);
  options.clear_mu_on_death = mu_reset == "clear";
  if (options.soc == nullptr)
    complain("--soc \"" + soc + "\" is not known; there are: " + soc_names());
  else if (mu_reset != "keep" && mu_reset != "clear")
    complain("--mu-reset \"" + mu_reset + "\" must be keep or clear");
  else if (options.socket.empty())
    complain("--socket PATH is missing: where should hosts and firmware attach?");
  else if (!ready_fd.empty() && !parse_descriptor(ready_fd, options.ready_fd))
    complain("--ready-fd \"" + ready_fd + "\" must be the number of an open descriptor");
  else if (add_cores(options, cores) && add_firmware(options, firmware))
    return Parsed::run;
  return Parsed::exit_usage;
}

} // namespace rpmsg::sim
