// SPDX-License-Identifier: Apache-2.0
// Parses rpmsg-soc's options; every complaint names the value and what would be accepted.
#include "sim/soc/options.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <getopt.h>

#include <algorithm>

#include "sim/soc/listener.h"

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
    "  --memory memfd|uio:NAME  where the reserved DDR is: memory of its own (the default), or "
    "the\n"
    "                           UIO device of that name, with maps at the board's addresses\n"
    "  --mu-reset keep|clear    what a dead core's MU registers become (default keep)\n"
    "  --ready-fd N             also write READY to descriptor N, then close it\n"
    "  --hello-timeout-ms N     how long a connection may stay silent (default 8000)\n"
    "  --start-delay-ms N       from the end of a core's firmware to its next start (default 10)\n"
    "  --reboot-timeout-ms N    how long a reset waits for the host to quiesce (default 100)\n"
    "  --partition NAME=N       SCFW partition of a core, or of the host (NAME host)\n"
    "  --control PATH|none      the control socket (default: that of --socket and \".control\")\n"
    "  --help, --version\n"
    "\n"
    "Prints READY on standard output when clients can attach, then a line an event.\n";

using Values = std::map<std::string, std::vector<std::string>>;

bool complain(const std::string& sentence) {
  std::fprintf(stderr, "rpmsg-soc: %s\n", sentence.c_str());
  return false;
}

/// The last value given, or `otherwise`.
std::string last(const Values& values, const std::string& option,
                 const std::string& otherwise = {}) {
  const auto found = values.find(option);
  return found == values.end() ? otherwise : found->second.back();
}

std::vector<std::string> all(const Values& values, const std::string& option) {
  const auto found = values.find(option);
  return found == values.end() ? std::vector<std::string>() : found->second;
}

const CoreInfo* find_core(const SocInfo& soc, const std::string& name) {
  for (const CoreInfo& core : soc.cores)
    if (name == core.name) return &core;
  complain("core \"" + name + "\" is not on " + soc.name + ", which has: " + core_names(soc));
  return nullptr;
}

bool has(const SocOptions& options, const CoreInfo* core) {
  return std::find(options.cores.begin(), options.cores.end(), core) != options.cores.end();
}

bool add_cores(SocOptions& options, const std::vector<std::string>& names) {
  if (names.empty())
    for (const CoreInfo& core : options.soc->cores)
      options.cores.push_back(&core);
  for (const std::string& name : names) {
    const CoreInfo* core = find_core(*options.soc, name);
    if (core == nullptr) return false;
    if (!has(options, core)) options.cores.push_back(core);
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
    if (!has(options, core))
      return complain("--firmware names core \"" + name + "\", which --core left out");
    const std::string command = value.substr(equals + 1);
    if (command != "external") options.firmware[name] = command;
  }
  return true;
}

bool parse_number(const std::string& text, uint32_t& number) {
  if (text.empty() || text.size() > 6) return false;
  if (text.find_first_not_of("0123456789") != std::string::npos) return false;
  number = static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
  return true;
}

bool set_ready_fd(SocOptions& options, const std::string& text) {
  uint32_t number = 0;
  if (text.empty()) return true;
  if (!parse_number(text, number) || ::fcntl(static_cast<int>(number), F_GETFD) < 0)
    return complain("--ready-fd \"" + text + "\" must be the number of an open descriptor");
  options.ready_fd = static_cast<int>(number);
  return true;
}

bool set_ms(const Values& values, const std::string& option, uint32_t least, uint32_t& ms) {
  const auto given = values.find(option);
  uint32_t number = 0;
  if (given == values.end()) return true;
  const std::string& text = given->second.back();
  if (!parse_number(text, number) || number < least)
    return complain("--" + option + " \"" + text + "\" must be a number from " +
                    std::to_string(least) + " to 999999");
  ms = number;
  return true;
}

bool set_partition(SocOptions& options, const std::string& value) {
  const size_t equals = value.find('=');
  uint32_t number = 0;
  if (equals == std::string::npos || !parse_number(value.substr(equals + 1), number) ||
      number == kScfwPartition || number >= SCFW_MAX_PARTITIONS)
    return complain("--partition \"" + value + "\" must be CORE=N or host=N with N from 1 to 31");
  const std::string name = value.substr(0, equals);
  if (!options.soc->has_scfw)
    return complain("--partition \"" + value + "\": " + options.soc->name + " has no SCFW");
  if (name == "host") {
    options.host_partition = static_cast<uint8_t>(number);
    return true;
  }
  const CoreInfo* core = find_core(*options.soc, name);
  if (core == nullptr) return false;
  if (!has(options, core))
    return complain("--partition names core \"" + name + "\", which --core left out");
  options.partitions[name] = static_cast<uint8_t>(number);
  return true;
}

