// SPDX-License-Identifier: Apache-2.0
// SCFW's interrupt, its notifications and its one client.
#include "sim/soc/scfw.h"

#include <cstring>

#include "sim/soc/clock.h"
#include "sim/soc/log.h"

namespace rpmsg::sim {

bool Scfw::create() {
  if (!mu_.create("rpmsg-scu")) return false;
  on_interrupt(now_ms());
  return true;
}

void Scfw::on_interrupt(int64_t now_ms) {
  side_.consume_interrupt();
  rpc_.service(now_ms);
  side_.unmask();
}

void Scfw::notify(uint32_t group, uint8_t partition) {
  if (irq_.trigger(group, 1u << partition)) side_.ring(SCFW_DOORBELL_SVC);
}

bool Scfw::listening(uint8_t partition) const {
  return client_ != 0 && (irq_.enabled(SCFW_IRQ_GROUP_REBOOT) >> partition & 1) != 0;
}

void Scfw::attach(pid_t pid) {
  client_ = pid > 0 ? pid : -1; // a process of another namespace has no number here
  say(RPMSG_SIM_SCU_CORE " client attached pid " + std::to_string(pid));
  mu_.wake_both();
}

void Scfw::detach() {
  say(RPMSG_SIM_SCU_CORE " client gone pid " + std::to_string(client_));
  client_ = 0;
  mu_.wake_both();
}

void Scfw::describe(const SocInfo& soc, rpmsg_sim_reply& reply) const {
  reply.mu_generation = RPMSG_SIM_MU_V1;
  reply.side = kClientSide;
  reply.mu_length = BoardMu::kBytes;
  std::strncpy(reply.soc, soc.name, sizeof reply.soc - 1);
}

} // namespace rpmsg::sim
