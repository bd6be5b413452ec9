// SPDX-License-Identifier: Apache-2.0
#include "napi/link_wrap.h"

#include <cstddef>
#include <cstring>

#include "napi/convert.h"

namespace rpmsg {

namespace {

// So that a type confusion in JavaScript is a TypeError and not a wild pointer.
constexpr napi_type_tag kLinkTag = {0x7270'6d73'6764'4c69, 0x6e6b'0000'0000'0001};

// Events copied to JavaScript in one go; what is left comes with the next turn of its loop, so that
// a flood from a remote does not keep the bus waiting.
constexpr uint32_t kBatchBytes = 128 * 1024;

constexpr uint32_t kMaxPriority = 99; // of SCHED_FIFO

Napi::Value outcome_of(Napi::Env env, Errc code) {
  return Napi::String::New(env, errc_name(code));
}

Napi::Number number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

/// Where a record has a pointer, or 0.
size_t pointer_in(EventKind kind) {
  switch (kind) {
  case EventKind::synced:
  case EventKind::endpoint_closed: return offsetof(PairEvent, pointer);
  case EventKind::stream_note: return offsetof(StreamNoteEvent, pointer);
  case EventKind::stream_over: return offsetof(StreamOverEvent, pointer);
  default: return 0;
  }
}

void set_opened(Napi::Object& result, const Link::OpenedRemote& opened) {
  const Napi::Env env = result.Env();
  result.Set("index", number(env, opened.index));
  result.Set("resume", Napi::String::New(env, resume_kind_name(opened.resume)));
  result.Set("reason", Napi::String::New(env, opened.reason));
  result.Set("generation", number(env, opened.generation));
  auto endpoints = Napi::Array::New(env, opened.endpoints.size());
  for (uint32_t i = 0; i < opened.endpoints.size(); ++i) {
    const Link::Unclaimed& each = opened.endpoints[i];
    auto endpoint = Napi::Object::New(env);
    endpoint.Set("id", number(env, each.id));
    endpoint.Set("vdev", number(env, each.vdev));
    endpoint.Set("local", number(env, each.local));
    endpoint.Set("firstSeq", number(env, each.first_seq));
    endpoint.Set("nextSeq", number(env, each.next_seq));
    endpoints.Set(i, endpoint);
  }
  result.Set("endpoints", endpoints);
}

} // namespace

Napi::Function LinkWrap::define(Napi::Env env) {
  return DefineClass(env, "Link",
                     {InstanceMethod<&LinkWrap::open_remote>("openRemote"),
                      InstanceMethod<&LinkWrap::start>("start"),
                      InstanceMethod<&LinkWrap::open_endpoint>("openEndpoint"),
                      InstanceMethod<&LinkWrap::close_endpoint>("closeEndpoint"),
                      InstanceMethod<&LinkWrap::drop_unclaimed>("dropUnclaimed"),
                      InstanceMethod<&LinkWrap::grant>("grant"),
                      InstanceMethod<&LinkWrap::sync>("sync"),
                      InstanceMethod<&LinkWrap::release>("release"),
                      InstanceMethod<&LinkWrap::note_released>("noteReleased"),
                      InstanceMethod<&LinkWrap::send>("send"),
                      InstanceMethod<&LinkWrap::cancel_caller>("cancelCaller"),
                      InstanceMethod<&LinkWrap::open_stream>("openStream"),
                      InstanceMethod<&LinkWrap::resume_stream>("resumeStream"),
                      InstanceMethod<&LinkWrap::close_stream>("closeStream"),
                      InstanceMethod<&LinkWrap::drop_unresumed>("dropUnresumed"),
                      InstanceMethod<&LinkWrap::set_stream_peer>("setStreamPeer"),
                      InstanceMethod<&LinkWrap::guard>("guard"),
                      InstanceMethod<&LinkWrap::reinitialize>("reinitialize"),
                      InstanceMethod<&LinkWrap::device_stats>("deviceStats"),
                      InstanceMethod<&LinkWrap::endpoint_stats>("endpointStats"),
                      InstanceMethod<&LinkWrap::device_status>("deviceStatus"),
                      InstanceMethod<&LinkWrap::read_trace>("readTrace"),
                      InstanceMethod<&LinkWrap::open_capture>("openCapture"),
                      InstanceMethod<&LinkWrap::heartbeat>("heartbeat"),
                      InstanceMethod<&LinkWrap::drain>("drain"),
                      InstanceMethod<&LinkWrap::close>("close")});
}

LinkWrap::LinkWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LinkWrap>(info) {
  napi_type_tag_object(info.Env(), info.This(), &kLinkTag);
  const bool opened = wake_.open(
      info.Env(), [](void* self) { static_cast<LinkWrap*>(self)->on_events(); }, this);
  if (!opened) {
    Napi::Error::New(info.Env(), "cannot add a handle to the event loop")
        .ThrowAsJavaScriptException();
    return;
  }
  link_ = std::make_unique<Link>([this] { wake_.send(); });
  capture_ = std::make_unique<Capture>(*link_, [this] { wake_.send(); });
}

LinkWrap::~LinkWrap() {
  shut();
}

void LinkWrap::shut() {
  if (link_) link_->close();       // the link thread is joined before its wake-up goes away
  if (capture_) capture_->close(); // and so is this one, with all that the link had to say
  wake_.close();
  listener_.reset();
}

Napi::Value LinkWrap::open_remote(const Napi::CallbackInfo& info) {
  const auto setup = to_remote_setup(info[0]);
  if (!setup) return info.Env().Undefined();
  const Link::OpenedRemote opened = link_->open_remote(*setup);
  auto result = Napi::Object::New(info.Env());
  if (opened.ok) {
    set_opened(result, opened);
  } else {
    result.Set("code", outcome_of(info.Env(), opened.code));
    result.Set("error", Napi::String::New(info.Env(), opened.message));
  }
  return result;
}

Napi::Value LinkWrap::start(const Napi::CallbackInfo& info) {
  const auto priority = to_u32(info[1], "realtimePriority"),
             busy_poll_us = to_u32(info[2], "busyPollUs");
  if (!priority || !busy_poll_us) return info.Env().Undefined();
  if (!info[0].IsFunction() || *priority > kMaxPriority) {
    Napi::TypeError::New(info.Env(), "onEvents must be a function and realtimePriority 0 to 99")
        .ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const auto started = link_->start(static_cast<int>(*priority), *busy_poll_us);
  if (started) {
    listener_.set(info[0].As<Napi::Function>(), "rpmsgd.link");
    Ref(); // a link that runs is not collected, whoever lets go of it; close() ends both
    is_held_ = true;
    return Napi::String::New(info.Env(), "");
  }
  const Error& error = started.error();
  return Napi::String::New(info.Env(), std::string("cannot ") + error.operation + ": " +
                                           std::strerror(error.os_error));
}

Napi::Value LinkWrap::open_endpoint(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id"), remote = to_u32(info[1], "remote"),
             vdev = to_u32(info[2], "vdev"), local = to_u32(info[3], "local"),
             rx_queue = to_u32(info[4], "rxQueue"), credits = to_u32(info[5], "txCredits");
  const auto next_seq = to_u64(info[6], "nextSeq");
  if (!id || !remote || !vdev || !local || !rx_queue || !credits || !next_seq) {
    return info.Env().Undefined();
  }
  const auto opened = link_->open_endpoint(
      EndpointSetup{*id, *remote, *vdev, *local, *rx_queue, *credits, *next_seq});
  return outcome_of(info.Env(), opened ? Errc::ok : opened.error().code);
}

void LinkWrap::close_endpoint(const Napi::CallbackInfo& info) {
  if (const auto id = to_u32(info[0], "id")) link_->close_endpoint(*id);
}

void LinkWrap::drop_unclaimed(const Napi::CallbackInfo&) {
  link_->drop_unclaimed();
}

void LinkWrap::grant(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id");
  const auto limit = to_u64(info[1], "limitSeq");
  if (id && limit) link_->grant(*id, *limit);
}

void LinkWrap::sync(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id"), tag = to_u32(info[1], "tag");
  if (id && tag) link_->sync(*id, *tag);
}

void LinkWrap::release(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id");
  const auto up_to = to_u64(info[1], "upToSeq");
  if (id && up_to) link_->release(*id, *up_to);
}

void LinkWrap::note_released(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id");
  const auto up_to = to_u64(info[1], "upToSeq");
  if (id && up_to) link_->note_released(*id, *up_to);
}

Napi::Value LinkWrap::send(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id"), destination = to_u32(info[1], "destination");
  const auto bytes = to_bytes(info[2], "data");
  const auto caller = to_u32(info[3], "caller"), timeout_ms = to_u32(info[4], "timeoutMs"),
             token = to_u32(info[5], "token");
  if (!id || !destination || !bytes || !caller || !timeout_ms || !token) {
    return info.Env().Undefined();
  }
  const SendOutcome outcome = link_->send(*id, *destination, *bytes, *caller, *timeout_ms, *token);
  switch (outcome.kind) {
  case SendOutcome::Kind::sent: return Napi::String::New(info.Env(), "sent");
  case SendOutcome::Kind::queued: return Napi::String::New(info.Env(), "queued");
  case SendOutcome::Kind::failed: break;
  }
  return outcome_of(info.Env(), outcome.error);
}

Napi::Value LinkWrap::open_stream(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id"), fd = to_u32(info[1], "fd"),
             flags = to_u32(info[2], "flags"), hold = to_u32(info[3], "hold"),
             peer = to_u32(info[4], "peer"), generation = to_u32(info[5], "generation");
  const auto first_seq = to_u64(info[6], "firstSeq");
  if (!id || !fd || !flags || !hold || !peer || !generation || !first_seq) {
    return info.Env().Undefined();
  }
  StreamRecord wanted{};
  wanted.flags = *flags;
  wanted.hold = *hold;
  const auto opened = link_->open_stream(*id, UniqueFd(static_cast<int>(*fd)),
                                         stream_options(wanted), *peer, *generation, *first_seq);
  return outcome_of(info.Env(), opened ? Errc::ok : opened.error().code);
}

Napi::Value LinkWrap::resume_stream(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id"), fd = to_u32(info[1], "fd");
  if (!id || !fd) return info.Env().Undefined();
  const bool resumed =
      link_->had_stream(*id) && link_->resume_stream(*id, UniqueFd(static_cast<int>(*fd)));
  return Napi::Boolean::New(info.Env(), resumed);
}

void LinkWrap::close_stream(const Napi::CallbackInfo& info) {
  if (const auto id = to_u32(info[0], "id")) link_->close_stream(*id);
}

void LinkWrap::drop_unresumed(const Napi::CallbackInfo&) {
  link_->drop_unresumed();
}

void LinkWrap::set_stream_peer(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id"), peer = to_u32(info[1], "peer"),
             generation = to_u32(info[2], "generation");
  if (id && peer && generation) link_->set_stream_peer(*id, *peer, *generation);
}

void LinkWrap::guard(const Napi::CallbackInfo& info) {
  const auto remote = to_u32(info[0], "remote"), vdev = to_u32(info[1], "vdev");
  if (!remote || !vdev || !info[2].IsArray()) return;
  const auto list = info[2].As<Napi::Array>();
  std::vector<uint32_t> addresses;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value entry = list.Get(i);
    const auto address = entry.IsEmpty() ? std::nullopt : to_u32(entry, "address");
    if (!address) return;
    addresses.push_back(*address);
  }
  link_->guard(*remote, *vdev, std::move(addresses));
}

void LinkWrap::cancel_caller(const Napi::CallbackInfo& info) {
  if (const auto caller = to_u32(info[0], "caller")) link_->cancel_caller(*caller);
}

void LinkWrap::reinitialize(const Napi::CallbackInfo& info) {
  if (const auto remote = to_u32(info[0], "remote")) link_->reinitialize(*remote);
}

Vdev* LinkWrap::vdev_of(const Napi::CallbackInfo& info) {
  const auto remote = to_u32(info[0], "remote"), index = to_u32(info[1], "vdev");
  if (!remote || !index) return nullptr;
  Vdev* const vdev = link_->vdev(*remote, *index);
  if (vdev == nullptr) {
    Napi::RangeError::New(info.Env(), "no such vdev").ThrowAsJavaScriptException();
  }
  return vdev;
}

// In the order of DeviceStats and EndpointStats in src/addon/types.ts.
Napi::Value LinkWrap::device_stats(const Napi::CallbackInfo& info) {
  Vdev* const vdev = vdev_of(info);
  if (vdev == nullptr) return info.Env().Undefined();
  const VdevCounters& c = vdev->counters();
  const Counter* const counters[] = {
      &c.rx_messages,  &c.rx_bytes,    &c.rx_words,    &c.rx_dropped, &c.rx_no_endpoint,
      &c.rx_malformed, &c.rx_faults,   &c.tx_messages, &c.tx_bytes,   &c.tx_words,
      &c.tx_waits,     &c.tx_timeouts, &c.tx_faults};
  constexpr size_t kCounters = std::size(counters);
  auto array = Napi::BigUint64Array::New(info.Env(), kCounters + 1);
  for (size_t i = 0; i < kCounters; ++i)
    array[i] = counters[i]->get();
  array[kCounters] = link_->unused_messages(info[0].As<Napi::Number>().Uint32Value(), *vdev);
  return array;
}

Napi::Value LinkWrap::endpoint_stats(const Napi::CallbackInfo& info) {
  const auto id = to_u32(info[0], "id");
  if (!id) return info.Env().Undefined();
  auto array = Napi::BigUint64Array::New(info.Env(), 9);
  if (const EndpointCounters* c = link_->endpoint_counters(*id)) {
    array[0] = c->rx_messages.get();
    array[1] = c->rx_bytes.get();
    array[2] = c->rx_dropped.get();
    array[3] = c->tx_messages.get();
    array[4] = c->tx_bytes.get();
    array[5] = c->rx_foreign.get();
    array[6] = c->rx_empty.get();
    array[7] = c->tx_refused.get();
    array[8] = c->tx_dropped.get();
  }
  return array;
}

Napi::Value LinkWrap::device_status(const Napi::CallbackInfo& info) {
  const Vdev* const vdev = vdev_of(info);
  if (vdev == nullptr) return info.Env().Undefined();
  const uint32_t remote = info[0].As<Napi::Number>().Uint32Value(); // one that there is
  return Napi::Number::New(info.Env(), link_->device_status(remote, *vdev));
}

Napi::Value LinkWrap::read_trace(const Napi::CallbackInfo& info) {
  const auto remote = to_u32(info[0], "remote");
  const auto offset = to_u64(info[1], "offset");
  const auto max_bytes = to_u32(info[2], "maxBytes");
  if (!remote || !offset || !max_bytes) return info.Env().Undefined();
  const TraceReader::Read read = link_->read_trace(*remote, *offset, *max_bytes);
  auto result = Napi::Object::New(info.Env());
  if (read.code != Errc::ok) {
    result.Set("code", outcome_of(info.Env(), read.code));
    result.Set("error", Napi::String::New(info.Env(), read.message));
    return result;
  }
  result.Set("data", Napi::Buffer<uint8_t>::Copy(info.Env(), read.bytes.data(), read.bytes.size()));
  result.Set("nextOffset", number(info.Env(), read.next_offset));
  return result;
}

Napi::Value LinkWrap::heartbeat(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(link_->heartbeat()));
}

Napi::Value LinkWrap::drain(const Napi::CallbackInfo& info) {
  batch_.clear();
  const bool more =
      link_->drain(kBatchBytes, [&](const EventHeader& header, std::span<const uint8_t> record) {
        if (header.kind == EventKind::table_retired || header.kind == EventKind::guard_retired) {
          return;
        }
        const size_t at = batch_.size();
        batch_.insert(batch_.end(), record.begin(), record.end());
        // No native address leaves this side.
        if (const size_t pointer = pointer_in(header.kind); pointer != 0) {
          std::memset(batch_.data() + at + pointer, 0, sizeof(uint64_t)); // private memory
        }
      });
  add_captures_over();
  if (more) wake_.send();
  if (batch_.empty()) return info.Env().Null();
  return Napi::Buffer<uint8_t>::Copy(info.Env(), batch_.data(), batch_.size());
}

void LinkWrap::close(const Napi::CallbackInfo&) {
  shut();
  if (is_held_) Unref();
  is_held_ = false;
}

void LinkWrap::on_events() {
  const Napi::HandleScope scope(Env());
  listener_.call(Env(), Value()); // `this` may be closed by now
}

} // namespace rpmsg
