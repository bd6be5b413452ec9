// SPDX-License-Identifier: Apache-2.0
// bus-client ADDRESS NAME CHANNEL MODE SIZE COUNT: opens an endpoint on a channel and measures it;
// the same program for the daemon and for the reference. Prints one line of JSON.
//   sync       COUNT calls of Send, one at a time
//   pipelined  the same, 64 in flight
//   signal     COUNT MessageReceived, of orders to the application `source`, two under way
//   rtt        COUNT round trips: Send, then the MessageReceived that brings it back
#include <systemd/sd-bus.h>

#include "measure.h"

enum {
  kInFlight = 64,
  kOrder = 256, // messages; two of them fit what an endpoint keeps
  kKept = 1024, // rx_queue
  kTimeoutUs = 30000000,
};

static const char* const kEndpoint = "org.rpmsg.Endpoint";

static sd_bus* bus;
static const char* name;
static const char* endpoint;
static uint8_t payload[kMaxPayload];
static uint64_t size, total, issued, done, ordered, received;
static struct histogram latencies;

static void fail(const char* what, const char* why) {
  fprintf(stderr, "bus-client: %s: %s\n", what, why);
  exit(1);
}

static void check(int result, const sd_bus_error* error, const char* what) {
  if (result >= 0) return;
  fail(what, error != NULL && error->name != NULL ? error->name : strerror(-result));
}
#define CHECK(call) check((call), NULL, #call)

static sd_bus_message* new_send(const void* bytes, size_t length) {
  sd_bus_message* call = NULL;
  CHECK(sd_bus_message_new_method_call(bus, &call, name, endpoint, kEndpoint, "Send"));
  CHECK(sd_bus_message_append_array(call, 'y', bytes, length));
  return call;
}

static void send_and_wait(const void* bytes, size_t length) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  sd_bus_message* call = new_send(bytes, length);
  check(sd_bus_call(bus, call, kTimeoutUs, &error, &reply), &error, "Send");
  sd_bus_message_unref(call);
  sd_bus_message_unref(reply);
}

static void process_until(const uint64_t* counter, uint64_t goal) {
  while (*counter < goal) {
    const int handled = sd_bus_process(bus, NULL);
    CHECK(handled);
    if (handled > 0) continue;
    const int woken = sd_bus_wait(bus, kTimeoutUs);
    CHECK(woken);
    if (woken == 0) fail("waiting", "nothing came");
  }
}

static void run_sync(void) {
  for (; done < total; done++) {
    const uint64_t started = now_ns();
    fill_message(payload, (uint32_t)done, size);
    send_and_wait(payload, size);
    count_latency(&latencies, now_ns() - started);
  }
}

static uint64_t started_at[kInFlight];

static void issue(uint64_t place);

static int on_reply(sd_bus_message* reply, void* place, sd_bus_error* error) {
  (void)error;
  if (sd_bus_message_is_method_error(reply, NULL))
    fail("Send", sd_bus_message_get_error(reply)->message);
  count_latency(&latencies, now_ns() - started_at[(uintptr_t)place]);
  done++;
  if (issued < total) issue((uintptr_t)place);
  return 1;
}

static void issue(uint64_t place) {
  fill_message(payload, (uint32_t)issued++, size);
  sd_bus_message* call = new_send(payload, size);
  started_at[place] = now_ns();
  CHECK(sd_bus_call_async(bus, NULL, call, on_reply, (void*)(uintptr_t)place, kTimeoutUs));
  sd_bus_message_unref(call);
}

static void run_pipelined(void) {
  for (uint64_t place = 0; place < kInFlight && issued < total; place++)
    issue(place);
  process_until(&done, total);
}

static int on_order(sd_bus_message* reply, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  if (sd_bus_message_is_method_error(reply, NULL))
    fail("an order", sd_bus_message_get_error(reply)->message);
  return 1;
}

