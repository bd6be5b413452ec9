// SPDX-License-Identifier: Apache-2.0
// Runs a program that has one end of a SOCK_SEQPACKET pair as descriptor 10, unless it inherits
// descriptors from an earlier life. At the other end stays a process that sends the packets one, two and
// three and prints PEER and each packet that comes, and at last PEER END, when nobody has the pair any
// more; a peer that is to `leave` ends when it has sent. Node can neither make nor receive such a socket.
//
//   seqpacket-pair stay|leave PROGRAM [ARGUMENT...]

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kEnd = 10 };

static void be_peer(int fd, int is_leaving) {
  char text[256];
  ssize_t size;
  const char *const packets[] = {"one", "two", "three"};
  for (int i = 0; i < 3; i++) {
    if (send(fd, packets[i], strlen(packets[i]), 0) < 0) _exit(1);
  }
  if (is_leaving) return;
  while ((size = recv(fd, text, sizeof text, 0)) > 0) dprintf(1, "PEER %.*s\n", (int)size, text);
  dprintf(1, "PEER END\n");
}

int main(int argc, char **argv) {
  int ends[2];
  if (argc < 3) return 64;
  if (getenv("LISTEN_FDS") == NULL) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
    const pid_t peer = fork();
    if (peer < 0) return 1;
    if (peer == 0) {
      close(ends[0]);
      be_peer(ends[1], strcmp(argv[1], "leave") == 0);
      _exit(0);
    }
    close(ends[1]);
    if (dup2(ends[0], kEnd) != kEnd) return 1;
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
