// SPDX-License-Identifier: Apache-2.0
// A client that passes descriptors: speaks to the socket given, sends each message that comes on
// standard input (length as 32 bits, count of descriptors as 32 bits, bytes) with that many
// descriptors attached, and copies to standard output whatever the socket answers.
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { kMaxFds = 16, kChunk = 65536 };

static int read_all(int fd, void* to, size_t size) {
  for (size_t have = 0; have < size;) {
    ssize_t got = read(fd, (char*)to + have, size - have);
    if (got <= 0) return 0;
    have += (size_t)got;
  }
  return 1;
}

static void send_with_fds(int sock, const char* bytes, size_t size, unsigned count) {
  int fds[kMaxFds];
  for (unsigned i = 0; i < count; i++)
    fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  char control[CMSG_SPACE(sizeof fds)];
  memset(control, 0, sizeof control);
  struct iovec vector = {(void*)bytes, size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  ssize_t sent = sendmsg(sock, &message, MSG_NOSIGNAL);
  for (unsigned i = 0; i < count; i++)
    close(fds[i]);
  while (sent >= 0 && (size_t)sent < size) {
    ssize_t more = send(sock, bytes + sent, size - (size_t)sent, MSG_NOSIGNAL);
    sent = more < 0 ? -1 : sent + more;
  }
  if (sent < 0) exit(0);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  if (connect(sock, (struct sockaddr*)&address, sizeof address) < 0) return 1;
  static char chunk[kChunk];
  struct pollfd polled[2] = {{.fd = 0, .events = POLLIN}, {.fd = sock, .events = POLLIN}};
  while (poll(polled, 2, -1) > 0) {
    if (polled[1].revents != 0) {
      ssize_t got = read(sock, chunk, sizeof chunk);
      if (got <= 0 || write(1, chunk, (size_t)got) != got) return 0;
    }
    if (polled[0].revents == 0) continue;
    uint32_t head[2];
    if (!read_all(0, head, sizeof head) || head[1] > kMaxFds) return 0;
    char* bytes = malloc(head[0]);
    if (bytes == NULL || !read_all(0, bytes, head[0])) return 0;
    send_with_fds(sock, bytes, head[0], head[1]);
    free(bytes);
  }
  return 0;
}
