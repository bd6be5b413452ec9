// SPDX-License-Identifier: Apache-2.0
// bare-relay SOCKET CPU: what a stream's round trip is held against: the same three processes
// without a ring. Takes one client after the other on a SEQPACKET socket; a packet becomes the
// write of an eventfd that a peer, a process on that CPU, sleeps on, and the peer's own eventfd
// becomes the packet back. Prints READY when clients can connect.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "measure.h"

static int to_peer = -1, from_peer = -1;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void ring(int eventfd_) {
  const uint64_t one = 1;
  if (write(eventfd_, &one, sizeof one) < 0) fail("eventfd");
}

static int take(int eventfd_) {
  uint64_t count;
  return read(eventfd_, &count, sizeof count) > 0;
}

static void start_peer(int cpu) {
  const pid_t parent = getpid();
  to_peer = eventfd(0, EFD_CLOEXEC);
  from_peer = eventfd(0, EFD_CLOEXEC);
  const pid_t pid = fork();
  if (to_peer < 0 || from_peer < 0 || pid < 0) fail("the peer");
  if (pid > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set); // where there is no second CPU nothing is pinned
  while (getppid() == parent && take(to_peer))
    ring(from_peer);
  _exit(0);
}

static int listen_at(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) exit(64);
  memcpy(address.sun_path, path, strlen(path));
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr*)&address, sizeof address) < 0 ||
      listen(listener, 1) < 0)
    fail(path);
  return listener;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll");
}

static void serve(int epoll, int client) {
  char packet[kMaxPayload];
  ssize_t size = 0;
  for (;;) {
    struct epoll_event event;
    if (epoll_wait(epoll, &event, 1, -1) != 1) {
      if (errno == EINTR) continue;
      fail("epoll");
    }
    if (event.data.fd == from_peer) {
      if (take(from_peer) && send(client, packet, (size_t)size, MSG_NOSIGNAL) < 0) return;
    } else {
      size = recv(client, packet, sizeof packet, 0);
      if (size <= 0) return;
      ring(to_peer);
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  start_peer((int)number_of("CPU", argv[2], CPU_SETSIZE - 1));
  const int listener = listen_at(argv[1]);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll");
  watch(epoll, from_peer);
  puts("READY");
  fflush(stdout);
  for (;;) {
    const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) fail("accept");
    watch(epoll, client);
    serve(epoll, client);
    close(client);
  }
}
