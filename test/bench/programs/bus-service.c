// SPDX-License-Identifier: Apache-2.0
// bus-service ADDRESS NAME CPU: what the daemon is held against on the bus. An sd-bus service whose
// Send writes one eventfd to a process that sleeps on it, on that CPU, and whose signals are those
// of an endpoint: after Subscribe an order {u32 count, u32 size} given to Send makes it emit so
// many. Prints READY when it owns the name.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "measure.h"

static const char* const kPath = "/org/rpmsg/bench";
static const char* const kEndpoint = "org.rpmsg.Endpoint";

static int doorbell = -1;
static uint64_t seq;
static char* subscriber;

static void check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "bus-service: %s: %s\n", what, strerror(-result));
  exit(1);
}
#define CHECK(call) check((call), #call)

static int emit(sd_bus* bus, uint32_t number, uint32_t size) {
  uint8_t data[kMaxPayload];
  sd_bus_message* signal = NULL;
  fill_message(data, number, size);
  int result = sd_bus_message_new_signal(bus, &signal, kPath, kEndpoint, "MessageReceived");
  if (result >= 0) result = sd_bus_message_set_destination(signal, subscriber);
  if (result >= 0) result = sd_bus_message_append(signal, "tuut", seq++, 5u, 1u, now_ns());
  if (result >= 0) result = sd_bus_message_append_array(signal, 'y', data, size);
  if (result >= 0) result = sd_bus_send(bus, signal, NULL);
  sd_bus_message_unref(signal);
  return result;
}

static int on_send(sd_bus_message* call, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  const void* bytes;
  size_t size;
  int result = sd_bus_message_read_array(call, 'y', &bytes, &size);
  const uint64_t one = 1;
  if (result >= 0 && write(doorbell, &one, sizeof one) < 0) return -errno;
  if (result >= 0) result = sd_bus_reply_method_return(call, "");
  uint32_t order[2] = {0, 0};
  if (subscriber != NULL && size == sizeof order) memcpy(order, bytes, sizeof order);
  for (uint32_t i = 0; i < order[0] && result >= 0 && order[1] <= kMaxPayload; i++)
    result = emit(sd_bus_message_get_bus(call), i, order[1]);
  return result;
}

static int on_open(sd_bus_message* call, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  return sd_bus_reply_method_return(call, "o", kPath);
}

static int on_subscribe(sd_bus_message* call, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  free(subscriber);
  subscriber = strdup(sd_bus_message_get_sender(call));
  seq = 0;
  return sd_bus_reply_method_return(call, "u", 0);
}

static const sd_bus_vtable kEndpointTable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Send", "ay", "", on_send, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Subscribe", "a{sv}", "u", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("MessageReceived", "tuutay", 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable kChannelTable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Open", "a{sv}", "o", on_open, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/// Stands where the firmware does: it sleeps until it is told, and then knows it.
static void start_sleeper(int cpu) {
  doorbell = eventfd(0, EFD_CLOEXEC);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (doorbell < 0 || pid < 0) check(-errno, "the sleeping process");
  if (pid > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set); // where there is no second CPU nothing is pinned
  uint64_t count;
  while (getppid() == parent && read(doorbell, &count, sizeof count) > 0) {
  }
  _exit(0);
}

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  start_sleeper((int)number_of("CPU", argv[3], CPU_SETSIZE - 1));
  sd_bus* bus = NULL;
  CHECK(sd_bus_new(&bus));
  CHECK(sd_bus_set_address(bus, argv[1]));
  CHECK(sd_bus_set_bus_client(bus, 1));
  CHECK(sd_bus_start(bus));
  CHECK(sd_bus_add_object_vtable(bus, NULL, kPath, kEndpoint, kEndpointTable, NULL));
  CHECK(sd_bus_add_object_vtable(bus, NULL, kPath, "org.rpmsg.Channel", kChannelTable, NULL));
  CHECK(sd_bus_request_name(bus, argv[2], 0));
  puts("READY");
  fflush(stdout);
  for (;;) {
    const int handled = sd_bus_process(bus, NULL);
    CHECK(handled);
    if (handled == 0) CHECK(sd_bus_wait(bus, UINT64_MAX));
  }
}
