// SPDX-License-Identifier: Apache-2.0
// Descriptors attached to one message (SCM_RIGHTS, unix(7)).
#pragma once

#include <napi.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace rpmsg {

// D-Bus allows 16 descriptors a message on the stock system bus.
constexpr size_t kMaxFds = 16;

/// Must live as long as the message it was attached to.
class Rights {
public:
  /// At most kMaxFds; none leaves the message as it is.
  void attach(msghdr& message, std::span<const int> fds) {
    if (fds.empty()) return;
    message.msg_control = control_.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes()); // private memory
  }

private:
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control_{};
};

/// An array of at most kMaxFds descriptors, or none at all where the value is undefined; nothing if
/// it is anything else.
std::optional<std::vector<int>> to_fds(const Napi::Value& value);

} // namespace rpmsg
