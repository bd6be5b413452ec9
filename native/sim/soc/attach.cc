// SPDX-License-Identifier: Apache-2.0
// What a hello leads to: a place at a core's MU, or a refusal that says why.
#include <algorithm>
#include <cstring>

#include "sim/soc/soc.h"

namespace rpmsg::sim {

rpmsg_sim_reply Soc::blank_reply(uint32_t status) const {
  rpmsg_sim_reply reply = {};
  reply.magic = RPMSG_SIM_MAGIC;
  reply.version = RPMSG_SIM_VERSION;
  reply.status = status;
  return reply;
}

void Soc::on_hello(Session& session) {
  rpmsg_sim_hello hello = {};
  switch (receive_hello(session.socket.get(), hello)) {
  case HelloResult::nothing: return;
  case HelloResult::closed: return drop(&session);
  case HelloResult::malformed:
    return refuse(session, RPMSG_SIM_BAD_HELLO,
                  "the hello must be one record of " + std::to_string(sizeof hello) + " bytes");
  case HelloResult::hello: break;
  }
  uint32_t status = RPMSG_SIM_OK;
  const std::string reason = refusal(session, hello, status);
  if (status == RPMSG_SIM_OK)
    accept_hello(session);
  else
    refuse(session, status, reason);
}

std::string Soc::refusal(Session& session, const rpmsg_sim_hello& hello, uint32_t& status) {
  status = RPMSG_SIM_BAD_HELLO;
  if (hello.magic != RPMSG_SIM_MAGIC) return "the hello does not begin with the magic number";
  if (hello.role != RPMSG_SIM_ROLE_HOST && hello.role != RPMSG_SIM_ROLE_FIRMWARE)
    return "role " + std::to_string(hello.role) + " is neither host (1) nor firmware (2)";
  status = RPMSG_SIM_BAD_VERSION;
  if (hello.version != RPMSG_SIM_VERSION)
    return "version " + std::to_string(hello.version) + " of the attach protocol is not spoken; " +
           "this SoC speaks version " + std::to_string(RPMSG_SIM_VERSION);
  status = RPMSG_SIM_BAD_HELLO; // only now: another version may use these fields otherwise
  if (hello.reserved != 0)
    return "the hello's reserved field is " + std::to_string(hello.reserved) + "; it must be 0";
  if (strnlen(hello.core, sizeof hello.core) == sizeof hello.core)
    return "the core name has no terminating zero; it has at most " +
           std::to_string(sizeof hello.core - 1) + " bytes";
  return occupy(session, hello, status);
}

std::string Soc::occupy(Session& session, const rpmsg_sim_hello& hello, uint32_t& status) {
  status = RPMSG_SIM_UNKNOWN_CORE;
  const std::string name(hello.core);
  const auto core = std::find_if(cores_.begin(), cores_.end(), [&name](const auto& candidate) {
    return name == candidate->info().name;
  });
  if (core == cores_.end()) {
    std::string names;
    for (const auto& known : cores_)
      names += (names.empty() ? "" : ", ") + std::string(known->info().name);
    return "there is no core \"" + name + "\" on this " + options_.soc->name + "; it has: " + names;
  }
  // The former client may be dead already although its hang-up is still in the epoll queue.
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    Session& other = *next++;
    if (other.core == core->get() && other.role == hello.role && has_hung_up(other.socket.get()))
      drop(&other);
  }
  status = RPMSG_SIM_BUSY;
  if (const pid_t pid = (*core)->attached(hello.role); pid != 0)
    return "core " + name + " already has a " +
           (hello.role == RPMSG_SIM_ROLE_HOST ? "host" : "firmware") + ", process " +
           std::to_string(pid) + "; end it first";
  status = RPMSG_SIM_OK;
  session.core = core->get();
  session.role = hello.role;
  return {};
}

void Soc::accept_hello(Session& session) {
  session.deadline_ms = 0;
  Core& core = *session.core;
  // Occupied before the reply goes out: a client that has its reply is attached.
  core.attach(session.role, session.pid);
  rpmsg_sim_reply reply = blank_reply(RPMSG_SIM_OK);
  std::copy(board_id_.begin(), board_id_.end(), reply.board_id);
  core.describe(session.role, reply);
  const auto descriptors = core.descriptors(session.role, ddr_.get());
  if (!send_reply(session.socket.get(), reply, &descriptors)) drop(&session);
}

void Soc::refuse(Session& session, uint32_t status, const std::string& reason) {
  rpmsg_sim_reply reply = blank_reply(status);
  std::strncpy(reply.reason, reason.c_str(), sizeof reply.reason - 1);
  send_reply(session.socket.get(), reply, nullptr);
  drop(&session);
}

// The end of a firmware's connection is its death. A reset flow (REBOOT before, REBOOTED after,
// then the next start) hooks in here: everything that follows a death passes this one function.
void Soc::drop(Session* session) {
  if (session->core != nullptr) session->core->detach(session->role);
  sessions_.remove_if([session](const Session& s) { return &s == session; });
}

} // namespace rpmsg::sim
