// SPDX-License-Identifier: Apache-2.0
// A small service manager: runs a program and starts it again whenever it ends, keeps descriptors for
// it meanwhile (sd_pid_notify_with_fds(3)), and hands them to its next life (sd_listen_fds(3)).
//
//   service-manager SOCKET RESTART_DELAY_MS STORE_MAX PROGRAM [ARGUMENT...]
//
// Says, a line each: STARTED life pid; NOTIFIED life text, newlines as '|'; READY life pid; STORED life
// name; DROPPED life name; ENDED life status or -signal. Only the main process is listened to. SIGTERM
// goes to it, and once it has ended the manager ends with its status; the store is gone then.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMost = 4096, kNameBytes = 256, kTextBytes = 4096, kFirstFd = 3 };

struct kept {
  char name[kNameBytes];
  int fd;
  int is_watched; // dropped once its peer has hung up
};

static struct kept store[kMost];
static int stored;
static int store_max;
static int life;
static pid_t child;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int on = 1;
  if (strlen(path) >= sizeof address.sun_path) exit(64);
  strcpy(address.sun_path, path);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail(path);
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) fail("SO_PASSCRED");
  return fd;
}

static int is_same(int one, int other) {
  struct stat a, b;
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void drop(int at) {
  printf("DROPPED %d %s\n", life, store[at].name);
  close(store[at].fd);
  memmove(&store[at], &store[at + 1], (size_t)(--stored - at) * sizeof store[0]);
}

static void keep(const char *name, int fd, int is_watched) {
  int is_kept = stored < store_max;
  for (int i = 0; i < stored; i++) is_kept = is_kept && !is_same(store[i].fd, fd);
  if (!is_kept) {
    close(fd);
    return;
  }
  struct kept *entry = &store[stored++];
  snprintf(entry->name, sizeof entry->name, "%s", name);
  entry->fd = fd;
  entry->is_watched = is_watched;
  printf("STORED %d %s\n", life, name);
}

/// The value of a line `key=value`, copied to `to`; 0 where there is none.
static int field(const char *text, const char *key, char *to) {
  const size_t length = strlen(key);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, key, length) != 0 || line[length] != '=') continue;
    snprintf(to, kNameBytes, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
    return 1;
  }
  return 0;
}

static void act_on(const char *text, int *fds, int count) {
  char value[kNameBytes], name[kNameBytes] = "stored";
  field(text, "FDNAME", name);
  if (field(text, "FDSTORE", value)) {
    const int is_watched = !field(text, "FDPOLL", value) || strcmp(value, "0") != 0;
    for (int i = 0; i < count; i++) keep(name, fds[i], is_watched);
    return;
  }
  // With BARRIER=1 that is the whole answer.
  for (int i = 0; i < count; i++) close(fds[i]);
  for (int i = stored - 1; field(text, "FDSTOREREMOVE", value) && i >= 0; i--) {
    if (strcmp(store[i].name, name) == 0) drop(i);
  }
  if (field(text, "READY", value)) printf("READY %d %d\n", life, child);
}

/// One notification; 0 when there is none.
static int receive(int socket) {
  char text[kTextBytes], control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(16 * sizeof(int))];
  struct iovec data = {text, sizeof text - 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fds[16], count = 0;
  pid_t sender = 0;
  const ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) return 0;
  text[size] = '\0';
  for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_type == SCM_CREDENTIALS) sender = ((struct ucred *)CMSG_DATA(at))->pid;
    if (at->cmsg_type != SCM_RIGHTS) continue;
    count = (int)((at->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(at), (size_t)count * sizeof(int));
  }
  if (sender != child) {
    for (int i = 0; i < count; i++) close(fds[i]);
    return 1;
  }
  char line[kTextBytes];
  strcpy(line, text);
  for (char *at = line; (at = strchr(at, '\n')) != NULL;) *at = '|';
  printf("NOTIFIED %d %s\n", life, line);
  act_on(text, fds, count);
  return 1;
}

/// In the child: the store from descriptor 3 on, and what sd_listen_fds(3) looks for.
static void hand_over(void) {
  static char names[kMost * (kNameBytes + 1)];
  char number[16];
  int fds[kMost];
  size_t length = 0;
  unsetenv("LISTEN_FDS");
  if (stored == 0) return;
  // Out of the way first: one may lie where another has to go.
  for (int i = 0; i < stored; i++) fds[i] = fcntl(store[i].fd, F_DUPFD_CLOEXEC, kFirstFd + stored);
  for (int i = 0; i < stored; i++) {
    if (dup2(fds[i], kFirstFd + i) < 0) _exit(126);
    const char *const separator = i == 0 ? "" : ":";
    length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", separator, store[i].name);
  }
  sprintf(number, "%d", stored);
  setenv("LISTEN_FDS", number, 1);
  sprintf(number, "%d", getpid());
  setenv("LISTEN_PID", number, 1);
  setenv("LISTEN_FDNAMES", names, 1);
}

static void start(char **command, const sigset_t *signals) {
  life++;
  fflush(stdout);
  child = fork();
  if (child < 0) fail("fork");
  if (child > 0) {
    printf("STARTED %d %d\n", life, child);
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigprocmask(SIG_UNBLOCK, signals, NULL);
  hand_over();
  execvp(command[0], command);
  _exit(127);
}

/// The status of a program that ended, negative for a signal; forgets it.
static int reap(void) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) fail("waitpid");
  child = 0;
  const int how = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  printf("ENDED %d %d\n", life, how);
  return how;
}

/// Waits for notifications, signals and hang-ups; true when there is a signal.
static int turn(int socket, int signals, int timeout_ms) {
  static struct pollfd polled[kMost + 2];
  polled[0] = (struct pollfd){.fd = signals, .events = POLLIN};
  polled[1] = (struct pollfd){.fd = socket, .events = POLLIN};
  for (int i = 0; i < stored; i++) {
    polled[i + 2] = (struct pollfd){.fd = store[i].is_watched ? store[i].fd : -1};
  }
  const int before = stored;
  if (poll(polled, (nfds_t)before + 2, timeout_ms) < 0) fail("poll");
  for (int i = before - 1; i >= 0; i--) {
    if (polled[i + 2].revents != 0) drop(i);
  }
  if (polled[1].revents != 0) receive(socket);
  return polled[0].revents != 0;
}

int main(int argc, char **argv) {
  if (argc < 5) return 64;
  store_max = atoi(argv[3]) < kMost ? atoi(argv[3]) : kMost;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  const int signals = signalfd(-1, &mask, SFD_CLOEXEC);
  const int socket = listen_at(argv[1]);
  setenv("NOTIFY_SOCKET", argv[1], 1);
  int is_stopping = 0;
  start(argv + 4, &mask);
  for (;;) {
    if (!turn(socket, signals, child == 0 ? atoi(argv[2]) : -1)) {
      if (child == 0) start(argv + 4, &mask);
      continue;
    }
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != sizeof info) fail("signalfd");
    if (info.ssi_signo == SIGTERM) {
      is_stopping = 1;
      if (child == 0) return 0;
      kill(child, SIGTERM);
    } else {
      while (receive(socket)) {} // what it said last
      const int status = reap();
      if (is_stopping) return status < 0 ? 128 - status : status;
    }
  }
}
