// SPDX-License-Identifier: Apache-2.0
// The control socket: several clients, each a stream of request lines and answer lines. Whatever a
// client sends or leaves unread, nobody else waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>

#include "sim/fd.h"
#include "sim/soc/listener.h"

namespace rpmsg::sim {

class Control {
public:
  static constexpr size_t kMostClients = 16;
  static constexpr size_t kMostRequestBytes = 1024;

  /// `answer` makes the answer to a request; neither has a newline.
  explicit Control(std::function<std::string(const std::string&)> answer)
      : answer_(std::move(answer)) {}

  /// An empty string, or a sentence that says why not.
  std::string open(const std::string& path);
  /// Readable when on_event() has work.
  int fd() const { return epoll_.get(); }
  void on_event();

private:
  struct Client {
    Fd socket;
    std::string unread;
  };

  void accept_clients();
  void serve(Client* client);
  /// False if the client is not worth keeping.
  bool take_lines(Client& client, bool at_end);
  bool reply(Client& client, const std::string& line);
  void drop(Client* client);

  std::function<std::string(const std::string&)> answer_;
  Listener listener_;
  Fd epoll_;
  std::list<Client> clients_; // the longest connected first
};

} // namespace rpmsg::sim
