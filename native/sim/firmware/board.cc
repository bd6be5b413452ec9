// SPDX-License-Identifier: Apache-2.0
// Connects to rpmsg-soc as a core's firmware and maps what it hands over.
#include "sim/firmware/board.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace rpmsg::sim {
namespace {

void* map_shared(int fd, uint64_t length, uint64_t offset) {
  void* base =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  return base == MAP_FAILED ? nullptr : base;
}

} // namespace

AttachedBoard::~AttachedBoard() {
  if (mu_ != nullptr) ::munmap(mu_, reply_.mu_length);
  for (uint32_t i = 0; i < bases_.size(); i++)
    if (bases_[i] != nullptr) ::munmap(bases_[i], reply_.segments[i].length);
}

std::string AttachedBoard::attach(const std::string& socket_path, const std::string& core) {
  std::string problem = exchange(socket_path, core);
  if (problem.empty()) problem = receive();
  if (problem.empty()) problem = map();
  return problem;
}

std::string AttachedBoard::exchange(const std::string& path, const std::string& core) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  rpmsg_sim_hello hello = {};
  hello.magic = RPMSG_SIM_MAGIC;
  hello.version = RPMSG_SIM_VERSION;
  hello.role = RPMSG_SIM_ROLE_FIRMWARE;
  if (path.size() >= sizeof address.sun_path) return "the socket path is too long: " + path;
  if (core.size() >= sizeof hello.core) return "the core name is too long: " + core;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::memcpy(hello.core, core.data(), core.size());
  socket_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket_ ||
      ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return "cannot connect to rpmsg-soc at \"" + path + "\": " + std::strerror(errno);
  if (::send(socket_.get(), &hello, sizeof hello, MSG_NOSIGNAL) != ssize_t{sizeof hello})
    return std::string("cannot say hello to rpmsg-soc: ") + std::strerror(errno);
  return {};
}

std::string AttachedBoard::receive() {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * RPMSG_SIM_FD_COUNT)] = {};
  iovec data = {&reply_, sizeof reply_};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got != ssize_t{sizeof reply_} || reply_.magic != RPMSG_SIM_MAGIC)
    return "rpmsg-soc hung up or does not speak the attach protocol";
  reply_.reason[sizeof reply_.reason - 1] = '\0';
  if (reply_.status != RPMSG_SIM_OK) return std::string("rpmsg-soc refused: ") + reply_.reason;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  int fds[RPMSG_SIM_FD_COUNT];
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof fds))
    return "rpmsg-soc sent the wrong number of descriptors";
  std::memcpy(fds, CMSG_DATA(header), sizeof fds);
  for (size_t i = 0; i < descriptors_.size(); i++)
    descriptors_[i].reset(fds[i]);
  return {};
}

std::string AttachedBoard::map() {
  mu_ = static_cast<rpmsg_sim_mu*>(map_shared(descriptor(RPMSG_SIM_FD_MU), reply_.mu_length, 0));
  if (mu_ == nullptr) return std::string("cannot map the MU: ") + std::strerror(errno);
  for (uint32_t i = 0; i < reply_.segment_count && i < RPMSG_SIM_MAX_SEGMENTS; i++) {
    const rpmsg_sim_segment& s = reply_.segments[i];
    if (s.fd >= RPMSG_SIM_FD_COUNT) return "rpmsg-soc described a segment without a descriptor";
    bases_[i] = static_cast<uint8_t*>(map_shared(descriptors_[s.fd].get(), s.length, s.offset));
    if (bases_[i] == nullptr) return std::string("cannot map memory: ") + std::strerror(errno);
  }
  return {};
}

} // namespace rpmsg::sim
