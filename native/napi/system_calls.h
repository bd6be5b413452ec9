// SPDX-License-Identifier: Apache-2.0
// System calls that Node does not offer and the daemon needs off the message path.
#pragma once

#include <napi.h>

namespace rpmsg {

/// connectSocket(path) → descriptor of a stream socket, or -errno; sendFds(socketFd, bytes, fds) →
/// bytes sent or -errno; notify(path, text, fds?) → 0 or -errno; notifyBarrier(path) → a pipe that
/// ends when all notifications before were acted on, or -errno; closeOnExec(fd) → 0 or -errno;
/// journalSend(path, bytes) → 0 or -errno, at once; packetPair() → two descriptors or -errno;
/// lockFile(path) → {status, holder?, message?}.
void define_system_calls(Napi::Env env, Napi::Object exports);

} // namespace rpmsg
