// SPDX-License-Identifier: Apache-2.0
// The endpoints of one vdev by local address: one look a received message. A hash table with open
// addressing that allocates in its constructor only; a roomier one replaces it as a whole.
#pragma once

#include <cstdint>
#include <memory>

namespace rpmsg {

struct Endpoint;

/// One thread at a time. Endpoints are neither owned nor looked into.
class AddressTable {
public:
  /// Room for `capacity` endpoints, 1..2^24.
  explicit AddressTable(uint32_t capacity);
  AddressTable(const AddressTable&) = delete;
  AddressTable& operator=(const AddressTable&) = delete;

  uint32_t size() const { return size_; }
  uint32_t capacity() const { return capacity_; }

  /// False, and nothing changed, when the address is taken or size() is capacity().
  bool insert(uint32_t address, Endpoint* endpoint);
  /// nullptr when nobody has the address. Any value is a legal address.
  Endpoint* find(uint32_t address) const;
  /// The endpoint that had the address, or nullptr.
  Endpoint* erase(uint32_t address);

  /// Calls visit(address, endpoint) for each, in no order; visit must not change the table.
  template<class Visit>
  void for_each(Visit visit) const {
    for (uint32_t cell = 0; cell <= mask_; cell++)
      if (cells_[cell].endpoint != nullptr) visit(cells_[cell].address, cells_[cell].endpoint);
  }

private:
  struct Cell {
    uint32_t address = 0;
    Endpoint* endpoint = nullptr; // nullptr: the cell is empty
  };

  uint32_t home(uint32_t address) const;
  uint32_t probe(uint32_t address) const;

  const uint32_t capacity_;
  const uint32_t mask_; // cells - 1, at least twice the capacity: probes are short and always end
  const uint64_t multiplier_;
  const std::unique_ptr<Cell[]> cells_;
  uint32_t size_ = 0;
};

} // namespace rpmsg
