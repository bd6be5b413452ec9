// SPDX-License-Identifier: Apache-2.0
// Socket calls of one attach connection.
#include "sim/soc/session.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

namespace rpmsg::sim {

HelloResult receive_hello(int socket, rpmsg_sim_hello& hello) {
  // No room for control data: the kernel closes descriptors that a client sends along.
  iovec data = {&hello, sizeof hello};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT);
  if (got < 0)
    return errno == EAGAIN || errno == EINTR ? HelloResult::nothing : HelloResult::closed;
  if (got == 0) return has_hung_up(socket) ? HelloResult::closed : HelloResult::malformed;
  const bool whole = got == ssize_t{sizeof hello} && (message.msg_flags & MSG_TRUNC) == 0;
  return whole ? HelloResult::hello : HelloResult::malformed;
}

bool send_reply(int socket, const rpmsg_sim_reply& reply,
                const std::array<int, RPMSG_SIM_FD_COUNT>* descriptors) {
  iovec data = {const_cast<rpmsg_sim_reply*>(&reply), sizeof reply};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * RPMSG_SIM_FD_COUNT)] = {};
  if (descriptors != nullptr) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors->size());
    std::memcpy(CMSG_DATA(header), descriptors->data(), sizeof(int) * descriptors->size());
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == ssize_t{sizeof reply};
}

bool has_hung_up(int socket) {
  pollfd state = {socket, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 1 &&
         (state.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)) != 0;
}

pid_t peer_pid(int socket) {
  ucred peer = {};
  socklen_t length = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

} // namespace rpmsg::sim
