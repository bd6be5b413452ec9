// SPDX-License-Identifier: Apache-2.0
// A mutex that lends its waiter's priority to its holder: whoever sends at low priority cannot keep
// a real-time link thread waiting behind a third party.
#pragma once

#include <pthread.h>

#include <cassert>

namespace rpmsg {

class PiMutex {
public:
  PiMutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    const int error = pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    assert(error == 0);
    (void)error;
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  PiMutex(const PiMutex&) = delete;
  PiMutex& operator=(const PiMutex&) = delete;
  ~PiMutex() { pthread_mutex_destroy(&mutex_); }

  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

private:
  pthread_mutex_t mutex_;
};

} // namespace rpmsg
