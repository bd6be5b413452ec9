// SPDX-License-Identifier: Apache-2.0
// Runs dbus-broker without systemd: one listening socket, a policy that allows everything to
// everyone. Prints READY and serves until it is killed; the broker dies with it.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

// dbus-broker's controller protocol: org.bus1.DBus.Broker.AddListener takes a policy.
#define BATCH                                                                                      \
  "bt"                                                                                             \
  "a(btbs)"                                                                                        \
  "a(btssssuutt)"                                                                                  \
  "a(btssssuutt)"
#define POLICY                                                                                     \
  "a(u(" BATCH "))"                                                                                \
  "a(buu(" BATCH "))"                                                                              \
  "a(ss)"                                                                                          \
  "b"                                                                                              \
  "s"

static void check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "broker-controller: %s: %s\n", what, strerror(-result));
  exit(1);
}
#define CHECK(call) check((call), #call)

static int start_broker(void) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0) exit(1);
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(pair[0]);
    char fd[16];
    snprintf(fd, sizeof fd, "%d", pair[1]);
    execlp("dbus-broker", "dbus-broker", "--controller", fd, "--machine-id",
           "0123456789abcdef0123456789abcdef", "--max-matches", "100000", "--max-objects",
           "1000000", "--max-bytes", "1000000000", (char*)NULL);
    _exit(127);
  }
  close(pair[1]);
  return pair[0];
}

static int listen_at(const char* path) {
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) < 0 || listen(listener, 64) < 0) {
    perror(path);
    exit(1);
  }
  chmod(path, 0777);
  return listener;
}

static void append_policy(sd_bus_message* m) {
  CHECK(sd_bus_message_open_container(m, 'v', "(" POLICY ")"));
  CHECK(sd_bus_message_open_container(m, 'r', POLICY));
  CHECK(sd_bus_message_open_container(m, 'a', "(u(" BATCH "))"));
  CHECK(sd_bus_message_open_container(m, 'r', "u(" BATCH ")"));
  CHECK(sd_bus_message_append(m, "u", (uint32_t)-1));
  CHECK(sd_bus_message_open_container(m, 'r', BATCH));
  CHECK(sd_bus_message_append(m, BATCH, 1, (uint64_t)1, 1, 1, (uint64_t)1, 1, "", 1, 1, (uint64_t)1,
                              "", "", "", "", 0, 0, (uint64_t)0, UINT64_MAX, 1, 1, (uint64_t)1, "",
                              "", "", "", 0, 0, (uint64_t)0, UINT64_MAX));
  for (int i = 0; i < 3; i++)
    CHECK(sd_bus_message_close_container(m));
  CHECK(sd_bus_message_open_container(m, 'a', "(buu(" BATCH "))"));
  CHECK(sd_bus_message_close_container(m));
  CHECK(sd_bus_message_open_container(m, 'a', "(ss)"));
  CHECK(sd_bus_message_close_container(m));
  CHECK(sd_bus_message_append(m, "bs", 0, "session"));
  for (int i = 0; i < 2; i++)
    CHECK(sd_bus_message_close_container(m));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: broker-controller SOCKET\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int broker = start_broker();
  int listener = listen_at(argv[1]);
  sd_bus* bus = NULL;
  CHECK(sd_bus_new(&bus));
  CHECK(sd_bus_set_fd(bus, broker, broker));
  CHECK(sd_bus_start(bus));
  sd_bus_message* m = NULL;
  CHECK(sd_bus_message_new_method_call(bus, &m, NULL, "/org/bus1/DBus/Broker",
                                       "org.bus1.DBus.Broker", "AddListener"));
  CHECK(sd_bus_message_append(m, "oh", "/org/bus1/DBus/Listener/0", listener));
  append_policy(m);
  CHECK(sd_bus_call(bus, m, 0, NULL, NULL));
  puts("READY");
  fflush(stdout);
  for (;;) {
    int result = sd_bus_process(bus, NULL);
    if (result < 0) return 1;
    if (result == 0) sd_bus_wait(bus, UINT64_MAX);
  }
}
