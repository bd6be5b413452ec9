// SPDX-License-Identifier: Apache-2.0
// Parsing of requests; every complaint names the value and what would be accepted.
#include "sim/soc/control_verbs.h"

#include <cstdlib>

#include <sstream>

#include "sim/soc/clock.h"

namespace rpmsg::sim {
namespace {

constexpr int64_t kDefaultWatchdogMs = 100;

struct Request {
  std::vector<std::string> arguments; // without the verb, and without the core
  CoreLife* life = nullptr;           // of the verbs that name a core
};

/// A verb's work: an empty string, or a sentence that says why it was not done.
using Handler = std::string (*)(const ControlledBoard&, const Request&);

struct Verb {
  const char* name;
  bool core;             // the first argument is a core's name
  const char* arguments; // the others, as usage shows them
  size_t least, most;    // how many others
  Handler handler;
};

/// -1 unless `text` is a number from 0 to 999999.
int64_t number_in(const std::string& text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (text.empty() || text.size() > 6 || !digits) return -1;
  return std::strtol(text.c_str(), nullptr, 10);
}

std::string not_a_number(const std::string& text) {
  return "\"" + text + "\" must be a number from 0 to 999999";
}

std::string reset(const ControlledBoard&, const Request& request) {
  if (request.arguments.empty()) return request.life->reset(std::nullopt, now_ms());
  const int64_t grace_ms = number_in(request.arguments[0]);
  if (grace_ms < 0) return not_a_number(request.arguments[0]);
  return request.life->reset(grace_ms, now_ms());
}

std::string kill(const ControlledBoard&, const Request& request) {
  return request.life->kill();
}

std::string lock_up(const ControlledBoard&, const Request& request) {
  int64_t watchdog_ms = kDefaultWatchdogMs;
  if (!request.arguments.empty()) watchdog_ms = number_in(request.arguments[0]);
  if (watchdog_ms < 0) return not_a_number(request.arguments[0]);
  return request.life->lock_up(watchdog_ms, now_ms());
}

std::string silent_restart(const ControlledBoard&, const Request& request) {
  return request.life->silent_restart();
}

std::string notify(const ControlledBoard&, const Request& request) {
  const std::string& group = request.arguments[0];
  if (group == "reboot") return request.life->notify(SCFW_IRQ_GROUP_REBOOT);
  if (group == "rebooted") return request.life->notify(SCFW_IRQ_GROUP_REBOOTED);
  return "\"" + group + "\" must be reboot or rebooted";
}

std::string hold(const ControlledBoard&, const Request& request) {
  request.life->hold();
  return {};
}

std::string release(const ControlledBoard&, const Request& request) {
  request.life->release(now_ms());
  return {};
}

std::string start_delay(const ControlledBoard&, const Request& request) {
  const int64_t ms = number_in(request.arguments[0]);
  if (ms < 0) return not_a_number(request.arguments[0]);
  request.life->set_start_delay(ms);
  return {};
}

std::string with_scfw(const ControlledBoard& board, const std::string& text, int64_t& number) {
  number = number_in(text);
  if (board.scfw == nullptr) return std::string(board.options.soc->name) + " has no SCFW";
  return number < 0 ? not_a_number(text) : "";
}

std::string scu_delay(const ControlledBoard& board, const Request& request) {
  int64_t ms = 0;
  std::string problem = with_scfw(board, request.arguments[0], ms);
  if (problem.empty()) board.scfw->rpc().set_delay(ms);
  return problem;
}

std::string scu_drop(const ControlledBoard& board, const Request& request) {
  int64_t count = 0;
  std::string problem = with_scfw(board, request.arguments[0], count);
  if (problem.empty()) board.scfw->rpc().set_drop(static_cast<uint32_t>(count));
  return problem;
}

constexpr Verb kVerbs[] = {
    {"status", false, "", 0, 0, nullptr},
    {"reset", true, "[GRACE_MS]", 0, 1, reset},
    {"kill", true, "", 0, 0, kill},
    {"lockup", true, "[WATCHDOG_MS]", 0, 1, lock_up},
    {"silent-restart", true, "", 0, 0, silent_restart},
    {"notify", true, "reboot|rebooted", 1, 1, notify},
    {"hold", true, "", 0, 0, hold},
    {"release", true, "", 0, 0, release},
    {"start-delay", true, "MS", 1, 1, start_delay},
    {"scu-delay", false, "MS", 1, 1, scu_delay},
    {"scu-drop", false, "COUNT", 1, 1, scu_drop},
};

std::string verb_names() {
  std::string names;
  for (const Verb& verb : kVerbs)
    names += (names.empty() ? "" : ", ") + std::string(verb.name);
  return names;
}

/// Takes the core's name off the arguments.
std::string take_core(const ControlledBoard& board, Request& request) {
  const std::string name = request.arguments.front();
  request.arguments.erase(request.arguments.begin());
  std::string names;
  for (const auto& life : board.lives) {
    if (name == life->info().name) request.life = life.get();
    names += (names.empty() ? "" : ", ") + std::string(life->info().name);
  }
  if (request.life != nullptr) return {};
  return "there is no core \"" + name + "\" on this " + board.options.soc->name +
         "; it has: " + names;
}

std::string carry_out(const ControlledBoard& board, const Verb& verb, Request request) {
  const size_t core = verb.core ? 1 : 0, count = request.arguments.size();
  if (count < verb.least + core || count > verb.most + core)
    return "the request must be: " + std::string(verb.name) + (verb.core ? " CORE " : " ") +
           verb.arguments;
  if (verb.core)
    if (std::string problem = take_core(board, request); !problem.empty()) return problem;
  return verb.handler(board, request);
}

} // namespace

std::string refuse_request(const std::string& sentence) {
  return JsonObject().add("ok", false).add("error", sentence).text();
}

std::string answer_request(const ControlledBoard& board, const std::string& line) {
  std::istringstream words(line);
  std::string name;
  Request request;
  words >> name;
  for (std::string word; words >> word;)
    request.arguments.push_back(word);
  for (const Verb& verb : kVerbs) {
    if (name != verb.name) continue;
    if (verb.handler == nullptr && request.arguments.empty()) return describe_board(board).text();
    const std::string problem =
        verb.handler == nullptr ? "status takes no argument" : carry_out(board, verb, request);
    return problem.empty() ? JsonObject().add("ok", true).text() : refuse_request(problem);
  }
  return refuse_request(
      (name.empty() ? "a request is a line with a verb" : "there is no verb \"" + name + "\"") +
      "; there are: " + verb_names());
}

} // namespace rpmsg::sim
