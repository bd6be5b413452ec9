// SPDX-License-Identifier: Apache-2.0
// What a hello leads to: a place at a core's MU, or a refusal that says why.
#include <algorithm>
#include <cstring>

#include "sim/soc/clock.h"
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
  if (hello.role < RPMSG_SIM_ROLE_HOST || hello.role > RPMSG_SIM_ROLE_SCU)
    return "role " + std::to_string(hello.role) + " is neither host (1), firmware (2) nor SCU (3)";
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

std::string Soc::find_place(Session& session, const rpmsg_sim_hello& hello) {
  const std::string name(hello.core), soc(options_.soc->name);
  if (hello.role == RPMSG_SIM_ROLE_SCU) {
    if (name != RPMSG_SIM_SCU_CORE)
      return "role SCU (3) is for core \"" RPMSG_SIM_SCU_CORE "\", not \"" + name + "\"";
    return scfw_ ? "" : "this " + soc + " has no SCFW; imx8qxp, imx8dxl and imx8qm have";
  }
  std::string names;
  for (const auto& life : lives_) {
    const char* known = life->info().name;
    if (name == known) session.life = life.get();
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  if (session.life != nullptr) return {};
  return "there is no core \"" + name + "\" on this " + soc + "; it has: " + names;
}

// Who has the place already, for a sentence; empty if nobody. The former client may be dead
// although its hang-up is still in the epoll queue.
std::string Soc::holder(const Session& session) {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    Session& other = *next++;
    if (&other == &session || other.role != session.role || other.life != session.life) continue;
    if (!has_hung_up(other.socket.get())) return "process " + std::to_string(other.pid);
    drop(&other);
  }
  return {};
}

std::string Soc::occupy(Session& session, const rpmsg_sim_hello& hello, uint32_t& status) {
  status = RPMSG_SIM_UNKNOWN_CORE;
  std::string problem = find_place(session, hello);
  if (!problem.empty()) return problem;
  session.role = hello.role;
  status = RPMSG_SIM_BUSY;
  const std::string first = holder(session);
  if (!first.empty()) {
    static constexpr const char* kRoles[] = {"", "host", "firmware", "client"};
    const char* role = kRoles[session.role];
    session.role = 0; // it has no place
    return "core " + std::string(hello.core) + " already has a " + role + ", " + first +
           "; end it first";
  }
  status = RPMSG_SIM_OK;
  return {};
}

// Firmware that comes in the middle of a reset waits for its end, as a CPU does for its power.
void Soc::accept_hello(Session& session) {
  session.deadline_ms = 0;
  const bool firmware = session.role == RPMSG_SIM_ROLE_FIRMWARE;
  if (firmware && !session.life->may_attach()) return;
  rpmsg_sim_reply reply = blank_reply(RPMSG_SIM_OK);
  std::copy(board_id_.begin(), board_id_.end(), reply.board_id);
  std::array<int, RPMSG_SIM_FD_COUNT> descriptors;
  // Occupied before the reply goes out: a client that has its reply is attached.
  session.attached = true;
  if (session.role == RPMSG_SIM_ROLE_SCU) {
    scfw_->attach(session.pid);
    scfw_->describe(*options_.soc, reply);
    descriptors = scfw_->descriptors(memory_.fd());
  } else {
    Core& core = session.life->core();
    core.attach(session.role, session.pid);
    if (firmware) session.life->attached();
    core.describe(session.role, reply);
    descriptors = core.descriptors(session.role);
  }
  if (!send_reply(session.socket.get(), reply, &descriptors)) drop(&session);
}

void Soc::accept_waiting() {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    Session& session = *next++;
    if (session.role != 0 && !session.attached) accept_hello(session);
  }
}

void Soc::refuse(Session& session, uint32_t status, const std::string& reason) {
  rpmsg_sim_reply reply = blank_reply(status);
  std::strncpy(reply.reason, reason.c_str(), sizeof reply.reason - 1);
  send_reply(session.socket.get(), reply, nullptr);
  drop(&session);
}

// The end of a firmware's connection is its death: every death passes this one function.
void Soc::drop(Session* session) {
  if (session->attached && session->role == RPMSG_SIM_ROLE_SCU) scfw_->detach();
  if (session->attached && session->life != nullptr) {
    session->life->core().detach(session->role);
    if (session->role == RPMSG_SIM_ROLE_FIRMWARE) session->life->hung_up(now_ms());
  }
  sessions_.remove_if([session](const Session& s) { return &s == session; });
}

} // namespace rpmsg::sim
