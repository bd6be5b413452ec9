// SPDX-License-Identifier: Apache-2.0
// fork, exec, pipes and deadlines for the simulator's programs.
#include "support/soc_process.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace rpmsg::test {
namespace {

using Clock = std::chrono::steady_clock;

int remaining_ms(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

} // namespace

std::string program_path(const std::string& name) {
  if (const char* build = std::getenv("RPMSG_BUILD")) return std::string(build) + "/" + name;
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

TemporaryDirectory::TemporaryDirectory() {
  char name[] = "/tmp/rpmsg-test-XXXXXX";
  if (const char* made = ::mkdtemp(name)) path_ = made;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_.reset(ends[0]);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), output_(std::move(other.output_)),
      unread_(std::move(other.unread_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill();
  pid_ = std::exchange(other.pid_, -1);
  output_ = std::move(other.output_);
  unread_ = std::move(other.unread_);
  return *this;
}

Process::~Process() {
  kill();
}

void Process::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

void Process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int Process::wait(int timeout_ms) {
  UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ended = {handle.get(), POLLIN, 0};
  if (!handle || ::poll(&ended, 1, timeout_ms) != 1) return -1;
  int status = -1;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

std::string Process::wait_line(const std::string& text, int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (;;) {
    for (size_t end; (end = unread_.find('\n')) != std::string::npos;) {
      const std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      if (line.find(text) != std::string::npos) return line;
    }
    pollfd readable = {output_.get(), POLLIN, 0};
    if (::poll(&readable, 1, remaining_ms(deadline)) != 1) return {};
    char bytes[512];
    const ssize_t got = ::read(output_.get(), bytes, sizeof bytes);
    if (got <= 0) return {};
    unread_.append(bytes, static_cast<size_t>(got));
  }
}

SocProcess::SocProcess(const std::vector<std::string>& options)
    : socket_(directory_.path() + "/soc.socket") {
  std::vector<std::string> arguments = {program_path("rpmsg-soc"), "--socket", socket_};
  arguments.insert(arguments.end(), options.begin(), options.end());
  // The same tests over other memory: `uio:NAME` in the emulated machine.
  if (const char* memory = std::getenv("RPMSG_SOC_MEMORY")) {
    arguments.insert(arguments.end(), {"--memory", memory});
  }
  process_ = Process(arguments);
  ready_ = wait_event("READY");
}

Process SocProcess::start_firmware(const std::vector<std::string>& options,
                                   const std::string& core) {
  std::vector<std::string> arguments = {program_path("rpmsg-firmware"), "--socket", socket_,
                                        "--core", core};
  arguments.insert(arguments.end(), options.begin(), options.end());
  Process firmware(arguments);
  wait_event(core + " firmware attached pid " + std::to_string(firmware.pid()));
  return firmware;
}

bool SocProcess::wait_event(const std::string& text, int timeout_ms) {
  return !process_.wait_line(text, timeout_ms).empty();
}

pid_t SocProcess::wait_started(const std::string& core, int timeout_ms) {
  const std::string line = process_.wait_line(core + " firmware started pid ", timeout_ms);
  return line.empty() ? -1 : std::atoi(line.c_str() + line.rfind(' '));
}

} // namespace rpmsg::test