bool add_partitions(SocOptions& options, const std::vector<std::string>& values) {
  for (const std::string& value : values)
    if (!set_partition(options, value)) return false;
  if (!options.soc->has_scfw) return true;
  std::map<uint8_t, std::string> owners = {{options.host_partition, "host"}};
  for (const CoreInfo* core : options.cores) {
    const uint8_t number =
        options.partitions.try_emplace(core->name, core->partition).first->second;
    const auto [owner, is_new] = owners.try_emplace(number, core->name);
    if (!is_new)
      return complain("partition " + std::to_string(number) + " is that of " + owner->second +
                      " and of " + core->name + ": give each its own with --partition");
  }
  return true;
}

bool set_soc(SocOptions& options, const std::string& name) {
  options.soc = find_soc(name);
  return options.soc != nullptr ||
         complain("--soc \"" + name + "\" is not known; there are: " + soc_names());
}

bool set_mu_reset(SocOptions& options, const std::string& value) {
  options.clear_mu_on_death = value == "clear";
  return value == "keep" || value == "clear" ||
         complain("--mu-reset \"" + value + "\" must be keep or clear");
}

bool set_memory(SocOptions& options, const std::string& value) {
  constexpr size_t kPrefix = sizeof "uio:" - 1;
  if (value == "memfd") return true;
  if (value.compare(0, kPrefix, "uio:") != 0 || value.size() == kPrefix)
    return complain("--memory \"" + value + "\" must be memfd or uio:NAME");
  options.uio_memory = value.substr(kPrefix);
  return true;
}

bool set_sockets(SocOptions& options, const Values& values) {
  options.socket = last(values, "socket");
  if (options.socket.empty())
    return complain("--socket PATH is missing: where should hosts and firmware attach?");
  options.control = last(values, "control", options.socket + ".control");
  const bool is_given = values.count("control") != 0;
  if (!is_given && options.control.size() > Listener::longest_path()) {
    complain("no control socket: its path would be too long; --control gives another");
    options.control.clear();
  }
  if (options.control == "none") options.control.clear();
  return true;
}

bool take_values(const Values& values, SocOptions& options) {
  return set_soc(options, last(values, "soc", "imx8qxp")) &&
         set_mu_reset(options, last(values, "mu-reset", "keep")) &&
         set_memory(options, last(values, "memory", "memfd")) && set_sockets(options, values) &&
         set_ready_fd(options, last(values, "ready-fd")) &&
         set_ms(values, "hello-timeout-ms", 1, options.hello_timeout_ms) &&
         set_ms(values, "start-delay-ms", 0, options.start_delay_ms) &&
         set_ms(values, "reboot-timeout-ms", 0, options.reboot_timeout_ms) &&
         add_cores(options, all(values, "core")) &&
         add_firmware(options, all(values, "firmware")) &&
         add_partitions(options, all(values, "partition"));
}

} // namespace

Parsed parse_options(int argc, char** argv, SocOptions& options) {
  static const option kOptions[] = {{"socket", required_argument, nullptr, 'o'},
                                    {"soc", required_argument, nullptr, 'o'},
                                    {"core", required_argument, nullptr, 'o'},
                                    {"firmware", required_argument, nullptr, 'o'},
                                    {"memory", required_argument, nullptr, 'o'},
                                    {"mu-reset", required_argument, nullptr, 'o'},
                                    {"ready-fd", required_argument, nullptr, 'o'},
                                    {"hello-timeout-ms", required_argument, nullptr, 'o'},
                                    {"start-delay-ms", required_argument, nullptr, 'o'},
                                    {"reboot-timeout-ms", required_argument, nullptr, 'o'},
                                    {"partition", required_argument, nullptr, 'o'},
                                    {"control", required_argument, nullptr, 'o'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {"version", no_argument, nullptr, 'v'},
                                    {nullptr, 0, nullptr, 0}};
  Values values;
  int c = 0, index = 0;
  while ((c = getopt_long(argc, argv, "", kOptions, &index)) != -1) {
    switch (c) {
    case 'o': values[kOptions[index].name].push_back(optarg); break;
    case 'h': std::fputs(kHelp, stdout); return Parsed::exit_ok;
    case 'v': std::puts("rpmsg-soc " RPMSG_VERSION); return Parsed::exit_ok;
    default: return Parsed::exit_usage;
    }
  }
  if (optind < argc) {
    complain(std::string("unexpected argument \"") + argv[optind] + "\"");
    return Parsed::exit_usage;
  }
  if (last(values, "soc") == "list") {
    std::puts(soc_names().c_str());
    return Parsed::exit_ok;
  }
  return take_values(values, options) ? Parsed::run : Parsed::exit_usage;
}

} // namespace rpmsg::sim
