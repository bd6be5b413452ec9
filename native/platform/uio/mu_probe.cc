// SPDX-License-Identifier: Apache-2.0
// The child makes system calls only until it ends: the parent may have other threads, whose locks
// it took along.
#include "platform/uio/mu_probe.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <type_traits>

#include "base/unique_fd.h"
#include "platform/uio/uio_register_window.h"

namespace rpmsg {
namespace {

/// Readable alone: a store to it would be a fault.
class ReadOnlyMapping {
public:
  ReadOnlyMapping(int fd, uint64_t length, uint64_t offset)
      : base_(::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset))),
        length_(length) {}
  ReadOnlyMapping(const ReadOnlyMapping&) = delete;
  ReadOnlyMapping& operator=(const ReadOnlyMapping&) = delete;
  ~ReadOnlyMapping() {
    if (*this) ::munmap(base_, length_);
  }
  explicit operator bool() const { return base_ != MAP_FAILED; }
  uint8_t* at(uint64_t offset) const { return static_cast<uint8_t*>(base_) + offset; }

private:
  void* base_;
  size_t length_;
};

static_assert(std::is_trivially_copyable_v<MuState>, "it goes through a pipe");

[[noreturn]] void look(RegisterWindow& registers, MuGeneration generation, int answer) {
  // A bus error is an answer here, not a fault to be reported or dumped.
  ::signal(SIGBUS, SIG_DFL);
  ::prctl(PR_SET_DUMPABLE, 0);
  const MuState state = read_mu_state(registers, generation);
  const bool is_told = ::write(answer, &state, sizeof state) == sizeof state;
  ::_exit(is_told ? 0 : 1);
}

MuProbe refused(int error) {
  return {MuProbe::Outcome::refused, error, {}};
}

/// What the child said before it ended with `status`.
MuProbe answer_of(int status, int answer) {
  if (WIFSIGNALED(status)) return {MuProbe::Outcome::bus_error, 0, {}};
  MuProbe probe{MuProbe::Outcome::read, 0, {}};
  const ssize_t got = ::read(answer, &probe.state, sizeof probe.state);
  return got == sizeof probe.state ? probe : refused(EIO);
}

MuProbe look_in_child(RegisterWindow& registers, MuGeneration generation) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return refused(errno);
  const UniqueFd answer(ends[0]);
  UniqueFd told(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return refused(errno);
  if (child == 0) look(registers, generation, told.get());
  told.reset();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return refused(errno);
  return answer_of(status, answer.get());
}

} // namespace

MuProbe probe_mu(const MuPlace& place) {
  const UniqueFd device(::open(place.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!device) return refused(errno);
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t needed = mu_layout(place.generation).window_bytes;
  if (place.offset % sizeof(uint32_t) != 0 || place.offset >= page) return refused(EINVAL);
  const uint64_t length = (place.offset + needed + page - 1) / page * page;
  const ReadOnlyMapping mapping(device.get(), length, place.map * page);
  if (!mapping) return refused(errno);
  UioRegisterWindow registers(SharedSpan(mapping.at(place.offset), needed, place.offset));
  return look_in_child(registers, place.generation);
}

} // namespace rpmsg
