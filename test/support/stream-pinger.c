// SPDX-License-Identifier: Apache-2.0
// Round trips on a SOCK_SEQPACKET socket, descriptor 3, one after the other, each of which must bring
// back what was sent. Says "warm" after the first hundred. A line of standard input has two times in ns of
// CLOCK_MONOTONIC: for each it then says "TRIPS LONGEST", how many ended between them and the most ns
// without one. Ends with its input.

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { STREAM = 3, WARM = 100, MOST = 1 << 22, IDLE_MS = 20000 };

static uint64_t ended_ns[MOST];

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int has_input(int fd, int timeout_ms) {
  struct pollfd look = {fd, POLLIN, 0};
  return poll(&look, 1, timeout_ms) > 0;
}

static void trip(uint32_t number) {
  uint32_t back = 0;
  if (send(STREAM, &number, sizeof number, MSG_NOSIGNAL) < 0) exit(2);
  if (!has_input(STREAM, IDLE_MS)) exit(3);
  if (recv(STREAM, &back, sizeof back, 0) != sizeof back || back != number) exit(4);
}

static void tell(uint32_t count, uint64_t from_ns, uint64_t to_ns) {
  uint64_t last_ns = from_ns, longest_ns = 0;
  uint32_t trips = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (ended_ns[i] < from_ns || ended_ns[i] > to_ns) continue;
    if (ended_ns[i] - last_ns > longest_ns) longest_ns = ended_ns[i] - last_ns;
    last_ns = ended_ns[i];
    trips++;
  }
  if (to_ns - last_ns > longest_ns) longest_ns = to_ns - last_ns;
  printf("%u %" PRIu64 "\n", trips, longest_ns);
}

int main(void) {
  uint64_t from_ns, to_ns;
  uint32_t count = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (; count < MOST && !has_input(0, 0); count++) {
    trip(count);
    ended_ns[count] = now_ns();
    if (count + 1 == WARM) printf("warm\n");
  }
  while (scanf("%" SCNu64 " %" SCNu64, &from_ns, &to_ns) == 2)
    tell(count, from_ns, to_ns);
  return 0;
}
