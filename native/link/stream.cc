// SPDX-License-Identifier: Apache-2.0
#include "link/stream.h"

#include <utility>

#include "link/vdev.h"

namespace rpmsg {

void Stream::tell_drops() {
  if (dropped_now == 0) return;
  dropped += std::exchange(dropped_now, 0);
  endpoint.vdev.streams().with_notes.push(*this);
}

} // namespace rpmsg
