// SPDX-License-Identifier: Apache-2.0
// A service manager's ear: binds a datagram socket at argv[1], prints LISTENING, then each datagram
// as one line, its newlines as '|'. Node has no such sockets.

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <signal.h>

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char text[4096];
  if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) return 64;
  strcpy(address.sun_path, argv[1]);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror(argv[1]);
    return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("LISTENING");
  for (;;) {
    const ssize_t size = recv(fd, text, sizeof text - 1, 0);
    if (size < 0) return 1;
    text[size] = '\0';
    for (char *at = text; (at = strchr(at, '\n')) != NULL;) *at = '|';
    puts(text);
  }
}
