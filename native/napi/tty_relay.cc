// SPDX-License-Identifier: Apache-2.0
#include "napi/tty_relay.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "napi/convert.h"
#include "napi/pty.h"

namespace rpmsg {

namespace {

constexpr napi_type_tag kTtyRelayTag = {0x7270'6d73'6764'5474, 0x7952'656c'6179'0001};
constexpr uint32_t kMaxBytes = 64 * 1024;
/// Each way in one turn of the event loop, so that a flood leaves time for everything else.
constexpr int kMessagesATurn = 64;

enum End : uint64_t { kMaster, kPackets };

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

bool has_room(int socket) {
  pollfd look{socket, POLLOUT, 0};
  return ::poll(&look, 1, 0) == 1;
}

/// How much of the first packet an earlier relay has passed on.
uint32_t passed_on(int socket) {
  int offset = -1;
  socklen_t size = sizeof offset;
  const bool is_known = getsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0;
  return is_known && offset > 0 ? static_cast<uint32_t>(offset) : 0;
}

/// -1: all of a packet is looked at, and none of it is passed on.
void note_passed_on(int socket, int bytes) {
  (void)setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &bytes, sizeof bytes);
}

} // namespace

Napi::Function TtyRelay::define(Napi::Env env) {
  return DefineClass(env, "TtyRelay", {InstanceMethod<&TtyRelay::close>("close")});
}

TtyRelay::TtyRelay(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TtyRelay>(info) {
  const Napi::Env env = info.Env();
  napi_type_tag_object(env, info.This(), &kTtyRelayTag);
  const auto master = to_u32(info[0], "master");
  const auto packets = to_u32(info[1], "packets");
  const auto message_bytes = to_u32(info[2], "maxMessageBytes");
  const auto packet_bytes = to_u32(info[3], "maxPacketBytes");
  if (!master || !packets || !message_bytes || !packet_bytes) return;
  const bool is_sound = *message_bytes >= 1 && *message_bytes <= kMaxBytes && *packet_bytes >= 1 &&
                        *packet_bytes <= kMaxBytes && info[4].IsFunction();
  if (!is_sound) {
    Napi::TypeError::New(env, "sizes must be 1 to 65536, onOver a function")
        .ThrowAsJavaScriptException();
    return;
  }
  master_.reset(static_cast<int>(*master));
  packets_.reset(static_cast<int>(*packets));
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  message_bytes_ = *message_bytes;
  outgoing_.resize(*message_bytes);
  incoming_.resize(*packet_bytes);
  written_ = passed_on(packets_.get());
  note_passed_on(packets_.get(), -1);
  const bool is_watched =
      watch_both(EPOLL_CTL_ADD) &&
      poll_.open(
          env, epoll_.get(), [](void* self, int) { static_cast<TtyRelay*>(self)->on_ready(); },
          this);
  if (!is_watched) {
    Napi::Error::New(env, "the descriptors cannot be watched").ThrowAsJavaScriptException();
    return;
  }
  listener_.set(info[4].As<Napi::Function>(), "rpmsgd.tty");
  self_ = Napi::Persistent(info.This().As<Napi::Object>());
  poll_.watch(UvPoll::kReadable);
}

void TtyRelay::close(const Napi::CallbackInfo&) {
  stop();
}

void TtyRelay::stop() {
  // What the terminal has taken of a packet is known to whoever goes on with the socket.
  if (packets_ && written_ > 0) note_passed_on(packets_.get(), static_cast<int>(written_));
  poll_.close(); // before the descriptors
  epoll_.reset();
  master_.reset();
  packets_.reset();
  listener_.reset();
  self_.Reset();
}

/// By edges: a master without a slave reports a hang-up for as long as that lasts.
bool TtyRelay::watch_both(int operation) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = kMaster;
  if (epoll_ctl(epoll_.get(), operation, master_.get(), &event) != 0) return false;
  event.data.u64 = kPackets;
  return epoll_ctl(epoll_.get(), operation, packets_.get(), &event) == 0;
}

void TtyRelay::on_ready() {
  note_events();
  has_more_ = false;
  to_terminal();
  to_remote();
  if (has_more_ && !is_over_) rearm();
  if (is_over_) over(error_);
}

