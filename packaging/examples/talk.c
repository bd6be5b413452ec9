// SPDX-License-Identifier: Apache-2.0
// Talks to a channel of an M core: one message and its answer by D-Bus calls, then lines of
// standard input as messages of a stream, and messages received as lines of standard output,
// through resets of the M core.
//
// usage: talk [CHANNEL]        (default echo)

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define SERVICE "org.rpmsg"
#define CHANNEL "org.rpmsg.Channel"
#define ENDPOINT "org.rpmsg.Endpoint"

enum { QUIET_US = 1000000 }; // after the end of the input: nothing came for so long

static void check(const char* what, int result, const sd_bus_error* error) {
  if (result >= 0) return;
  const int has_text = error != NULL && error->message != NULL;
  fprintf(stderr, "%s: %s\n", what, has_text ? error->message : strerror(-result));
  exit(1);
}

// Reads the properties of a channel, an a{sv}; whether it has this name and is announced.
static int is_announced(sd_bus_message* reply, const char* name) {
  const char *key, *value = "";
  uint32_t address = UINT32_MAX;
  check("properties", sd_bus_message_enter_container(reply, 'a', "{sv}"), NULL);
  while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
    sd_bus_message_read(reply, "s", &key);
    if (strcmp(key, "Name") == 0)
      sd_bus_message_read(reply, "v", "s", &value);
    else if (strcmp(key, "RemoteAddress") == 0)
      sd_bus_message_read(reply, "v", "u", &address);
    else
      sd_bus_message_skip(reply, "v");
    sd_bus_message_exit_container(reply);
  }
  sd_bus_message_exit_container(reply);
  return strcmp(value, name) == 0 && address != UINT32_MAX;
}

// The path of the first channel of that name, which the caller frees. GetManagedObjects answers
// a{oa{sa{sv}}}: properties by interface by path.
static char* find_channel(sd_bus* bus, const char* name) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply;
  const char *path, *interface;
  char* found = NULL;
  check("GetManagedObjects",
        sd_bus_call_method(bus, SERVICE, "/org/rpmsg", "org.freedesktop.DBus.ObjectManager",
                           "GetManagedObjects", &error, &reply, ""),
        &error);
  sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
  while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
    sd_bus_message_read(reply, "o", &path);
    sd_bus_message_enter_container(reply, 'a', "{sa{sv}}");
    while (sd_bus_message_enter_container(reply, 'e', "sa{sv}") > 0) {
      sd_bus_message_read(reply, "s", &interface);
      if (strcmp(interface, CHANNEL) != 0)
        sd_bus_message_skip(reply, "a{sv}");
      else if (is_announced(reply, name) && (found == NULL || strcmp(path, found) < 0)) {
        free(found);
        found = strdup(path);
      }
      sd_bus_message_exit_container(reply);
    }
    sd_bus_message_exit_container(reply);
    sd_bus_message_exit_container(reply);
  }
  sd_bus_message_unref(reply);
  if (found != NULL) return found;
  fprintf(stderr, "no M core has announced %s\n", name);
  exit(1);
}

// An endpoint of our own, which the caller frees the path of; it ends with our bus connection.
static char* open_endpoint(sd_bus* bus, const char* channel) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply;
  const char* path;
  check("Open",
        sd_bus_call_method(bus, SERVICE, channel, CHANNEL, "Open", &error, &reply, "a{sv}", 0),
        &error);
  check("Open", sd_bus_message_read(reply, "o", &path), NULL);
  char* own = strdup(path);
  sd_bus_message_unref(reply);
  return own;
}

static void send_message(sd_bus* bus, const char* endpoint, const char* text) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* call;
  check("Send", sd_bus_message_new_method_call(bus, &call, SERVICE, endpoint, ENDPOINT, "Send"),
        NULL);
  check("Send", sd_bus_message_append_array(call, 'y', text, strlen(text)), NULL);
  check("Send", sd_bus_call(bus, call, 0, &error, NULL), &error);
  sd_bus_message_unref(call);
}

// One message, if it comes within a second.
static void receive_message(sd_bus* bus, const char* endpoint) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply;
  uint64_t seq, time_ns;
  uint32_t source, generation;
  const void* data;
  size_t size;
  check("Receive",
        sd_bus_call_method(bus, SERVICE, endpoint, ENDPOINT, "Receive", &error, &reply, "uu", 1,
                           1000),
        &error);
  sd_bus_message_enter_container(reply, 'a', "(tuutay)");
  while (sd_bus_message_enter_container(reply, 'r', "tuutay") > 0) {
    sd_bus_message_read(reply, "tuut", &seq, &source, &generation, &time_ns);
    sd_bus_message_read_array(reply, 'y', &data, &size);
    printf("received %.*s from %u\n", (int)size, (const char*)data, source);
    sd_bus_message_exit_container(reply);
  }
  sd_bus_message_unref(reply);
}

