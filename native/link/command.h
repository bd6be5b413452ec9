// SPDX-License-Identifier: Apache-2.0
// What the main thread asks the link thread to do, by value; pointers pass ownership along and come
// back through the event ring.
#pragma once

#include <cstdint>

namespace rpmsg {

class AddressTable;
struct Endpoint;
struct SyncRequest;

enum class CommandKind : uint32_t {
  open_endpoint,  // endpoint
  close_endpoint, // endpoint: comes back as endpoint_closed
  adopt_table,    // vdev of remote takes over a roomier address table; the old one comes back
  grant,          // endpoint, number
  release,        // endpoint, number
  sync,           // endpoint, sync
  cancel_caller,  // number
  reinitialize,   // remote
};

struct Command {
  CommandKind kind{};
  uint32_t remote = 0;
  uint32_t vdev = 0;
  Endpoint* endpoint = nullptr;
  AddressTable* table = nullptr;
  SyncRequest* sync = nullptr;
  uint64_t number = 0;
};

} // namespace rpmsg
