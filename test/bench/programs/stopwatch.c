// SPDX-License-Identifier: Apache-2.0
// stopwatch COMMAND...: runs a program and says when what happened, as CLOCK_MONOTONIC in ns:
// "started NS PID" just before the fork, "ready NS" when its READY=1 came, "exited NS" when it has
// ended, which ends this one too, with its status. The end of standard input is SIGTERM to it.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

static char** command;
static pid_t child;
static int notify = -1, is_ready, is_stopping;

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void say(const char* what, uint64_t ns) {
  printf("%s %llu", what, (unsigned long long)ns);
}

static void open_notify_socket(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int length =
      snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "rpmsg-bench-%d", (int)getpid());
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
  notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (notify < 0 || bind(notify, (struct sockaddr*)&address, size) < 0) fail("notify socket");
  address.sun_path[0] = '@';
  setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

static void start(void) {
  const uint64_t now = now_ns();
  child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(command[0], command);
    _exit(127);
  }
  say("started", now);
  printf(" %d\n", (int)child);
}

/// Descriptors that come along are not asked for, so the kernel closes them.
static void take_notifications(void) {
  char text[4096];
  for (;;) {
    const ssize_t got = recv(notify, text, sizeof text - 1, 0);
    if (got < 0) return;
    const uint64_t now = now_ns();
    text[got] = '\0';
    if (is_ready || strstr(text, "READY=1") == NULL) continue;
    is_ready = 1;
    say("ready", now);
    printf("\n");
  }
}

static void take_exit(int signals) {
  struct signalfd_siginfo info;
  int status;
  if (read(signals, &info, sizeof info) < 0 || waitpid(child, &status, WNOHANG) != child) return;
  const uint64_t now = now_ns();
  take_notifications();
  say("exited", now);
  printf("\n");
  exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void take_input(void) {
  char text[256];
  if (read(STDIN_FILENO, text, sizeof text) > 0) return;
  is_stopping = 1;
  kill(child, SIGTERM);
}

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  command = argv + 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd < 0) fail("signalfd");
  open_notify_socket();
  start();
  for (;;) {
    struct pollfd on[] = {
        {is_stopping ? -1 : STDIN_FILENO, POLLIN, 0}, {signal_fd, POLLIN, 0}, {notify, POLLIN, 0}};
    if (poll(on, 3, -1) < 0 && errno != EINTR) fail("poll");
    if (on[2].revents != 0) take_notifications();
    if (on[1].revents != 0) take_exit(signal_fd);
    if (on[0].revents != 0) take_input();
  }
}
