// SPDX-License-Identifier: Apache-2.0
// How lives begin and end, with its crash points live; see crash_points.h. Apart from the rest of
// the link because of names that each source has for itself.
#define RPMSG_CRASH_POINTS
#include "link/remote_life_reset.cc"
