// SPDX-License-Identifier: Apache-2.0
#include "link/link_thread.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"

namespace rpmsg {

namespace {

// What an epoll event is about: the index of a remote or SCU and which of its descriptors, or the
// address of a stream, whose upper byte is zero.
enum class Source : uint64_t { wake, timer, interrupt, board, stream, scu_interrupt, scu_board };

constexpr uint64_t tag_of(Source source, uint64_t index = 0) {
  return static_cast<uint64_t>(source) | index << 8;
}

constexpr bool is_scu(uint64_t tag) {
  return static_cast<Source>(tag & 0xFF) >= Source::scu_interrupt;
}

// What one remote's burst may take of a turn: so often what has come meanwhile.
constexpr unsigned kLooksOn = 8;

void drain_counter(int fd) {
  uint64_t count = 0;
  while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

} // namespace

LinkThread::LinkThread(Remotes& remotes, Scus& scus, SpscQueue<Command>& commands,
                       Delivery& delivery)
    : remotes_(remotes), scus_(scus), commands_(commands), delivery_(delivery),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Result<void> LinkThread::watch(int fd, uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return Error{Errc::os, errno, "watch a descriptor", tag};
  }
  return {};
}

Result<void> LinkThread::set_up() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll_ || !timer_ || !wake_fd_) return Error{Errc::os, errno, "set up the link thread", 0};
  if (auto watched = watch(wake_fd_.get(), tag_of(Source::wake)); !watched) return watched;
  if (auto watched = watch(timer_.get(), tag_of(Source::timer)); !watched) return watched;
  for (size_t i = 0; i < remotes_.size(); ++i) {
    remotes_[i]->set_epoll(epoll_.get());
    auto watched = watch(remotes_[i]->interrupt_fd(), tag_of(Source::interrupt, i));
    if (watched && remotes_[i]->board_fd() >= 0) {
      watched = watch(remotes_[i]->board_fd(), tag_of(Source::board, i));
    }
    if (!watched) return watched;
  }
  for (size_t i = 0; i < scus_.size(); ++i) {
    auto watched = watch(scus_[i]->interrupt_fd(), tag_of(Source::scu_interrupt, i));
    if (watched && scus_[i]->board_fd() >= 0) {
      watched = watch(scus_[i]->board_fd(), tag_of(Source::scu_board, i));
    }
    if (!watched) return watched;
  }
  return {};
}

Result<void> LinkThread::start(int realtime_priority, uint32_t busy_poll_us) {
  busy_poll_ns_ = uint64_t{busy_poll_us} * 1000;
  if (auto ready = set_up(); !ready) return ready;
  // The thread inherits the policy, so that being refused is noticed before it touches a register.
  sched_param before{};
  int policy = 0;
  pthread_getschedparam(pthread_self(), &policy, &before);
  if (realtime_priority > 0) {
    sched_param wanted{};
    wanted.sched_priority = realtime_priority;
    const int error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &wanted);
    if (error != 0) {
      return Error{Errc::os, error, "set the link thread's real-time priority",
                   static_cast<uint64_t>(realtime_priority)};
    }
  }
  thread_ = std::thread([this] { run(); });
  if (realtime_priority > 0) pthread_setschedparam(pthread_self(), policy, &before);
  pthread_setname_np(thread_.native_handle(), "link");
  return {};
}

void LinkThread::wake() {
  if (is_woken_.exchange(true, std::memory_order_acq_rel)) return;
  const uint64_t one = 1;
  while (write(wake_fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void LinkThread::on_drained() {
  if (is_starved_.exchange(false, std::memory_order_acq_rel)) wake();
}

void LinkThread::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_seq_cst);
  wake();
  thread_.join();
}

void LinkThread::run() {
  const uint64_t now = monotonic_ns();
  run_commands(now); // endpoints opened before the start know their addresses from the first look
  for (auto& remote : remotes_)
    remote->start(now);
  for (auto& scu : scus_)
    scu->start(now);
  settle(now);
  while (!stopping_.load(std::memory_order_relaxed))
    turn();
  for (auto& remote : remotes_)
    remote->stop();
  for (auto& scu : scus_)
    scu->stop();
}

void LinkThread::turn() {
  std::array<epoll_event, 32> ready;
  const bool more = anyone_has_more() || is_busy_polling(monotonic_ns());
  if (!more) arm_timer(monotonic_ns());
  const int count = epoll_wait(epoll_.get(), ready.data(), ready.size(), more ? 0 : -1);
  const uint64_t now = monotonic_ns();
  // SCFW first: a remote that was reset gets fresh rings before anything else is done about it.
  for (int i = 0; i < count; ++i)
    if (const uint64_t tag = ready[static_cast<size_t>(i)].data.u64; is_scu(tag)) {
      handle_scu(tag, now);
    }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<size_t>(i)];
    if (!is_scu(event.data.u64)) handle(event.data.u64, event.events, now);
  }
  for (auto& scu : scus_)
    if (scu->next_deadline() <= now) scu->on_timer(now);
  run_commands(now);
  for (auto& remote : remotes_) {
    if (remote->has_more() || now < busy_until_ns_) remote->continue_work(now);
    if (remote->next_deadline(now) <= now) remote->on_timer(now);
  }
  settle(now);
  for (auto& remote : remotes_) {
    for (unsigned i = 0; i < kLooksOn && remote->look_on(); ++i)
      settle(monotonic_ns());
  }
  beats_.fetch_add(1, std::memory_order_relaxed);
}

