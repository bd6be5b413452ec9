// SPDX-License-Identifier: Apache-2.0
// traffic ECHO SOURCE: opens an endpoint on each of two channels, keeps messages going through them
// in both directions whatever becomes of the daemon, and ends at SIGTERM with one line of JSON that
// says what was lost or doubled. Prints OPEN, its unique name and the endpoints' paths; then ALIVE
// when messages have come, and again when they have come from another daemon than before.
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

enum {
  kMaxSends = 1 << 20,
  kMaxPauses = 1024,
  kInFlight = 4,
  kOrder = 64,             // messages that `source` is asked for at a time; as many again are on the way
  kRetryUs = 5000,         // after a call that found nobody
  kQuietUs = 500000,       // nothing comes any more
  kPauseNs = 20000000,     // between two messages that were taken from the ring
  kSignsOfLife = 100,      // messages of a daemon, until it is called alive
};

static const char* const kEndpoint = "org.rpmsg.Endpoint";

/// What became of a call.
enum Fate { kUnknown, kSent, kRefused, kDoubtful };

struct Endpoint {
  const char* path;
  uint64_t last_seq;
  unsigned gaps, repeated;
};

static sd_bus* bus;
static struct Endpoint echo, source;
static uint8_t fates[kMaxSends], echoes[kMaxSends];
static unsigned next_number, in_flight, order_in_flight;
static unsigned orders, doubtful_orders, from_source, counts[kOrder];
static uint64_t retry_at_us, last_event_us, last_taken_ns, pauses[kMaxPauses][2];
static unsigned pause_count, unexpected;
static char unexpected_name[128];
static int waits_for_life = kSignsOfLife;
static volatile sig_atomic_t stopping;

static void check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "traffic: %s: %s\n", what, strerror(-result));
  exit(1);
}
#define CHECK(call) check((call), #call)

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/// A daemon that died before its answer leaves its caller in doubt; others said that nothing was sent.
static enum Fate fate_of(sd_bus_message* reply) {
  const sd_bus_error* error = sd_bus_message_get_error(reply);
  last_event_us = now_us();
  if (error == NULL) return kSent;
  retry_at_us = now_us() + kRetryUs;
  if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY)) return kDoubtful;
  if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
      sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
      sd_bus_error_has_name(error, "org.rpmsg.Error.ShuttingDown"))
    return kRefused;
  unexpected++;
  snprintf(unexpected_name, sizeof unexpected_name, "%s", error->name);
  return kRefused;
}

static int on_sent(sd_bus_message* reply, void* number, sd_bus_error* error) {
  (void)error;
  in_flight--;
  fates[(uintptr_t)number] = fate_of(reply);
  return 0;
}

static int on_ordered(sd_bus_message* reply, void* unused, sd_bus_error* error) {
  (void)unused;
  (void)error;
  order_in_flight = 0;
  const enum Fate fate = fate_of(reply);
  if (fate == kSent) orders++;
  if (fate == kDoubtful) doubtful_orders++;
  return 0;
}

/// Without starting a service that somebody stopped.
static void send_bytes(const char* path, const void* bytes, size_t size, sd_bus_message_handler_t done,
                       void* data) {
  sd_bus_message* call = NULL;
  CHECK(sd_bus_message_new_method_call(bus, &call, "org.rpmsg", path, kEndpoint, "Send"));
  CHECK(sd_bus_message_append_array(call, 'y', bytes, size));
  CHECK(sd_bus_message_set_auto_start(call, 0));
  CHECK(sd_bus_call_async(bus, NULL, call, done, data, 0));
  sd_bus_message_unref(call);
}

/// Keeps calls in flight, and messages of `source` on the way, while nobody wants to stop.
static void pump(void) {
  if (stopping || now_us() < retry_at_us) return;
  while (in_flight < kInFlight && next_number < kMaxSends) {
    in_flight++;
    send_bytes(echo.path, &next_number, sizeof next_number, on_sent, (void*)(uintptr_t)next_number);
    next_number++;
  }
  // An order in doubt was taken after all, or everything has come and nothing more will.
  const int more = (int)(orders * kOrder) - (int)from_source <= kOrder;
  if (order_in_flight || !more) return;
  const uint32_t order[2] = {kOrder, sizeof(uint32_t)};
  order_in_flight = 1;
  send_bytes(source.path, order, sizeof order, on_ordered, NULL);
}

/// False for one that came before: the daemon repeats what it does not know to have arrived.
static int is_new(struct Endpoint* endpoint, uint64_t seq) {
  if (endpoint->last_seq != 0 && seq <= endpoint->last_seq) {
    endpoint->repeated++;
    return 0;
  }
  if (endpoint->last_seq != 0) endpoint->gaps += (unsigned)(seq - endpoint->last_seq - 1);
  endpoint->last_seq = seq;
  return 1;
}

static void note_pause(uint64_t time_ns) {
  if (last_taken_ns != 0 && time_ns > last_taken_ns + kPauseNs && pause_count < kMaxPauses) {
    pauses[pause_count][0] = last_taken_ns;
    pauses[pause_count++][1] = time_ns;
  }
  if (time_ns > last_taken_ns) last_taken_ns = time_ns;
}

