// SPDX-License-Identifier: Apache-2.0
// The other end of a SOCK_SEQPACKET socket: listens at a path, passes one end of a pair to whoever
// connects, and does to the other what it reads on standard input, a line each, answering each with a
// line. Packets are numbered in their first four bytes, as far as they have room for it.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint32_t sent_number, received_number;

static void fail(const char* what) {
  fprintf(stderr, "packet-peer: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void pass(int to, int fd, const void* bytes, size_t size) {
  char control[CMSG_SPACE(sizeof fd)];
  memset(control, 0, sizeof control);
  struct iovec vector = {(void*)bytes, size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
  message.msg_controllen = sizeof control;
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(to, &message, MSG_NOSIGNAL) < 0) fail("sendmsg");
}

static int pass_one_end(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), pair[2];
  if (bind(listening, (struct sockaddr*)&address, sizeof address) < 0) fail(path);
  if (listen(listening, 1) < 0) fail("listen");
  printf("listening\n");
  int connection = accept(listening, NULL, NULL);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) fail("socketpair");
  pass(connection, pair[1], "x", 1);
  close(pair[1]);
  close(connection);
  close(listening);
  unlink(path);
  return pair[0];
}

static void send_packets(int fd, unsigned count, unsigned size) {
  static char bytes[1 << 20];
  for (unsigned i = 0; i < count; i++) {
    const uint32_t number = sent_number++;
    memcpy(bytes, &number, size < sizeof number ? size : sizeof number);
    if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size) {
      printf("sent %u %s\n", i, strerror(errno));
      return;
    }
  }
  printf("sent %u\n", count);
}

/// Until `limit` packets or the end: how many, their bytes, and whether the numbers were in order.
static void receive_packets(int fd, unsigned limit) {
  static char bytes[1 << 20];
  unsigned long total = 0;
  unsigned count = 0, in_order = 1;
  while (count < limit) {
    const ssize_t size = recv(fd, bytes, sizeof bytes, 0);
    if (size < 0) fail("recv");
    if (size == 0) break;
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    if ((size_t)size >= sizeof number && number != received_number++) in_order = 0;
    total += (unsigned long)size;
    count++;
  }
  printf("received %u %lu %s\n", count, total, in_order ? "in order" : "out of order");
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  const int fd = pass_one_end(argv[1]);
  char line[128];
  unsigned count, size;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "send %u %u", &count, &size) == 2)
      send_packets(fd, count, size);
    else if (sscanf(line, "receive %u", &count) == 1)
      receive_packets(fd, count);
    else if (strcmp(line, "attach\n") == 0)
      pass(fd, STDIN_FILENO, "with a descriptor", 17), printf("attached\n");
    else if (strcmp(line, "shutdown\n") == 0)
      shutdown(fd, SHUT_WR), printf("shut down\n");
    else if (strcmp(line, "close\n") == 0)
      close(fd), printf("closed\n");
    else
      return 64;
  }
  return 0;
}
