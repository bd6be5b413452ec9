// SPDX-License-Identifier: Apache-2.0
// A look at a MU for who examines a machine (platform/uio/mu_probe.h).
#pragma once

#include <napi.h>

namespace rpmsg {

/// readMuState(path, map, offset, generation) → -errno, or an object: `isAnswering`
/// false after a bus error, else with the fields of MuState, `registers` as [offset, value] pairs.
void define_mu_look(Napi::Env env, Napi::Object exports);

} // namespace rpmsg
