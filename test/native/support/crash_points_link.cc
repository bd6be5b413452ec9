// SPDX-License-Identifier: Apache-2.0
// What the link itself stores into persistent state, with its crash points live; see
// crash_points.h.
#define RPMSG_CRASH_POINTS
#include "link/endpoint_table.cc"
#include "link/life_record.cc"
#include "link/link.cc"
#include "link/link_reopen.cc"
#include "link/remote_life.cc"
#include "link/remote_resume.cc"
#include "link/resume.cc"
