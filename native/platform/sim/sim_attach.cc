// SPDX-License-Identifier: Apache-2.0
// Connects to rpmsg-soc and checks what it answers (native/sim/README.md).
#include "platform/sim/sim_attach.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <utility>

namespace rpmsg {
namespace {

constexpr int kReplyTimeoutMs = 5000;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kFourGiB = uint64_t{1} << 32;

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

/// Why connect() failed, as what the person should do about it.
std::string connect_failure(const std::string& path, int error) {
  const std::string where = "simulated SoC socket " + quoted(path);
  if (error == ENOENT)
    return where + " does not exist: start rpmsg-soc --socket " + path + ", or correct the path";
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISSOCK(info.st_mode))
    return where + " is not a socket: give the path that rpmsg-soc --socket was started with";
  if (error == ECONNREFUSED)
    return where + " has nobody listening: rpmsg-soc has ended, start it again";
  if (error == EPROTOTYPE)
    return where + " is not a SOCK_SEQPACKET socket: it belongs to another program, not rpmsg-soc";
  return where + " cannot be opened: " + std::strerror(error);
}

std::string connect_to(const std::string& path, UniqueFd& socket) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return "simulated SoC socket " + quoted(path) + " has a path of " +
           std::to_string(path.size()) + " bytes: it must have 1 to " +
           std::to_string(sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path.data(), path.size());
  socket.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return std::string("cannot create a Unix socket: ") + std::strerror(errno);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return connect_failure(path, errno);
  return {};
}

std::string send_hello(int socket, rpmsg_sim_role role, const std::string& core) {
  rpmsg_sim_hello hello = {};
  hello.magic = RPMSG_SIM_MAGIC;
  hello.version = RPMSG_SIM_VERSION;
  hello.role = static_cast<uint32_t>(role);
  if (core.empty() || core.size() >= sizeof hello.core)
    return "core name " + quoted(core) + " must have 1 to " +
           std::to_string(sizeof hello.core - 1) + " bytes";
  std::memcpy(hello.core, core.data(), core.size());
  if (::send(socket, &hello, sizeof hello, MSG_NOSIGNAL) != ssize_t{sizeof hello})
    return std::string("cannot say hello to rpmsg-soc: ") + std::strerror(errno);
  return {};
}

struct Received {
  ssize_t bytes = -1;
  size_t descriptor_count = 0;
};

/// Takes every descriptor that came, also the ones nobody asked for, so that none can leak.
Received receive(int socket, SimAttachment& attachment) {
  constexpr size_t kRoom = RPMSG_SIM_FD_COUNT;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kRoom)] = {};
  iovec data = {&attachment.reply, sizeof attachment.reply};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  Received result;
  result.bytes = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (result.bytes < 0) return result;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      UniqueFd owned(fd);
      if (result.descriptor_count < kRoom)
        attachment.descriptors[result.descriptor_count++] = std::move(owned);
    }
  }
  return result;
}

std::string check_segment(const rpmsg_sim_segment& segment, int fd) {
  const char* problem =
      "it describes a segment that is not page aligned, not below 4 GiB or not in its memory";
  const uint64_t unaligned = (segment.physical | segment.length | segment.offset) % kPage;
  struct stat info = {};
  if (unaligned != 0 || segment.length == 0 || segment.length > kFourGiB ||
      segment.physical > kFourGiB - segment.length || ::fstat(fd, &info) != 0)
    return problem;
  // A UIO device has no size: its mmap() knows which maps there are, and what they have.
  if (S_ISCHR(info.st_mode)) return {};
  if (segment.offset > static_cast<uint64_t>(info.st_size) ||
      segment.length > static_cast<uint64_t>(info.st_size) - segment.offset)
    return problem;
  return {};
}

std::string check_accepted(const SimAttachment& attachment, size_t descriptor_count) {
  const rpmsg_sim_reply& reply = attachment.reply;
  if (descriptor_count != RPMSG_SIM_FD_COUNT) return "it sent the wrong number of descriptors";
  if (reply.side > 1 || reply.mu_generation < RPMSG_SIM_MU_V1 ||
      reply.mu_generation > RPMSG_SIM_MU_V2)
    return "it describes a MU this program does not know";
  struct stat info = {};
  if (reply.mu_length < sizeof(rpmsg_sim_mu) ||
      ::fstat(attachment.descriptors[RPMSG_SIM_FD_MU].get(), &info) != 0 ||
      reply.mu_length > static_cast<uint64_t>(info.st_size))
    return "it describes a MU smaller than the model";
  if (reply.segment_count > RPMSG_SIM_MAX_SEGMENTS) return "it describes too many segments";
  for (uint32_t i = 0; i < reply.segment_count; i++) {
    const rpmsg_sim_segment& segment = reply.segments[i];
    if (segment.fd >= RPMSG_SIM_FD_COUNT) return "it describes a segment without a descriptor";
    std::string problem = check_segment(segment, attachment.descriptors[segment.fd].get());
    if (!problem.empty()) return problem;
  }
  return {};
}

std::string receive_reply(const std::string& path, SimAttachment& attachment) {
  const std::string who = "the simulated SoC at " + quoted(path);
  pollfd ready = {attachment.socket.get(), POLLIN, 0};
  int polled;
  do {
    polled = ::poll(&ready, 1, kReplyTimeoutMs);
  } while (polled < 0 && errno == EINTR);
  if (polled <= 0) return who + " did not answer within " + std::to_string(kReplyTimeoutMs) + " ms";
  const Received received = receive(attachment.socket.get(), attachment);
  rpmsg_sim_reply& reply = attachment.reply;
  if (received.bytes != ssize_t{sizeof reply} || reply.magic != RPMSG_SIM_MAGIC)
    return who + " hung up or does not speak the attach protocol: is it rpmsg-soc?";
  reply.reason[sizeof reply.reason - 1] = '\0';
  reply.soc[sizeof reply.soc - 1] = '\0';
  if (reply.version != RPMSG_SIM_VERSION)
    return who + " speaks version " + std::to_string(reply.version) +
           " of the attach protocol, this program version " + std::to_string(RPMSG_SIM_VERSION) +
           ": use both from one release";
  attachment.status = static_cast<rpmsg_sim_status>(reply.status);
  if (reply.status != RPMSG_SIM_OK) return who + " refused: " + reply.reason;
  const std::string problem = check_accepted(attachment, received.descriptor_count);
  return problem.empty() ? problem : who + " cannot be used: " + problem;
}

} // namespace

SimAttachment attach_sim(const std::string& socket_path, rpmsg_sim_role role,
                         const std::string& core) {
  SimAttachment attachment;
  attachment.error = connect_to(socket_path, attachment.socket);
  if (attachment.error.empty()) attachment.error = send_hello(attachment.socket.get(), role, core);
  if (attachment.error.empty()) attachment.error = receive_reply(socket_path, attachment);
  return attachment;
}

} // namespace rpmsg