static int acquire_stream(sd_bus* bus, const char* endpoint, uint16_t* most_bytes) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply;
  int fd;
  check("AcquireStream",
        sd_bus_call_method(bus, SERVICE, endpoint, ENDPOINT, "AcquireStream", &error, &reply,
                           "a{sv}", 0),
        &error);
  check("AcquireStream", sd_bus_message_read(reply, "hq", &fd, most_bytes), NULL);
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); // the reply closes the one that it brought
  sd_bus_message_unref(reply);
  return own;
}

// A reset of the M core, and its end: Connected of the endpoint is false and true again.
static int on_properties(sd_bus_message* signal, void* data, sd_bus_error* error) {
  const char *interface, *name;
  int connected;
  (void)data;
  (void)error;
  sd_bus_message_read(signal, "s", &interface);
  sd_bus_message_enter_container(signal, 'a', "{sv}");
  while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
    sd_bus_message_read(signal, "s", &name);
    if (strcmp(name, "Connected") != 0)
      sd_bus_message_skip(signal, "v");
    else if (sd_bus_message_read(signal, "v", "b", &connected) >= 0)
      fprintf(stderr, "the M core %s\n", connected ? "is back" : "is being reset");
    sd_bus_message_exit_container(signal);
  }
  return 0;
}

static int on_overrun(sd_bus_message* signal, void* data, sd_bus_error* error) {
  uint64_t count;
  (void)data;
  (void)error;
  if (sd_bus_message_read(signal, "t", &count) >= 0)
    fprintf(stderr, "%llu messages lost: not read in time\n", (unsigned long long)count);
  return 0;
}

static sd_event_source* quiet; // set once the input has ended

static int on_quiet(sd_event_source* source, uint64_t now_us, void* data) {
  (void)now_us;
  (void)data;
  return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void wait_for_more(sd_event* event) {
  if (quiet == NULL)
    sd_event_add_time_relative(event, &quiet, CLOCK_MONOTONIC, QUIET_US, 0, on_quiet, NULL);
  else
    sd_event_source_set_time_relative(quiet, QUIET_US);
}

static int on_stream(sd_event_source* source, int fd, uint32_t events, void* data) {
  char packet[UINT16_MAX];
  const ssize_t size = recv(fd, packet, sizeof packet, 0);
  (void)events;
  (void)data;
  if (size <= 0) check("the stream", size < 0 ? -errno : -EPIPE, NULL); // the endpoint was closed
  printf("%.*s\n", (int)size, packet);
  if (quiet != NULL) wait_for_more(sd_event_source_get_event(source));
  return 0;
}

static int stream;
static uint16_t mtu;

// Blocks while the M core is slow, or being reset.
static void send_line(const char* line, size_t length) {
  if (length > mtu) check("a line", -EMSGSIZE, NULL);
  if (length > 0 && send(stream, line, length, MSG_NOSIGNAL) < 0) check("send", -errno, NULL);
}

static int on_input(sd_event_source* source, int fd, uint32_t events, void* data) {
  static char line[4096];
  static size_t length;
  (void)events;
  (void)data;
  const ssize_t size = read(fd, line + length, sizeof line - length);
  if (size <= 0) { // the end; a last line may have none
    send_line(line, length);
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    wait_for_more(sd_event_source_get_event(source));
    return 0;
  }
  length += (size_t)size;
  for (char* end; (end = memchr(line, '\n', length)) != NULL;) {
    send_line(line, (size_t)(end - line));
    length -= (size_t)(end + 1 - line);
    memmove(line, end + 1, length);
  }
  if (length == sizeof line) check("a line", -EMSGSIZE, NULL);
  return 0;
}

int main(int argc, char** argv) {
  sd_bus* bus;
  sd_event* event;
  sd_event_source *input, *output;
  setvbuf(stdout, NULL, _IOLBF, 0);
  check("the system bus", sd_bus_open_system(&bus), NULL);

  char* channel = find_channel(bus, argc > 1 ? argv[1] : "echo");
  printf("channel %s\n", channel);
  char* endpoint = open_endpoint(bus, channel);
  send_message(bus, endpoint, "hello");
  receive_message(bus, endpoint);

  sd_bus_match_signal(bus, NULL, SERVICE, endpoint, "org.freedesktop.DBus.Properties",
                      "PropertiesChanged", on_properties, NULL);
  sd_bus_match_signal(bus, NULL, SERVICE, endpoint, ENDPOINT, "Overrun", on_overrun, NULL);
  stream = acquire_stream(bus, endpoint, &mtu);
  printf("streaming, %u bytes a message at most\n", mtu);
  check("event loop", sd_event_default(&event), NULL);
  sd_bus_attach_event(bus, event, 0);
  check("the stream", sd_event_add_io(event, &output, stream, EPOLLIN, on_stream, NULL), NULL);
  check("input", sd_event_add_io(event, &input, STDIN_FILENO, EPOLLIN, on_input, NULL), NULL);
  // What has come is read before more is sent: who does not read loses messages.
  sd_event_source_set_priority(output, SD_EVENT_PRIORITY_IMPORTANT);
  check("event loop", sd_event_loop(event), NULL);
  sd_bus_flush_close_unref(bus);
  free(endpoint);
  free(channel);
  return 0;
}
