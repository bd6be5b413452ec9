// SPDX-License-Identifier: Apache-2.0
// Pseudo-terminals: opened, made raw, and who may open their slave.
#pragma once

#include <napi.h>

namespace rpmsg {

/// Bytes pass as they are in both directions: no echo, no lines, no signals, no newline mapping. Of
/// the slave's side, whichever end `fd` is.
bool make_raw(int fd);

/// openPty() → master of a new pair, raw, close-on-exec and non-blocking, or -errno;
/// slavePath(master) → where its slave is, or -errno; grantSlave(master, gid, mode) → 0 or -errno:
/// the slave's group and permissions; without a gid (null) it keeps its group.
void define_pty_calls(Napi::Env env, Napi::Object exports);

} // namespace rpmsg
