// SPDX-License-Identifier: Apache-2.0
// Passes bytes between the master of a pseudo-terminal and a stream of packets. Main thread.
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

#include "base/unique_fd.h"
#include "napi/listener.h"
#include "napi/uv_poll.h"

namespace rpmsg {

/// new TtyRelay(master, packets, maxMessageBytes, maxPacketBytes, onOver): it becomes the owner of
/// both descriptors. What a process writes into the terminal goes out in packets of at most
/// maxMessageBytes, each read only when the socket has room for it. A packet that comes is taken
/// out of the socket only when the terminal has taken all of it; how much it has of one that it
/// took in part is kept in the socket, too (SO_PEEK_OFF). So whoever goes on with the same two
/// descriptors, after a death at any time but between two calls that follow each other, neither
/// loses nor repeats a byte.
///
/// The slave may be closed and opened again by anyone; after each last close it is made raw.
/// onOver(0): the other end of the socket is closed; onOver(-errno): one of the two failed. Once,
/// and the last thing that happens.
class TtyRelay : public Napi::ObjectWrap<TtyRelay> {
public:
  static Napi::Function define(Napi::Env env);

  explicit TtyRelay(const Napi::CallbackInfo& info);

private:
  void close(const Napi::CallbackInfo& info);

  bool watch_both(int operation);
  void on_ready();
  void note_events();
  void to_remote();
  void to_terminal();
  bool fill();
  bool look();
  bool write_some();
  void rearm();
  void over(int error);
  void stop();

  UniqueFd master_;
  UniqueFd packets_;
  UniqueFd epoll_;
  UvPoll poll_;
  Listener listener_;
  Napi::ObjectReference self_;

  // What the last edges said, until a call says otherwise.
  bool master_has_bytes_ = false;
  bool master_has_room_ = false;
  bool packets_have_come_ = false;
  bool packets_have_room_ = false;
  bool has_more_ = false; // left for the next turn of the loop
  bool is_over_ = false;
  int error_ = 0;

  uint32_t message_bytes_ = 0;
  std::vector<uint8_t> outgoing_; // read from the terminal
  uint32_t unsent_ = 0;           // bytes of it that the socket has not taken
  std::vector<uint8_t> incoming_; // a packet that lies in the socket still
  uint32_t length_ = 0;           // of it; 0: none
  uint32_t written_ = 0;          // what the terminal has of it
};

} // namespace rpmsg