static void order(void) {
  const uint64_t left = total - ordered;
  const uint32_t words[2] = {(uint32_t)(left < kOrder ? left : kOrder), (uint32_t)size};
  if (words[0] == 0) return;
  ordered += words[0];
  sd_bus_message* call = new_send(words, sizeof words);
  CHECK(sd_bus_call_async(bus, NULL, call, on_order, NULL, kTimeoutUs));
  sd_bus_message_unref(call);
}

static int on_message(sd_bus_message* message, void* is_order, sd_bus_error* error) {
  (void)error;
  uint64_t seq, time_ns;
  uint32_t src, generation;
  const void* bytes;
  size_t length;
  CHECK(sd_bus_message_read(message, "tuut", &seq, &src, &generation, &time_ns));
  CHECK(sd_bus_message_read_array(message, 'y', &bytes, &length));
  if (seq != received) fail("MessageReceived", "a number is missing");
  // Of two orders `source` sends in turn, each with numbers of its own.
  uint32_t number = (uint32_t)received;
  if (is_order != NULL) memcpy(&number, bytes, length < sizeof number ? length : sizeof number);
  if (length != size || !is_message(bytes, number, size)) fail("MessageReceived", "altered");
  received++;
  if (is_order != NULL && received % kOrder == 0) order();
  return 0;
}

static void subscribe(int is_order) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  void* const data = is_order ? &received : NULL;
  CHECK(sd_bus_match_signal(bus, NULL, name, endpoint, kEndpoint, "MessageReceived", on_message,
                            data));
  check(sd_bus_call_method(bus, name, endpoint, kEndpoint, "Subscribe", &error, NULL, "a{sv}", 0),
        &error, "Subscribe");
}

static void run_signal(void) {
  order();
  order();
  process_until(&received, total);
}

static void run_rtt(void) {
  for (; done < total; done++) {
    const uint64_t started = now_ns();
    fill_message(payload, (uint32_t)done, size);
    send_and_wait(payload, size);
    process_until(&received, done + 1);
    count_latency(&latencies, now_ns() - started);
  }
}

static void open_endpoint(const char* address, const char* channel) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  CHECK(sd_bus_new(&bus));
  CHECK(sd_bus_set_address(bus, address));
  CHECK(sd_bus_set_bus_client(bus, 1));
  CHECK(sd_bus_start(bus));
  check(sd_bus_call_method(bus, name, channel, "org.rpmsg.Channel", "Open", &error, &reply, "a{sv}",
                           1, "rx_queue", "u", (uint32_t)kKept),
        &error, "Open");
  const char* path;
  CHECK(sd_bus_message_read(reply, "o", &path));
  endpoint = strdup(path);
  sd_bus_message_unref(reply);
}

static const struct {
  const char* mode;
  void (*run)(void);
  int subscribes, is_order, has_latencies;
} kModes[] = {
    {"sync", run_sync, 0, 0, 1},
    {"pipelined", run_pipelined, 0, 0, 1},
    {"signal", run_signal, 1, 1, 0},
    {"rtt", run_rtt, 1, 0, 1},
};

int main(int argc, char** argv) {
  if (argc != 7) return 64;
  name = argv[2];
  size = number_of("SIZE", argv[5], kMaxPayload);
  total = number_of("COUNT", argv[6], UINT32_MAX);
  for (size_t i = 0; i < sizeof kModes / sizeof kModes[0]; i++) {
    if (strcmp(argv[4], kModes[i].mode) != 0) continue;
    open_endpoint(argv[1], argv[3]);
    if (kModes[i].subscribes) subscribe(kModes[i].is_order);
    const uint64_t started = now_ns();
    kModes[i].run();
    print_result(total, now_ns() - started, kModes[i].has_latencies ? &latencies : NULL);
    sd_bus_flush_close_unref(bus);
    return 0;
  }
  fprintf(stderr, "bus-client: MODE \"%s\" is none of sync, pipelined, signal, rtt\n", argv[4]);
  return 64;
}
