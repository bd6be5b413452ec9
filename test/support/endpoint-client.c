// SPDX-License-Identifier: Apache-2.0
// A subscriber written against sd-bus: opens an endpoint on a channel of org.rpmsg, subscribes, and
// prints a line for everything it gets until it is killed. Tests stop, resume and kill it.

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.rpmsg"
#define ENDPOINT "org.rpmsg.Endpoint"

struct options {
  const char* address;
  const char* channel;
  const char* say;
  const char* ack;
  uint32_t window;
  uint32_t order_count;
  uint32_t order_size;
  int stop;
  int once;
};

static int is_done;
static int ends_after_one;

static void fail(const char* what, const sd_bus_error* error, int result) {
  const char* name = error != NULL && error->name != NULL ? error->name : strerror(-result);
  const char* text = error != NULL && error->message != NULL ? error->message : "";
  fprintf(stderr, "%s: %s: %s\n", what, name, text);
  exit(1);
}

static int on_message(sd_bus_message* message, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  uint64_t seq, time_ns;
  uint32_t src, generation;
  const void* bytes;
  size_t size;
  int result = sd_bus_message_read(message, "tuut", &seq, &src, &generation, &time_ns);
  if (result < 0) fail("MessageReceived", NULL, result);
  result = sd_bus_message_read_array(message, 'y', &bytes, &size);
  if (result < 0) fail("MessageReceived", NULL, result);
  printf("message %llu %zu", (unsigned long long)seq, size);
  if (ends_after_one) printf(" %.*s", (int)size, (const char*)bytes);
  printf("\n");
  is_done = ends_after_one;
  return 0;
}

static int on_overrun(sd_bus_message* message, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  uint64_t dropped;
  int result = sd_bus_message_read(message, "t", &dropped);
  if (result < 0) fail("Overrun", NULL, result);
  printf("overrun %llu\n", (unsigned long long)dropped);
  return 0;
}

static char* open_endpoint(sd_bus* bus, const char* channel) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  int result = sd_bus_call_method(bus, SERVICE, channel, "org.rpmsg.Channel", "Open", &error,
                                  &reply, "a{sv}", 0);
  if (result < 0) fail("Open", &error, result);
  const char* path;
  result = sd_bus_message_read(reply, "o", &path);
  if (result < 0) fail("Open", NULL, result);
  char* copy = strdup(path);
  sd_bus_message_unref(reply);
  return copy;
}

static void subscribe(sd_bus* bus, const char* path, const struct options* options) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  sd_bus_match_signal(bus, NULL, SERVICE, path, ENDPOINT, "MessageReceived", on_message, NULL);
  sd_bus_match_signal(bus, NULL, SERVICE, path, ENDPOINT, "Overrun", on_overrun, NULL);
  int result =
      sd_bus_call_method(bus, SERVICE, path, ENDPOINT, "Subscribe", &error, &reply, "a{sv}", 2,
                         "ack", "s", options->ack, "window", "u", options->window);
  if (result < 0) fail("Subscribe", &error, result);
  uint32_t window;
  if (sd_bus_message_read(reply, "u", &window) >= 0) printf("window %u\n", window);
  sd_bus_message_unref(reply);
}

static void send_bytes(sd_bus* bus, const char* path, const void* bytes, size_t size) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* call = NULL;
  sd_bus_message* reply = NULL;
  int result = sd_bus_message_new_method_call(bus, &call, SERVICE, path, ENDPOINT, "Send");
  if (result >= 0) result = sd_bus_message_append_array(call, 'y', bytes, size);
  if (result >= 0) result = sd_bus_call(bus, call, 0, &error, &reply);
  if (result < 0) fail("Send", &error, result);
  sd_bus_message_unref(call);
  sd_bus_message_unref(reply);
}

static void read_options(struct options* options, int count, char** words) {
  for (int i = 0; i < count; i++) {
    const char* word = words[i];
    if (strncmp(word, "say=", 4) == 0)
      options->say = word + 4;
    else if (strncmp(word, "ack=", 4) == 0)
      options->ack = word + 4;
    else if (sscanf(word, "window=%u", &options->window) == 1)
      continue;
    else if (sscanf(word, "order=%u,%u", &options->order_count, &options->order_size) == 2)
      continue;
    else if (strcmp(word, "stop") == 0)
      options->stop = 1;
    else if (strcmp(word, "once") == 0)
      options->once = 1;
    else
      exit(64);
  }
}

int main(int argc, char** argv) {
  struct options options = {.ack = "auto", .window = 64};
  if (argc < 3) return 64;
  options.address = argv[1];
  options.channel = argv[2];
  read_options(&options, argc - 3, argv + 3);
  ends_after_one = options.once;
  setvbuf(stdout, NULL, _IOLBF, 0);

  sd_bus* bus = NULL;
  int result = sd_bus_new(&bus);
  if (result >= 0) result = sd_bus_set_address(bus, options.address);
  if (result >= 0) result = sd_bus_set_bus_client(bus, 1);
  if (result >= 0) result = sd_bus_start(bus);
  if (result < 0) fail("connect", NULL, result);

  char* path = open_endpoint(bus, options.channel);
  subscribe(bus, path, &options);
  if (options.say != NULL) send_bytes(bus, path, options.say, strlen(options.say));
  if (options.order_count > 0) {
    const uint32_t order[2] = {options.order_count, options.order_size};
    send_bytes(bus, path, order, sizeof order);
  }
  printf("endpoint %s\n", path);
  if (options.stop) raise(SIGSTOP);
  while (!is_done) {
    result = sd_bus_process(bus, NULL);
    if (result == 0) result = sd_bus_wait(bus, UINT64_MAX);
    if (result < 0 && result != -EINTR) fail("process", NULL, result);
  }
  free(path);
  sd_bus_flush_close_unref(bus);
  return 0;
}
