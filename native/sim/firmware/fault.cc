// SPDX-License-Identifier: Apache-2.0
// The names of the faults on the command line.
#include "sim/firmware/fault.h"

#include <cerrno>
#include <cstdlib>

namespace rpmsg::sim {
namespace {

struct FaultName {
  const char* name;
  Fault fault;
};
constexpr FaultName kFaults[] = {
    {"bad-length", Fault::bad_length},
    {"unknown-dst", Fault::unknown_dst},
    {"ns-39", Fault::ns_39},
    {"ns-41", Fault::ns_41},
    {"ns-unterminated", Fault::ns_unterminated},
    {"ns-not-utf8", Fault::ns_not_utf8},
    {"ns-duplicate", Fault::ns_duplicate},
    {"used-id-range", Fault::used_id_range},
    {"used-id-duplicate", Fault::used_id_duplicate},
    {"used-idx-jump", Fault::used_idx_jump},
    {"short-used-len", Fault::short_used_len},
    {"header-len-overrun", Fault::header_len_overrun},
    {"bad-table", Fault::bad_table},
    {"needs-reset", Fault::needs_reset},
    {"status-zero", Fault::status_zero},
    {"never-drain-rr", Fault::never_drain_rr},
    {"bad-word", Fault::bad_word},
    {"crash-at", Fault::crash_at},
    {"silent-restart", Fault::silent_restart},
    {"nxp-version", Fault::nxp_version},
    {"nxp-failure", Fault::nxp_failure},
    {"nxp-silent", Fault::nxp_silent},
};
constexpr const char* kSteps[] = {"tr-data", "tr-full", "rr-read", "rr-clear", "gir", "raise-mask"};

bool parse_number(const std::string& text, uint32_t& value) {
  if (text.empty() || text.size() > 9) return false;
  for (char c : text)
    if (c < '0' || c > '9') return false;
  value = static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 10));
  return true;
}

bool parse_step(const std::string& text, Step& step) {
  for (size_t i = 0; i < sizeof kSteps / sizeof *kSteps; i++)
    if (text == kSteps[i]) step = static_cast<Step>(i);
  return step != Step::none;
}

} // namespace

bool parse_fault(const std::string& text, FaultPlan& plan) {
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  for (const FaultName& known : kFaults)
    if (name == known.name) plan.fault = known.fault;
  if (plan.fault == Fault::none) return false;
  plan.nth = plan.fault == Fault::never_drain_rr ? 16 : 1;
  if (plan.fault == Fault::crash_at) {
    const size_t second = rest.find(':');
    if (!parse_step(rest.substr(0, second), plan.step)) return false;
    if (second == std::string::npos) return true;
    rest = rest.substr(second + 1);
  } else if (colon == std::string::npos) {
    return true;
  }
  return parse_number(rest, plan.nth);
}

std::string fault_names() {
  std::string names;
  for (const FaultName& known : kFaults)
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}

std::string step_names() {
  std::string names;
  for (const char* step : kSteps)
    names += (names.empty() ? "" : ", ") + std::string(step);
  return names;
}

} // namespace rpmsg::sim
