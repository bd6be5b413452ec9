// SPDX-License-Identifier: Apache-2.0
#include "support/hand_remote.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace rpmsg::test {
namespace {

constexpr uint32_t kChannel = 1;
constexpr uint32_t kNum = 256;

void need(bool ok) {
  if (!ok) std::abort();
}

} // namespace

HandRemote::HandRemote(const std::string& socket, const std::string& core) {
  attach(socket, core);
  for (uint32_t i = 0; i < reply_.segment_count; ++i) {
    const rpmsg_sim_segment& s = reply_.segments[i];
    bases_[i] = ::mmap(nullptr, s.length, PROT_READ | PROT_WRITE, MAP_SHARED,
                       descriptors_[s.fd].get(), static_cast<off_t>(s.offset));
    need(bases_[i] != MAP_FAILED);
  }
  wires_ = ::mmap(nullptr, reply_.mu_length, PROT_READ | PROT_WRITE, MAP_SHARED,
                  descriptors_[RPMSG_SIM_FD_MU].get(), 0);
  need(wires_ != MAP_FAILED);
  mu_.emplace(static_cast<rpmsg_sim_mu*>(wires_), reply_.side,
              descriptors_[RPMSG_SIM_FD_OWN_INTERRUPT].get(),
              descriptors_[RPMSG_SIM_FD_PEER_INTERRUPT].get());
}

HandRemote::~HandRemote() {
  for (uint32_t i = 0; i < reply_.segment_count; ++i)
    ::munmap(bases_[i], reply_.segments[i].length);
  ::munmap(wires_, reply_.mu_length);
}

void HandRemote::attach(const std::string& socket, const std::string& core) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  rpmsg_sim_hello hello = {};
  hello.magic = RPMSG_SIM_MAGIC;
  hello.version = RPMSG_SIM_VERSION;
  hello.role = RPMSG_SIM_ROLE_FIRMWARE;
  std::strncpy(hello.core, core.c_str(), sizeof hello.core - 1);
  socket_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  need(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  need(::send(socket_.get(), &hello, sizeof hello, MSG_NOSIGNAL) == ssize_t{sizeof hello});
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * RPMSG_SIM_FD_COUNT)] = {};
  iovec data = {&reply_, sizeof reply_};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  need(::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC) == ssize_t{sizeof reply_});
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  int fds[RPMSG_SIM_FD_COUNT];
  need(reply_.status == RPMSG_SIM_OK && header != nullptr &&
       header->cmsg_len == CMSG_LEN(sizeof fds));
  std::memcpy(fds, CMSG_DATA(header), sizeof fds);
  for (size_t i = 0; i < descriptors_.size(); ++i)
    descriptors_[i].reset(fds[i]);
}

volatile uint8_t* HandRemote::at(uint64_t physical, uint64_t length) {
  volatile uint8_t* found = find(physical, length);
  need(found != nullptr);
  return found;
}

volatile uint8_t* HandRemote::find(uint64_t physical, uint64_t length) {
  for (uint32_t i = 0; i < reply_.segment_count; ++i) {
    const rpmsg_sim_segment& s = reply_.segments[i];
    const uint64_t offset = physical - s.physical;
    if (offset < s.length && length <= s.length - offset)
      return static_cast<uint8_t*>(bases_[i]) + offset;
  }
  return nullptr;
}

void HandRemote::ready() {
  taken_ = {};
  heard_ = {};
  mu_->ring(1u << kChannel);
}

void HandRemote::take_word() {
  if ((mu_->receive_full() >> kChannel & 1) != 0) (void)mu_->read_receive(kChannel);
}

bool HandRemote::word(uint32_t value) {
  if ((mu_->transmit_empty() >> kChannel & 1) == 0) return false;
  mu_->write_transmit(kChannel, value);
  return true;
}

volatile uint16_t& HandRemote::u16(uint32_t vdev, uint32_t ring, uint32_t offset) {
  return *reinterpret_cast<volatile uint16_t*>(rings(vdev) + ring * 0x8000 + offset);
}

void HandRemote::put_used(uint32_t vdev, uint32_t ring, uint32_t id, uint32_t length) {
  const uint16_t index = u16(vdev, ring, 0x2002);
  volatile uint8_t* entry = rings(vdev) + ring * 0x8000 + 0x2004 + 8 * (index % kNum);
  *reinterpret_cast<volatile uint32_t*>(entry) = id;
  *reinterpret_cast<volatile uint32_t*>(entry + 4) = length;
  set_used_index(vdev, ring, static_cast<uint16_t>(index + 1));
}

void HandRemote::set_used_index(uint32_t vdev, uint32_t ring, uint16_t value) {
  std::atomic_ref<uint16_t>(const_cast<uint16_t&>(u16(vdev, ring, 0x2002)))
      .store(value, std::memory_order_seq_cst);
}

std::optional<uint32_t> HandRemote::fill(uint32_t vdev, uint32_t src, uint32_t dst,
                                         const std::vector<uint8_t>& payload,
                                         uint16_t header_length) {
  if (avail_index(vdev, 0) == taken_[vdev]) return std::nullopt;
  std::atomic_thread_fence(std::memory_order_acquire);
  const uint16_t id = u16(vdev, 0, 0x1004 + 2 * (taken_[vdev]++ % kNum));
  const uint64_t physical = *reinterpret_cast<volatile uint64_t*>(rings(vdev) + 16 * (id % kNum));
  volatile uint8_t* buffer = find(physical, 512);
  if (buffer == nullptr) return std::nullopt; // a test scribbled over the descriptor
  const uint32_t words[] = {src, dst, 0, header_length};
  for (size_t i = 0; i < 16; ++i)
    buffer[i] = reinterpret_cast<const uint8_t*>(words)[i];
  for (size_t i = 0; i < payload.size(); ++i)
    buffer[16 + i] = payload[i];
  return id;
}

bool HandRemote::say(uint32_t vdev, uint32_t src, uint32_t dst,
                     const std::vector<uint8_t>& payload) {
  const auto id = fill(vdev, src, dst, payload, static_cast<uint16_t>(payload.size()));
  if (!id) return false;
  put_used(vdev, 0, *id, 512);
  word(vdev << 17);
  return true;
}

std::optional<std::vector<uint8_t>> HandRemote::hear(uint32_t vdev) {
  if (avail_index(vdev, 1) == heard_[vdev]) return std::nullopt;
  std::atomic_thread_fence(std::memory_order_acquire);
  const uint16_t id = u16(vdev, 1, 0x1004 + 2 * (heard_[vdev]++ % kNum));
  need(id < kNum);
  const volatile uint8_t* descriptor = rings(vdev) + 0x8000 + 16 * id;
  const uint64_t physical = *reinterpret_cast<const volatile uint64_t*>(descriptor);
  const uint32_t length = *reinterpret_cast<const volatile uint32_t*>(descriptor + 8);
  const volatile uint8_t* buffer = at(physical, length);
  need(length >= 16 && length == 16u + (buffer[12] | buffer[13] << 8));
  std::vector<uint8_t> payload(buffer + 16, buffer + length);
  put_used(vdev, 1, id, length);
  return payload;
}

} // namespace rpmsg::test
