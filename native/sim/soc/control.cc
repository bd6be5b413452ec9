// SPDX-License-Identifier: Apache-2.0
// Connections of the control socket, on an epoll of their own within the board's.
#include "sim/soc/control.h"

#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>

#include "sim/soc/control_verbs.h"

namespace rpmsg::sim {
namespace {

constexpr int kEventsAtOnce = 8;

bool watch(int epoll, int fd, void* tag) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.ptr = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

} // namespace

std::string Control::open(const std::string& path) {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  std::string problem = listener_.open(path, {"--control", SOCK_STREAM, 0600});
  if (problem.empty() && (!epoll_ || !watch(epoll_.get(), listener_.fd(), &listener_)))
    problem = std::string("cannot watch the control socket: ") + std::strerror(errno);
  return problem;
}

void Control::on_event() {
  epoll_event events[kEventsAtOnce];
  const int count = ::epoll_wait(epoll_.get(), events, kEventsAtOnce, 0);
  for (int i = 0; i < count; i++) {
    if (events[i].data.ptr == &listener_)
      accept_clients();
    else
      serve(static_cast<Client*>(events[i].data.ptr));
  }
}

void Control::accept_clients() {
  const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (clients_.size() >= kMostClients)
    drop(&clients_.front()); // who hangs must not lock others out
  Client& client = clients_.emplace_back();
  client.socket.reset(fd);
  if (!watch(epoll_.get(), fd, &client)) drop(&client);
}

void Control::serve(Client* client) {
  // One that an earlier event of this round dropped still has its own event waiting.
  const auto known = [client](const Client& c) { return &c == client; };
  if (std::none_of(clients_.begin(), clients_.end(), known)) return;
  char bytes[kMostRequestBytes];
  const ssize_t got = ::recv(client->socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) drop(client);
    return;
  }
  client->unread.append(bytes, static_cast<size_t>(got));
  if (!take_lines(*client, got == 0) || got == 0) drop(client);
}

bool Control::take_lines(Client& client, bool at_end) {
  if (at_end && !client.unread.empty()) client.unread += '\n'; // the last line may lack its end
  for (size_t end; (end = client.unread.find('\n')) != std::string::npos;) {
    const std::string line = client.unread.substr(0, end);
    client.unread.erase(0, end + 1);
    if (!reply(client, answer_(line))) return false;
  }
  if (client.unread.size() <= kMostRequestBytes) return true;
  reply(client,
        refuse_request("a request has at most " + std::to_string(kMostRequestBytes) + " bytes"));
  return false;
}

bool Control::reply(Client& client, const std::string& line) {
  const std::string text = line + "\n";
  // A client that asks and does not read fills its socket, and is dropped.
  return ::send(client.socket.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

void Control::drop(Client* client) {
  clients_.remove_if([client](const Client& c) { return &c == client; });
}

} // namespace rpmsg::sim