static int on_message(sd_bus_message* signal, void* endpoint, sd_bus_error* error) {
  (void)error;
  uint64_t seq = 0, time_ns = 0;
  uint32_t src = 0, generation = 0, number = 0;
  const void* bytes = NULL;
  size_t size = 0;
  CHECK(sd_bus_message_read(signal, "tuut", &seq, &src, &generation, &time_ns));
  CHECK(sd_bus_message_read_array(signal, 'y', &bytes, &size));
  last_event_us = now_us();
  note_pause(time_ns);
  if (waits_for_life > 0 && --waits_for_life == 0) puts("ALIVE");
  if (!is_new(endpoint, seq) || size != sizeof number) return 0;
  memcpy(&number, bytes, sizeof number);
  if (endpoint == &echo && number < kMaxSends) echoes[number]++;
  if (endpoint != &source || number >= kOrder) return 0;
  counts[number]++;
  // More than was ordered: one of the orders in doubt was taken.
  if (++from_source > orders * kOrder + order_in_flight * kOrder && doubtful_orders > 0) {
    orders++;
    doubtful_orders--;
  }
  return 0;
}

static int on_owner(sd_bus_message* signal, void* unused, sd_bus_error* error) {
  (void)unused;
  (void)error;
  const char *name = NULL, *before = NULL, *after = NULL;
  CHECK(sd_bus_message_read(signal, "sss", &name, &before, &after));
  if (after[0] != '\0') waits_for_life = kSignsOfLife;
  return 0;
}

static void open_on(const char* channel, struct Endpoint* endpoint) {
  sd_bus_message* reply = NULL;
  CHECK(sd_bus_call_method(bus, "org.rpmsg", channel, "org.rpmsg.Channel", "Open", NULL, &reply,
                           "a{sv}", 0));
  CHECK(sd_bus_message_read(reply, "o", &endpoint->path));
  CHECK(sd_bus_match_signal(bus, NULL, NULL, endpoint->path, kEndpoint, "MessageReceived",
                            on_message, endpoint));
  CHECK(sd_bus_call_method(bus, "org.rpmsg", endpoint->path, kEndpoint, "Subscribe", NULL, NULL,
                           "a{sv}", 0));
}

static void say_open(void) {
  const char* name = NULL;
  CHECK(sd_bus_get_unique_name(bus, &name));
  printf("OPEN %s %s %s\n", name, echo.path, source.path);
}

static void report(void) {
  unsigned sent = 0, refused = 0, doubtful = 0, lost = 0, doubled = 0, untrue = 0;
  for (unsigned i = 0; i < next_number; i++) {
    sent += fates[i] == kSent;
    refused += fates[i] == kRefused;
    doubtful += fates[i] == kDoubtful;
    lost += fates[i] == kSent && echoes[i] == 0;
    doubled += echoes[i] > 1;
    untrue += fates[i] == kRefused && echoes[i] > 0;
  }
  unsigned least = counts[0], most = counts[0];
  for (unsigned i = 0; i < kOrder; i++) {
    if (counts[i] < least) least = counts[i];
    if (counts[i] > most) most = counts[i];
  }
  printf("{\"sent\":%u,\"refused\":%u,\"doubtful\":%u,\"lost\":%u,", sent, refused, doubtful, lost);
  printf("\"doubled\":%u,\"untrue\":%u,\"gaps\":%u,", doubled, untrue, echo.gaps + source.gaps);
  printf("\"repeated\":%u,\"orders\":%u,", echo.repeated + source.repeated, orders);
  printf("\"ordersDoubtful\":%u,\"leastOfOrder\":%u,", doubtful_orders, least);
  printf("\"mostOfOrder\":%u,\"unexpected\":%u,", most, unexpected);
  printf("\"unexpectedName\":\"%s\",\"pauses\":[", unexpected_name);
  for (unsigned i = 0; i < pause_count; i++)
    printf("%s[%.3f,%.3f]", i ? "," : "", (double)pauses[i][0] / 1e6, (double)pauses[i][1] / 1e6);
  puts("]}");
}

static void stop(int signal) {
  (void)signal;
  stopping = 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGTERM, stop);
  CHECK(sd_bus_open_system(&bus));
  CHECK(sd_bus_add_match(bus, NULL,
                         "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                         "arg0='org.rpmsg'",
                         on_owner, NULL));
  open_on(argv[1], &echo);
  open_on(argv[2], &source);
  say_open();
  last_event_us = now_us();
  while (!stopping || in_flight > 0 || order_in_flight || now_us() < last_event_us + kQuietUs) {
    pump();
    const int handled = sd_bus_process(bus, NULL);
    CHECK(handled);
    if (handled > 0) continue;
    const int waited = sd_bus_wait(bus, kRetryUs);
    if (waited != -EINTR) CHECK(waited);
  }
  report();
  return 0;
}
