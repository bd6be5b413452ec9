// SPDX-License-Identifier: Apache-2.0
// Parses rpmsg-firmware's options; every complaint names the value and what would be accepted.
#include "sim/firmware/options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <getopt.h>

#include <algorithm>
#include <bit>
#include <initializer_list>

#include "sim/firmware/apps.h"

#ifndef RPMSG_VERSION
#define RPMSG_VERSION "0.1.0"
#endif

namespace rpmsg::sim {
namespace {

constexpr uint32_t kMaxVdevs = 8;

constexpr char kHelp[] =
    "Usage: rpmsg-firmware [options]\n"
    "An M core's program on a simulated SoC: an RPMsg-Lite remote, or an OpenAMP one.\n"
    "\n"
    "  --socket PATH            rpmsg-soc's socket (default $RPMSG_SOC_SOCKET)\n"
    "  --core NAME              which core this is (default $RPMSG_SOC_CORE, else cm40)\n"
    "  --vdevs N                serve vdevs 0 to N-1 (default 2, at most what the SoC can)\n"
    "  --link I,J               serve these vdevs instead\n"
    "  --app NAME,NAME          serve only these applications (default 1 to 6 of README.md)\n"
    "  --nxp                    serve NXP's services, too: life-cycle, GPIO and RTC\n"
    "  --channels N             serve N echoes more: channel-1 to channel-N (at most 448)\n"
    "  --behaviour rpmsg-lite|openamp\n"
    "  --resource-table         write one although rpmsg-lite never looks at it (openamp has one)\n"
    "  --consumed-notify on|off tell the host of returned buffers (default: openamp only)\n"
    "  --ready none|rxdb|flag   how to say that the stack is ready (default rxdb)\n"
    "  --print-ready            print \"ready NANOSECONDS\" (CLOCK_MONOTONIC) as it says so\n"
    "  --announce-delay-ms N    wait so long after link-up\n"
    "  --quiet                  announce nothing; an echo is at address 30 as always\n"
    "  --hold                   take no message until SIGUSR1, which switches this on and off\n"
    "  --fault NAME[:N]         misbehave on the Nth occasion (0: each); --fault list\n"
    "  --vdev-fault I           only on this vdev\n"
    "  --help, --version\n"
    "\n"
    "SIGUSR2 restarts the stack without telling the host.\n";

bool reject(const char* option, const char* value, const std::string& rule) {
  std::fprintf(stderr, "rpmsg-firmware: --%s \"%s\" %s\n", option, value, rule.c_str());
  return false;
}

bool number(const char* option, const char* text, uint32_t most, uint32_t& value) {
  char* end = nullptr;
  const unsigned long parsed = std::strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || parsed > most)
    return reject(option, text, "must be a number from 0 to " + std::to_string(most));
  value = static_cast<uint32_t>(parsed);
  return true;
}

/// Calls `each` with every comma-separated word; false as soon as one is refused.
template<class Each>
bool words(const std::string& list, Each each) {
  for (size_t start = 0; start <= list.size();) {
    const size_t comma = std::min(list.find(',', start), list.size());
    if (!each(list.substr(start, comma - start))) return false;
    start = comma + 1;
  }
  return true;
}

bool parse_links(const char* list, uint32_t& links) {
  links = 0;
  return words(list, [&links](const std::string& word) {
    uint32_t link = 0;
    if (!number("link", word.c_str(), kMaxVdevs - 1, link)) return false;
    links |= 1u << link;
    return true;
  });
}

bool parse_apps(const char* list, uint32_t& apps) {
  apps = 0;
  return words(list, [&apps](const std::string& word) {
    std::string names;
    for (const AppInfo& app : all_apps()) {
      if (word == app.name) {
        apps |= 1u << (app.number - 1);
        return true;
      }
      names += (names.empty() ? "" : ", ") + std::string(app.name);
    }
    return reject("app", word.c_str(), "is not one of: " + names);
  });
}

/// The index of `text` among the choices, or -1 after a complaint.
int choose(const char* option, const char* text, std::initializer_list<const char*> choices) {
  int index = 0;
  std::string names;
  for (const char* choice : choices) {
    if (std::strcmp(text, choice) == 0) return index;
    names += (index++ == 0 ? "" : ", ") + std::string(choice);
  }
  reject(option, text, "is not one of: " + names);
  return -1;
}

bool parse_fault_option(const char* text, FaultPlan& plan) {
  return parse_fault(text, plan) ||
         reject("fault", text,
                "is not NAME[:N] with NAME one of: " + fault_names() +
                    "; crash-at takes :STEP[:N] with STEP one of: " + step_names());
}

enum Option {
  kSocket = 1,
  kCore,
  kVdevs,
  kLink,
  kApp,
  kNxp,
  kChannels,
  kBehaviour,
  kConsumed,
  kResourceTable,
  kReady,
  kPrintReady,
  kDelay,
  kQuiet,
  kHold,
  kFault,
  kVdevFault,
  kHelpOption,
  kVersion,
};

constexpr option kOptions[] = {{"socket", required_argument, nullptr, kSocket},
                               {"core", required_argument, nullptr, kCore},
                               {"vdevs", required_argument, nullptr, kVdevs},
                               {"link", required_argument, nullptr, kLink},
                               {"app", required_argument, nullptr, kApp},
                               {"nxp", no_argument, nullptr, kNxp},
                               {"channels", required_argument, nullptr, kChannels},
                               {"behaviour", required_argument, nullptr, kBehaviour},
                               {"consumed-notify", required_argument, nullptr, kConsumed},
                               {"resource-table", no_argument, nullptr, kResourceTable},
                               {"ready", required_argument, nullptr, kReady},
                               {"print-ready", no_argument, nullptr, kPrintReady},
                               {"announce-delay-ms", required_argument, nullptr, kDelay},
                               {"quiet", no_argument, nullptr, kQuiet},
                               {"hold", no_argument, nullptr, kHold},
                               {"fault", required_argument, nullptr, kFault},
                               {"vdev-fault", required_argument, nullptr, kVdevFault},
                               {"help", no_argument, nullptr, kHelpOption},
                               {"version", no_argument, nullptr, kVersion},
                               {nullptr, 0, nullptr, 0}};

bool apply(int c, const char* value, FirmwareOptions& options, int& consumed) {
  uint32_t n = 0;
  int choice = 0;
  switch (c) {
  case kSocket: options.socket = value; return true;
  case kCore: options.core = value; return true;
  case kVdevs:
    if (!number("vdevs", value, kMaxVdevs, n)) return false;
    options.links = (1u << n) - 1;
    return options.links_are_chosen = true;
  case kLink: options.links_are_chosen = true; return parse_links(value, options.links);
  case kApp: return parse_apps(value, options.apps);
  case kNxp: return options.nxp = true;
  case kChannels: return number("channels", value, kMaxChannels, options.channels);
  case kBehaviour:
    choice = choose("behaviour", value, {"rpmsg-lite", "openamp"});
    options.behaviour = choice == 1 ? Behaviour::openamp : Behaviour::rpmsg_lite;
    return choice >= 0;
  case kConsumed: return (consumed = choose("consumed-notify", value, {"off", "on"})) >= 0;
  case kResourceTable: return options.resource_table = true;
  case kReady:
    choice = choose("ready", value, {"none", "rxdb", "flag"});
    options.ready = static_cast<ReadySignal>(choice);
    return choice >= 0;
  case kPrintReady: return options.print_ready = true;
  case kDelay: return number("announce-delay-ms", value, 3600000, options.announce_delay_ms);
  case kQuiet: return options.quiet = true;
  case kHold: return options.hold = true;
  case kFault: return parse_fault_option(value, options.fault);
  case kVdevFault:
    if (!number("vdev-fault", value, kMaxVdevs - 1, n)) return false;
    options.fault.vdev = static_cast<int>(n);
    return true;
  default: return false;
  }
}

} // namespace

