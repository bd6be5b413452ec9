// SPDX-License-Identifier: Apache-2.0
// The steps of native/sim/README.md, "The MU" and "SCFW", for side A.
#include "support/scu_client.h"

#include <cstring>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "scu/scfw_api.h"

namespace rpmsg::test {
namespace {

constexpr uint32_t kOwn = 0, kScfw = 1;

uint32_t load(const uint32_t& wire) {
  return __atomic_load_n(&wire, __ATOMIC_ACQUIRE);
}
void store(uint32_t& wire, uint32_t value) {
  __atomic_store_n(&wire, value, __ATOMIC_RELEASE);
}

} // namespace

rpmsg_sim_reply say_hello(const std::string& path, uint32_t role, const std::string& core,
                          UniqueFd& socket, std::vector<UniqueFd>& fds) {
  rpmsg_sim_reply reply = {};
  reply.status = ~0u;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  socket.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return reply;
  rpmsg_sim_hello hello = {RPMSG_SIM_MAGIC, RPMSG_SIM_VERSION, role, 0, ""};
  std::strncpy(hello.core, core.c_str(), sizeof hello.core - 1);
  ::send(socket.get(), &hello, sizeof hello, MSG_NOSIGNAL);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * RPMSG_SIM_FD_COUNT)] = {};
  iovec data = {&reply, sizeof reply};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  pollfd readable = {socket.get(), POLLIN, 0};
  if (::poll(&readable, 1, kPatienceMs) != 1 ||
      ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC) != ssize_t{sizeof reply})
    reply.status = ~0u;
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
    int received[RPMSG_SIM_FD_COUNT] = {};
    std::memcpy(received, CMSG_DATA(header), sizeof received);
    for (int fd : received)
      fds.emplace_back(fd);
  }
  return reply;
}

ScuClient::ScuClient(const std::string& path) {
  reply_ = say_hello(path, RPMSG_SIM_ROLE_SCU, RPMSG_SIM_SCU_CORE, socket_, fds_);
  if (reply_.status != RPMSG_SIM_OK || fds_.size() != RPMSG_SIM_FD_COUNT) return;
  void* base = ::mmap(nullptr, reply_.mu_length, PROT_READ | PROT_WRITE, MAP_SHARED,
                      fds_[RPMSG_SIM_FD_MU].get(), 0);
  if (base == MAP_FAILED) return;
  mu_ = static_cast<rpmsg_sim_mu*>(base);
  store(mu_->side[kOwn].rie, 0xF);
  store(mu_->side[kOwn].tie, 0);
  store(mu_->side[kOwn].gie, 1u << SCFW_DOORBELL_SVC);
}

ScuClient::~ScuClient() {
  if (mu_ != nullptr) ::munmap(mu_, reply_.mu_length);
}

void ScuClient::raise(uint32_t side) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  const rpmsg_sim_side& on = mu_->side[side];
  bool level = (load(on.gie) & load(mu_->from[1 - side].gip)) != 0;
  for (uint32_t n = 0; n < RPMSG_SIM_MU_CHANNELS; n++) {
    level |= (load(on.rie) >> n & 1) != 0 && load(mu_->from[1 - side].channel[n].full) != 0;
    level |= (load(on.tie) >> n & 1) != 0 && load(mu_->from[side].channel[n].full) == 0;
  }
  if (!level || __atomic_exchange_n(&mu_->side[side].unmasked, 0, __ATOMIC_SEQ_CST) != 1) return;
  const uint64_t one = 1;
  const UniqueFd& line =
      fds_[side == kOwn ? RPMSG_SIM_FD_OWN_INTERRUPT : RPMSG_SIM_FD_PEER_INTERRUPT];
  (void)!::write(line.get(), &one, sizeof one);
}

template<typename Done>
bool ScuClient::wait_until(Done done, int timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!done()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    store(mu_->side[kOwn].unmasked, 1);
    raise(kOwn);
    pollfd line = {fds_[RPMSG_SIM_FD_OWN_INTERRUPT].get(), POLLIN, 0};
    // TE and a taken doorbell have no interrupt of their own here: look each millisecond.
    ::poll(&line, 1, static_cast<int>(std::min<long>(left, 1)));
    uint64_t events;
    (void)!::read(line.fd, &events, sizeof events);
  }
  return true;
}

