// SPDX-License-Identifier: Apache-2.0
// What every measuring client needs: the clock, messages that can be checked, a histogram, and the
// line of JSON by which it tells what it found.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  kMaxPayload = 496,
  kBucketNs = 500,
  kBuckets = 40000, // the last one is for all that took 20 ms or longer
};

/// CLOCK_MONOTONIC in ns.
static inline uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t number_of(const char* name, const char* text, uint64_t most) {
  char* end;
  const unsigned long long value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || value > most) {
    fprintf(stderr, "%s \"%s\" must be a number from 0 to %llu\n", name, text,
            (unsigned long long)most);
    exit(64);
  }
  return value;
}

/// Message `number` as the firmware's `source` makes it: the number, then byte i = number + i.
static inline void fill_message(uint8_t* to, uint32_t number, size_t size) {
  for (size_t i = 0; i < size; i++)
    to[i] = (uint8_t)(number + i);
  memcpy(to, &number, size < sizeof number ? size : sizeof number);
}

/// Whether this is that message, whole and unaltered. Cheap: one comparison with a ready-made ramp.
static inline int is_message(const uint8_t* from, uint32_t number, size_t size) {
  static uint8_t ramp[256 + kMaxPayload];
  if (ramp[1] == 0)
    for (size_t i = 0; i < sizeof ramp; i++)
      ramp[i] = (uint8_t)i;
  const size_t head = size < sizeof number ? size : sizeof number;
  return memcmp(from, &number, head) == 0 &&
         memcmp(from + head, ramp + (uint8_t)number + head, size - head) == 0;
}

struct histogram {
  uint32_t counts[kBuckets];
};

static inline void count_latency(struct histogram* histogram, uint64_t ns) {
  const uint64_t bucket = ns / kBucketNs;
  histogram->counts[bucket < kBuckets ? bucket : kBuckets - 1]++;
}

/// {"count", "seconds", "latency": [[microseconds, times], ...]}; the latter if there is one.
static inline void print_result(uint64_t count, uint64_t ns, const struct histogram* histogram) {
  printf("{\"count\":%llu,\"seconds\":%.9f", (unsigned long long)count, (double)ns / 1e9);
  if (histogram != NULL) {
    const char* comma = "";
    printf(",\"latency\":[");
    for (unsigned i = 0; i < kBuckets; i++) {
      if (histogram->counts[i] == 0) continue;
      printf("%s[%.1f,%u]", comma, (double)(i * kBucketNs) / 1e3, histogram->counts[i]);
      comma = ",";
    }
    printf("]");
  }
  printf("}\n");
}