Parsed parse_options(int argc, char** argv, FirmwareOptions& options) {
  if (const char* socket = std::getenv("RPMSG_SOC_SOCKET")) options.socket = socket;
  if (const char* core = std::getenv("RPMSG_SOC_CORE")) options.core = core;
  int consumed = -1;
  int c;
  while ((c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1) {
    if (c == kHelpOption) std::fputs(kHelp, stdout);
    if (c == kVersion) std::puts("rpmsg-firmware " RPMSG_VERSION);
    if (c == kFault && std::strcmp(optarg, "list") == 0) std::puts(fault_names().c_str());
    if (c == kHelpOption || c == kVersion || (c == kFault && std::strcmp(optarg, "list") == 0))
      return Parsed::exit_ok;
    if (!apply(c, optarg, options, consumed)) return Parsed::exit_usage;
  }
  if (optind < argc) {
    std::fprintf(stderr, "rpmsg-firmware: unexpected argument \"%s\"\n", argv[optind]);
    return Parsed::exit_usage;
  }
  if (options.socket.empty()) {
    std::fputs("rpmsg-firmware: --socket PATH is missing: where does rpmsg-soc listen?\n", stderr);
    return Parsed::exit_usage;
  }
  if (options.apps == 0) options.apps = kUsualApps;
  if (options.nxp) options.apps |= kNxpApps;
  options.consumed_notify = consumed >= 0 ? consumed == 1 : options.behaviour == Behaviour::openamp;
  return Parsed::run;
}

std::string fit_vdevs(FirmwareOptions& options, const rpmsg_sim_reply& board) {
  if (!options.links_are_chosen) options.links &= (1u << board.max_vdevs) - 1;
  const auto beyond = static_cast<uint32_t>(std::bit_width(options.links)); // 0: no vdev at all
  if (beyond <= board.max_vdevs) return {};
  const std::string most = std::to_string(board.max_vdevs);
  return "--vdevs or --link asks for vdev " + std::to_string(beyond - 1) + "; firmware on " +
         std::string(board.soc, strnlen(board.soc, sizeof board.soc)) + " can address vdevs 0 to " +
         std::to_string(board.max_vdevs - 1) + " only: use --vdevs " + most + " or less";
}

} // namespace rpmsg::sim