void ScuClient::poke(uint32_t channel, uint32_t data, uint32_t full) {
  rpmsg_sim_channel& wire = mu_->from[kOwn].channel[channel];
  store(wire.data, data);
  store(wire.full, full);
  raise(kScfw);
}

bool ScuClient::send(uint32_t index, uint32_t word) {
  rpmsg_sim_channel& wire = mu_->from[kOwn].channel[index % SCFW_MU_CHANNELS];
  if (!wait_until([&] { return load(wire.full) == 0; }, kPatienceMs)) return false;
  store(wire.data, word);
  store(wire.full, 1);
  raise(kScfw);
  return true;
}

std::optional<uint32_t> ScuClient::receive(uint32_t index, int timeout_ms) {
  rpmsg_sim_channel& wire = mu_->from[kScfw].channel[index % SCFW_MU_CHANNELS];
  if (!wait_until([&] { return load(wire.full) == 1; }, timeout_ms)) return std::nullopt;
  const uint32_t word = load(wire.data);
  store(wire.full, 0);
  raise(kScfw);
  return word;
}

Words ScuClient::call(const Words& request, int timeout_ms) {
  for (uint32_t i = 0; i < request.size(); i++)
    if (!send(i, request[i])) return {};
  Words answer;
  do {
    const std::optional<uint32_t> word = receive(static_cast<uint32_t>(answer.size()), timeout_ms);
    if (!word) return {};
    answer.push_back(*word);
  } while (answer.size() < SCFW_SIZE_OF(answer[0]));
  return answer;
}

int ScuClient::call_code(const Words& request) {
  const Words answer = call(request);
  return answer.empty() ? -1 : static_cast<int>(SCFW_ERROR_OF(answer[0]));
}

bool ScuClient::reset_rpc() {
  __atomic_fetch_or(&mu_->from[kOwn].gip, 1u << SCFW_DOORBELL_RST, __ATOMIC_ACQ_REL);
  raise(kScfw);
  const auto taken = [&] { return (load(mu_->from[kOwn].gip) >> SCFW_DOORBELL_RST & 1) == 0; };
  if (!wait_until(taken, kPatienceMs)) return false;
  for (uint32_t n = 0; n < SCFW_MU_CHANNELS; n++)
    store(mu_->from[kScfw].channel[n].full, 0);
  raise(kScfw);
  return true;
}

int ScuClient::enable(uint32_t group, uint32_t mask, bool on) {
  return call_code({SCFW_WORD0(3u, uint32_t{SCFW_SVC_IRQ}, uint32_t{SCFW_IRQ_ENABLE}), mask,
                    uint32_t{SCFW_R_MU_1A} | group << 16 | (on ? 1u << 24 : 0)});
}

uint32_t ScuClient::status(uint32_t group) {
  const Words answer = call({SCFW_WORD0(2u, uint32_t{SCFW_SVC_IRQ}, uint32_t{SCFW_IRQ_STATUS}),
                             uint32_t{SCFW_R_MU_1A} | group << 16});
  return answer.size() == 2 && SCFW_ERROR_OF(answer[0]) == SCFW_ERR_NONE ? answer[1] : ~0u;
}

bool ScuClient::doorbell() const {
  return (load(mu_->from[kScfw].gip) >> SCFW_DOORBELL_SVC & 1) != 0;
}

void ScuClient::clear_doorbell() {
  __atomic_fetch_and(&mu_->from[kScfw].gip, ~(1u << SCFW_DOORBELL_SVC), __ATOMIC_ACQ_REL);
}

bool ScuClient::wait_doorbell(int timeout_ms) {
  if (!wait_until([&] { return doorbell(); }, timeout_ms)) return false;
  clear_doorbell();
  return true;
}

} // namespace rpmsg::test
