// SPDX-License-Identifier: Apache-2.0
// One remote: its MU, its vdevs, the paths through them and its life, driven by the interrupt and
// by timers of the link thread. Its send side is shared with the main thread under one mutex.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "link/board_choice.h"
#include "link/burst.h"
#include "link/delivery.h"
#include "link/event_writer.h"
#include "link/pi_mutex.h"
#include "link/receive_path.h"
#include "link/remote_life.h"
#include "link/remote_setup.h"
#include "link/remote_table.h"
#include "link/resume.h"
#include "link/send_path.h"
#include "link/state_block.h"
#include "link/stream_service.h"
#include "link/tap.h"
#include "link/trace_reader.h"
#include "link/tx_watch.h"
#include "link/vdev.h"
#include "mu/mu.h"
#include "mu/word_sender.h"
#include "platform/platform.h"

namespace rpmsg {

class Remote final : public ResetNoticeListener {
public:
  struct Opened {
    std::unique_ptr<Remote> remote; // null on failure
    Errc code = Errc::ok;
    std::string message; // a sentence for a person: the value, the rule, what to change
  };

  /// Opens the platform, maps rings and buffers, chooses the state. Touches no register; a ring
  /// that is alive is given what it has already, and no other. Main thread.
  static Opened open(uint32_t index, const RemoteSetup& setup, BoardChoice& boards,
                     Delivery& delivery, const SpscQueue<Command>& commands);

  // Any thread but the link thread.

  SendOutcome send(Vdev& vdev, Endpoint& endpoint, const SendRequest& request);
  void cancel_caller(uint32_t caller);
  std::vector<std::unique_ptr<Vdev>>& vdevs() { return vdevs_; }
  PiMutex& send_mutex() { return mutex_; }
  /// What passes through its vdevs, for whoever captures.
  Tap& tap() { return tap_; }
  std::string soc() const { return platform_->soc(); }
  /// The virtio status byte of a vdev: the one in the resource table where there is one.
  uint8_t status(const Vdev& vdev) const;
  /// The remote's trace buffer; the main thread's.
  TraceReader& trace() { return trace_; }
  /// Where SCFW can be asked about resets; or null, and why it cannot although there is one. Before
  /// start().
  void set_notices(ResetNotices* notices, std::string why_not);
  /// How its state began.
  const Resume& resume() const { return resume_; }
  /// Its slots and endpoints are an earlier process's.
  bool has_former_state() const { return has_former_state_; }
  /// The generation that this process begins with. Before start().
  uint32_t first_generation() const;

  // The link thread's.

  int interrupt_fd() const { return platform_->interrupt_fd(); }
  int board_fd() const { return platform_->board_fd(); }
  void start(uint64_t now_ns);
  void on_interrupt(uint64_t now_ns);
  /// Work that was left because a turn is bounded; to be done before the thread may sleep.
  bool has_more() const { return more_; }
  /// Whether anything was found since the last time it was asked.
  bool take_found() { return std::exchange(found_, false); }
  void continue_work(uint64_t now_ns);
  /// In a burst: waits a moment for more, and takes it. True: something was taken and is to be
  /// told, settle() follows, and there may be yet more.
  bool look_on();
  void on_timer(uint64_t now_ns);
  /// After commands or events of other remotes: posts what is possible now.
  void settle(uint64_t now_ns);
  /// Reports states and ended sends; false when the event ring has no room for all of them now.
  bool report();
  uint64_t next_deadline(uint64_t now_ns);
  void close_endpoint(Endpoint& endpoint);
  void set_epoll(int epoll_fd) { streams_.set_epoll(epoll_fd); }
  /// `tag` is what its socket's events come with.
  void open_stream(Stream& stream, uint64_t tag);
  void close_stream(Endpoint& endpoint);
  /// Told for life `generation`: what is said of a former one has no effect.
  void set_stream_peer(Endpoint& endpoint, uint32_t address, uint32_t generation);
  void on_stream(Stream& stream, uint32_t events);
  void reinitialize(uint64_t now_ns);
  void on_board_gone();
  void on_partition(uint8_t partition) override { life_.on_partition(partition); }
  void on_no_notices(const char* reason, uint64_t now_ns) override;
  void on_status_begins(bool is_announced) override { life_.on_status_begins(is_announced); }
  void on_status(const ResetStatus& status, uint64_t now_ns) override;
  /// Masks every interrupt and asks the remote for none: a successor finds the rings consistent.
  void stop();

private:
  Remote(uint32_t index, const RemoteSetup& setup, std::unique_ptr<Platform> platform,
         SharedSpan table, StateBlock state, Delivery& delivery,
         const SpscQueue<Command>& commands);

  void add_vdev(const RemoteSetup& setup, uint32_t index, SharedSpan rings, SharedSpan buffers);
  void take_over(const ChosenState& chosen);
  void describe(const ChosenState& chosen);
  void service(uint64_t now_ns);
  bool look_twice(uint32_t& budget, uint64_t now_ns);
  bool look(uint32_t& budget, uint64_t now_ns);
  bool take_ready(uint32_t& budget, uint64_t now_ns);
  bool drain_words(uint32_t& budget);
  bool reap(Vdev& vdev, uint32_t& budget);
  bool take_messages(Vdev& vdev, uint32_t& budget);
  void give_back_empties(Vdev& vdev);
  void reap_last();
  bool serve_transmit(uint32_t& budget);
  bool serve_senders(Vdev& vdev, uint32_t& budget);
  bool may_gather();
  bool deliver_streams(uint32_t& budget);
  void sample_flags(uint64_t now_ns);

  uint32_t index_;
  std::unique_ptr<Platform> platform_;
  Mu mu_;
  PiMutex mutex_;
  WordSender words_;
  Tap tap_;
  StateBlock state_;
  Resume resume_;
  bool has_former_state_ = false;
  std::vector<std::unique_ptr<Vdev>> vdevs_;
  Delivery& delivery_;
  ReceivePath receive_;
  SendPath sends_;
  StreamService streams_;
  RemoteTable table_;
  TraceReader trace_;
  RemoteLife life_;
  TxWatch watch_;
  Burst burst_;
  uint64_t next_flag_sample_ns_ = 0;
  size_t first_vdev_ = 0; // whose ring is looked at first
  bool more_ = false;
  bool looks_on_ = false; // a burst is on and everything that came before it is dealt with
  bool found_ = false;
  uint32_t undelivered_ = 0;    // messages taken since streams were last served
  bool is_full_ = false;        // one of them holds all it may
  uint64_t last_reaped_ns_ = 0; // when a message was last taken
  uint32_t turn_ = 0;           // who is first to use a buffer that came back
  uint64_t service_ns_ = 0;     // when the present look began
  std::string no_notices_;      // why SCFW's notices do not come
  bool is_gone_unreported_ = false;
  bool is_gone_ = false;
  bool is_masked_ = false; // the interrupt fired and was not unmasked yet
};

} // namespace rpmsg