void LinkThread::handle(uint64_t tag, uint32_t events, uint64_t now_ns) {
  if (static_cast<Source>(tag & 0xFF) == Source::stream) {
    auto& stream = *reinterpret_cast<Stream*>(tag >> 8);
    return remotes_[stream.remote]->on_stream(stream, events);
  }
  Remote* remote = remotes_.empty() ? nullptr : remotes_[tag >> 8].get();
  switch (static_cast<Source>(tag & 0xFF)) {
  case Source::wake:
    drain_counter(wake_fd_.get());
    // Before the queues are looked at. An exchange: we see all that was stored before the wake-up
    // that it takes back, and that nobody will announce again.
    (void)is_woken_.exchange(false, std::memory_order_acq_rel);
    return;
  case Source::timer:
    drain_counter(timer_.get());
    timer_at_ns_ = kNever;
    return;
  case Source::interrupt: remote->on_interrupt(now_ns); return;
  case Source::board:
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, remote->board_fd(), nullptr);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, remote->interrupt_fd(), nullptr);
    remote->on_board_gone();
    return;
  default: return;
  }
}

void LinkThread::handle_scu(uint64_t tag, uint64_t now_ns) {
  BoardScu& scu = *scus_[tag >> 8];
  if (static_cast<Source>(tag & 0xFF) == Source::scu_interrupt) return scu.on_interrupt(now_ns);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, scu.board_fd(), nullptr);
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, scu.interrupt_fd(), nullptr);
  scu.on_board_gone();
}

void LinkThread::run_commands(uint64_t now_ns) {
  Command command;
  for (uint32_t i = 0; i < commands_.capacity() && commands_.pop(command); ++i) {
    execute(command, now_ns);
  }
  if (is_room_wanted_.exchange(false, std::memory_order_acquire)) delivery_.events().nudge();
}

void LinkThread::execute(const Command& command, uint64_t now_ns) {
  Remote& remote = *remotes_[command.remote];
  Endpoint* const endpoint = command.endpoint;
  switch (command.kind) {
  case CommandKind::open_endpoint:
    endpoint->vdev.addresses().insert(endpoint->local, endpoint);
    return;
  case CommandKind::close_endpoint: remote.close_endpoint(*endpoint); return;
  case CommandKind::adopt_table: {
    auto old = remote.vdevs()[command.vdev]->adopt(std::unique_ptr<AddressTable>(command.table));
    // Freed by the main thread, like everything it allocated; if there is no room to say so, here.
    if (delivery_.events().pair(EventKind::table_retired, 0, 0, old.get())) (void)old.release();
    return;
  }
  case CommandKind::grant: delivery_.grant(*endpoint, command.number); return;
  case CommandKind::release: delivery_.release(*endpoint, command.number); return;
  case CommandKind::sync: delivery_.sync(*endpoint, *command.sync); return;
  case CommandKind::reinitialize: remote.reinitialize(now_ns); return;
  case CommandKind::open_stream:
    remote.open_stream(*command.stream,
                       tag_of(Source::stream, reinterpret_cast<uintptr_t>(command.stream)));
    return;
  case CommandKind::close_stream: remote.close_stream(*endpoint); return;
  case CommandKind::stream_peer:
    remote.set_stream_peer(*endpoint, static_cast<uint32_t>(command.number),
                           static_cast<uint32_t>(command.number >> 32));
    return;
  case CommandKind::guard: {
    auto& guard = remote.vdevs()[command.vdev]->guard;
    std::unique_ptr<AddressGuard> old(command.addresses);
    std::swap(guard, old);
    if (delivery_.events().pair(EventKind::guard_retired, 0, 0, old.get())) (void)old.release();
    return;
  }
  }
}

void LinkThread::settle(uint64_t now_ns) {
  for (auto& remote : remotes_)
    remote->settle(now_ns);
  if (report()) {
    (void)is_starved_.exchange(true, std::memory_order_acq_rel);
    // The main thread may have drained everything before it could see that: then nobody would come
    // back, so look once more now that it can.
    report();
  }
  delivery_.events().flush();
}

/// Tells the main thread as much as fits; true when something is left.
bool LinkThread::report() {
  bool is_left = false;
  for (auto& remote : remotes_)
    is_left = !remote->report() || is_left;
  // What is told of an endpoint last may free it: nothing about it may be left.
  return is_left || delivery_.hand_over();
}

void LinkThread::arm_timer(uint64_t now_ns) {
  uint64_t earliest = kNever;
  for (auto& remote : remotes_)
    earliest = std::min(earliest, remote->next_deadline(now_ns));
  for (auto& scu : scus_)
    earliest = std::min(earliest, scu->next_deadline());
  // One that is armed for earlier may fire for nothing: that is cheaper than to set it each turn.
  if (earliest == timer_at_ns_ || (timer_at_ns_ > now_ns && timer_at_ns_ < earliest)) return;
  timer_at_ns_ = earliest;
  itimerspec when{};
  if (earliest != kNever) {
    const uint64_t at = std::max<uint64_t>(earliest, 1); // zero would disarm
    when.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000u);
    when.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000u);
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

/// True while something was found within the last busy_poll_us.
bool LinkThread::is_busy_polling(uint64_t now_ns) {
  if (busy_poll_ns_ == 0) return false;
  const bool found = std::count_if(remotes_.begin(), remotes_.end(),
                                   [](const auto& remote) { return remote->take_found(); }) > 0;
  if (found) busy_until_ns_ = now_ns + busy_poll_ns_;
  return now_ns < busy_until_ns_;
}

bool LinkThread::anyone_has_more() const {
  return std::any_of(remotes_.begin(), remotes_.end(),
                     [](const auto& remote) { return remote->has_more(); });
}

} // namespace rpmsg
