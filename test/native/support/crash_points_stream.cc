// SPDX-License-Identifier: Apache-2.0
// What streams store into persistent state, with its crash points live; see crash_points.h.
#define RPMSG_CRASH_POINTS
#include "link/link_streams.cc"
#include "link/stream_collect.cc"
#include "link/stream_deliver.cc"
#include "link/stream_service.cc"
#include "link/stream_state.cc"