void TtyRelay::note_events() {
  std::array<epoll_event, 2> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const auto& [what, data] = events[static_cast<size_t>(i)];
    const bool can_read = (what & (EPOLLIN | EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0;
    const bool can_write = (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    if (data.u64 == kMaster) {
      // Its last process has closed it: the next one finds it as the first one did.
      if ((what & EPOLLHUP) != 0) (void)make_raw(master_.get());
      master_has_bytes_ |= can_read;
      master_has_room_ |= can_write;
    } else {
      packets_have_come_ |= can_read;
      packets_have_room_ |= can_write;
    }
  }
}

void TtyRelay::to_remote() {
  for (int budget = kMessagesATurn; !is_over_ && packets_have_room_; --budget) {
    if (unsent_ == 0 && !master_has_bytes_) return;
    if (budget == 0) {
      has_more_ = true;
      return;
    }
    if (unsent_ == 0 && !fill()) return;
    const ssize_t sent =
        send(packets_.get(), outgoing_.data(), unsent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      unsent_ = 0;
    } else if (would_block()) {
      packets_have_room_ = false;
    } else {
      is_over_ = true;
      error_ = errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
    }
  }
}

/// Reads a message from the terminal, if the socket can take one: what is read must not be lost.
bool TtyRelay::fill() {
  if (!has_room(packets_.get())) {
    packets_have_room_ = false;
    return false;
  }
  const ssize_t count = read(master_.get(), outgoing_.data(), message_bytes_);
  if (count > 0) {
    unsent_ = static_cast<uint32_t>(count);
    return true;
  }
  master_has_bytes_ = false;
  // EIO: nobody has the slave open; whoever opens it and writes is a new edge.
  if (count < 0 && !would_block() && errno != EIO) {
    is_over_ = true;
    error_ = -errno;
  }
  return false;
}

void TtyRelay::to_terminal() {
  for (int budget = kMessagesATurn; !is_over_ && master_has_room_; --budget) {
    if (length_ == 0 && !packets_have_come_) return;
    if (budget == 0) {
      has_more_ = true;
      return;
    }
    if (length_ == 0 && !look()) return;
    if (written_ < length_ && !write_some()) return;
    if (written_ < length_) continue;
    (void)recv(packets_.get(), nullptr, 0, MSG_DONTWAIT | MSG_TRUNC);
    note_passed_on(packets_.get(), -1);
    length_ = written_ = 0;
  }
}

bool TtyRelay::write_some() {
  const ssize_t taken = write(master_.get(), incoming_.data() + written_, length_ - written_);
  if (taken > 0) {
    written_ += static_cast<uint32_t>(taken);
    return true;
  }
  if (taken < 0 && !would_block()) {
    is_over_ = true;
    error_ = -errno;
  }
  master_has_room_ = false;
  if (written_ > 0) note_passed_on(packets_.get(), static_cast<int>(written_));
  return false;
}

/// Looks at the next packet, and leaves it where it is.
bool TtyRelay::look() {
  const ssize_t count =
      recv(packets_.get(), incoming_.data(), incoming_.size(), MSG_DONTWAIT | MSG_PEEK);
  if (count > 0) {
    length_ = static_cast<uint32_t>(count);
    return true;
  }
  packets_have_come_ = false;
  if (count == 0) {
    is_over_ = true; // empty messages do not come through this socket
  } else if (!would_block()) {
    is_over_ = true;
    error_ = errno == ECONNRESET ? 0 : -errno;
  }
  return false;
}

/// Asks for the edges again that were not followed to their end.
void TtyRelay::rearm() {
  if (!watch_both(EPOLL_CTL_MOD)) {
    is_over_ = true;
    error_ = -errno;
  }
}

void TtyRelay::over(int error) {
  const Napi::Env env = self_.Env();
  const Napi::HandleScope scope(env);
  poll_.watch(0);
  const napi_value argument = Napi::Number::New(env, error);
  listener_.call(env, self_.Value(), {&argument, 1}); // `this` may be closed by now
}

} // namespace rpmsg
