// SPDX-License-Identifier: Apache-2.0
#include "link/board_choice.h"

#include "scu/scfw_api.h"

namespace rpmsg {

OpenedPlatform BoardChoice::open(const RemoteSetup& setup) {
  if (setup.uio) return uio_.open(*setup.uio);
  return open_sim_platform(setup.sim_socket, setup.core);
}

std::string BoardChoice::scu_name(const RemoteSetup& setup) {
  if (!setup.uio) return setup.sim_socket;
  if (setup.scu_mu.empty()) return {};
  return setup.scu_mu.name + "@" + hex_text(setup.scu_mu.address);
}

uint16_t BoardChoice::scu_resource(const RemoteSetup& setup) {
  // The MU by which the simulated boards let a host reach SCFW.
  return setup.uio ? setup.scu_mu_resource : uint16_t{SCFW_R_MU_1A};
}

OpenedPlatform BoardChoice::open_scu(const RemoteSetup& setup) {
  if (!setup.uio) return open_sim_scu(setup.sim_socket);
  UioBoard scu;
  scu.mu = setup.scu_mu;
  scu.soc = setup.soc;
  return uio_.open(scu);
}

} // namespace rpmsg
