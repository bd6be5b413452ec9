// SPDX-License-Identifier: Apache-2.0
// subscriber CHANNEL COUNT: opens an endpoint on a channel that echoes, subscribes to it, sends
// COUNT messages, and prints how many signals came back within 20 seconds. libsystemd answers the
// pings by which the daemon learns what was read.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

static const char* const kName = "org.rpmsg";
static const char* const kEndpoint = "org.rpmsg.Endpoint";
static const time_t kDeadlineS = 20;

static void check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "subscriber: %s: %s\n", what, strerror(-result));
  exit(1);
}
#define CHECK(call) check((call), #call)

static int received(sd_bus_message* message, void* count, sd_bus_error* error) {
  (void)message;
  (void)error;
  ++*(int*)count;
  return 0;
}

static void send_message(sd_bus* bus, const char* endpoint, int number) {
  sd_bus_message* call = NULL;
  CHECK(sd_bus_message_new_method_call(bus, &call, kName, endpoint, kEndpoint, "Send"));
  CHECK(sd_bus_message_append_array(call, 'y', &number, sizeof number));
  CHECK(sd_bus_call(bus, call, 0, NULL, NULL));
  sd_bus_message_unref(call);
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const int wanted = atoi(argv[2]);
  int count = 0;
  sd_bus* bus = NULL;
  sd_bus_message* reply = NULL;
  const char* endpoint = NULL;
  CHECK(sd_bus_open_system(&bus));
  CHECK(sd_bus_call_method(bus, kName, argv[1], "org.rpmsg.Channel", "Open", NULL, &reply, "a{sv}",
                           0));
  CHECK(sd_bus_message_read(reply, "o", &endpoint));
  CHECK(sd_bus_match_signal(bus, NULL, kName, endpoint, kEndpoint, "MessageReceived", received,
                            &count));
  CHECK(sd_bus_call_method(bus, kName, endpoint, kEndpoint, "Subscribe", NULL, NULL, "a{sv}", 0));
  for (int number = 0; number < wanted; ++number)
    send_message(bus, endpoint, number);
  const time_t end = time(NULL) + kDeadlineS;
  while (count < wanted && time(NULL) < end) {
    const int handled = sd_bus_process(bus, NULL);
    CHECK(handled);
    if (handled == 0) CHECK(sd_bus_wait(bus, 1000000));
  }
  printf("%d\n", count);
  return 0;
}
