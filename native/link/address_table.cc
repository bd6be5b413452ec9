// SPDX-License-Identifier: Apache-2.0
// Linear probing, and deletion that moves later entries back, so that there are no tombstones and a
// table that lives for years stays as fast as a new one.
#include "link/address_table.h"

#include <sys/random.h>

#include <bit>
#include <cassert>

namespace rpmsg {
namespace {

// Clients choose addresses: with a constant multiplier one of them could choose those that collide.
uint64_t random_odd() {
  constexpr uint64_t kGoldenRatio =
      0x9E3779B97F4A7C15; // should the kernel have nothing to give yet
  uint64_t value = 0;
  if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value) return kGoldenRatio;
  return value | 1;
}

} // namespace

AddressTable::AddressTable(uint32_t capacity)
    : capacity_(capacity), mask_(std::bit_ceil(2 * capacity) - 1), multiplier_(random_odd()),
      cells_(std::make_unique<Cell[]>(mask_ + size_t{1})) {
  assert(capacity >= 1 && capacity <= 1u << 24);
}

// Multiply-shift hashing: bits of the product from 32 up depend on every bit of the address.
uint32_t AddressTable::home(uint32_t address) const {
  return static_cast<uint32_t>(address * multiplier_ >> 32) & mask_;
}

/// The cell that holds the address, or the empty one where it would go.
uint32_t AddressTable::probe(uint32_t address) const {
  uint32_t cell = home(address);
  while (cells_[cell].endpoint != nullptr && cells_[cell].address != address)
    cell = (cell + 1) & mask_;
  return cell;
}

bool AddressTable::insert(uint32_t address, Endpoint* endpoint) {
  assert(endpoint != nullptr);
  Cell& cell = cells_[probe(address)];
  if (cell.endpoint != nullptr || size_ == capacity_) return false;
  cell = {address, endpoint};
  size_++;
  return true;
}

Endpoint* AddressTable::find(uint32_t address) const {
  return cells_[probe(address)].endpoint;
}

Endpoint* AddressTable::erase(uint32_t address) {
  uint32_t hole = probe(address);
  Endpoint* const erased = cells_[hole].endpoint;
  if (erased == nullptr) return nullptr;
  for (uint32_t cell = (hole + 1) & mask_; cells_[cell].endpoint != nullptr;
       cell = (cell + 1) & mask_) {
    // An entry may move back into the hole unless that lies before its home, seen from its cell.
    const uint32_t from_home = (cell - home(cells_[cell].address)) & mask_;
    if (from_home < ((cell - hole) & mask_)) continue;
    cells_[hole] = cells_[cell];
    hole = cell;
  }
  cells_[hole] = {};
  size_--;
  return erased;
}

} // namespace rpmsg
