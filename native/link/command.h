// SPDX-License-Identifier: Apache-2.0
// What the main thread asks the link thread to do, by value; pointers pass ownership along and come
// back through the event ring.
#pragma once

#include <cstdint>
#include <vector>

namespace rpmsg {

class AddressTable;
struct Endpoint;
struct Stream;
struct SyncRequest;

enum class CommandKind : uint32_t {
  open_endpoint,  // endpoint
  close_endpoint, // endpoint: comes back as endpoint_closed
  adopt_table,    // vdev of remote takes over a roomier address table; the old one comes back
  grant,          // endpoint, number
  release,        // endpoint, number
  sync,           // endpoint, sync
  reinitialize,   // remote
  open_stream,    // stream: comes back as stream_over
  close_stream,   // endpoint: its stream, if it has one
  stream_peer,    // endpoint; number: address, and the life it is told for in the upper half
  guard,          // vdev of remote: addresses; those before come back as guard_retired
};

struct Command {
  CommandKind kind{};
  uint32_t remote = 0;
  uint32_t vdev = 0;
  Endpoint* endpoint = nullptr;
  AddressTable* table = nullptr;
  SyncRequest* sync = nullptr;
  Stream* stream = nullptr;
  std::vector<uint32_t>* addresses = nullptr;
  uint64_t number = 0;
};

} // namespace rpmsg
