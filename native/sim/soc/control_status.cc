// SPDX-License-Identifier: Apache-2.0
// The verb status: the board as one JSON object.
#include <unistd.h>

#include "sim/soc/control_verbs.h"

namespace rpmsg::sim {
namespace {

void add_pid(JsonObject& object, const char* key, pid_t pid) {
  if (pid == 0)
    object.add_null(key);
  else
    object.add(key, int64_t{pid});
}

JsonObject describe_group(const ScfwIrq& irq, uint32_t group) {
  return JsonObject()
      .add("enabled", int64_t{irq.enabled(group)})
      .add("pending", int64_t{irq.pending(group)});
}

JsonObject describe_scfw(Scfw& scfw, uint8_t host_partition) {
  JsonObject object;
  add_pid(object, "client", scfw.client());
  return object.add("host_partition", int64_t{host_partition})
      .add("calls", static_cast<int64_t>(scfw.rpc().calls()))
      .add("resets", static_cast<int64_t>(scfw.rpc().resets()))
      .add("delay_ms", scfw.rpc().delay_ms())
      .add("drop", int64_t{scfw.rpc().drop()})
      .add("reboot", describe_group(scfw.irq(), SCFW_IRQ_GROUP_REBOOT))
      .add("rebooted", describe_group(scfw.irq(), SCFW_IRQ_GROUP_REBOOTED));
}

const char* name_of(scfw_reset_reason reason) {
  switch (reason) {
  case SCFW_RESET_POR: return "por";
  case SCFW_RESET_JTAG: return "jtag";
  case SCFW_RESET_SW: return "sw";
  case SCFW_RESET_WDOG: return "wdog";
  case SCFW_RESET_LOCKUP: return "lockup";
  }
  return "";
}

JsonObject describe_core(CoreLife& life) {
  JsonObject object;
  object.add("name", life.info().name).add("state", life.state());
  add_pid(object, "host", life.core().attached(RPMSG_SIM_ROLE_HOST));
  add_pid(object, "firmware", life.core().attached(RPMSG_SIM_ROLE_FIRMWARE));
  add_pid(object, "program", life.program());
  object.add("supervised", life.supervised()).add("held", life.held());
  object.add("lives", int64_t{life.lives()}).add("deaths", int64_t{life.deaths()});
  object.add("start_delay_ms", life.start_delay_ms());
  if (life.has_scfw()) object.add("partition", int64_t{life.partition()});
  const auto reset = life.last_reset();
  return object.add("last_reset", reset ? name_of(reset->reason) : "por");
}

} // namespace

JsonObject describe_board(const ControlledBoard& board) {
  JsonObject object;
  object.add("ok", true).add("soc", board.options.soc->name).add("board_id", board.board_id);
  object.add("pid", int64_t{::getpid()}).add("socket", board.options.socket);
  std::vector<JsonObject> cores;
  for (const auto& life : board.lives)
    cores.push_back(describe_core(*life));
  object.add("cores", cores);
  if (board.scfw != nullptr)
    return object.add("scfw", describe_scfw(*board.scfw, board.options.host_partition));
  return object.add_null("scfw");
}

} // namespace rpmsg::sim
