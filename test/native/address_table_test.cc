// SPDX-License-Identifier: Apache-2.0
// Endpoints by address, against std::map.
#include "link/address_table.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

using rpmsg::AddressTable;
using rpmsg::Endpoint;

namespace {

/// A pointer that is only ever compared.
Endpoint* endpoint(uintptr_t number) {
  return reinterpret_cast<Endpoint*>(0x1000 + 16 * number);
}

} // namespace

TEST_CASE("an endpoint is found at its address and at no other") {
  AddressTable table(4);
  CHECK(table.insert(1024, endpoint(1)));
  CHECK(table.find(1024) == endpoint(1));
  CHECK(table.find(1025) == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("every 32-bit value is an address") {
  AddressTable table(3);
  CHECK(table.find(0) == nullptr);
  CHECK(table.find(0xFFFFFFFF) == nullptr);
  CHECK(table.insert(0, endpoint(0)));
  CHECK(table.insert(0xFFFFFFFF, endpoint(1)));
  CHECK(table.find(0) == endpoint(0));
  CHECK(table.find(0xFFFFFFFF) == endpoint(1));
}

TEST_CASE("an address that is taken is refused and keeps its endpoint") {
  AddressTable table(4);
  CHECK(table.insert(30, endpoint(1)));
  CHECK_FALSE(table.insert(30, endpoint(2)));
  CHECK(table.find(30) == endpoint(1));
  CHECK(table.size() == 1);
}

TEST_CASE("a full table refuses one more and takes it after an erase") {
  for (uint32_t capacity : {1u, 2u, 5u, 64u}) {
    AddressTable table(capacity);
    for (uint32_t i = 0; i < capacity; i++)
      REQUIRE(table.insert(i, endpoint(i)));
    CHECK_FALSE(table.insert(capacity, endpoint(capacity)));
    CHECK(table.find(capacity) == nullptr);
    CHECK(table.erase(0) == endpoint(0));
    CHECK(table.insert(capacity, endpoint(capacity)));
    CHECK(table.size() == capacity);
  }
}

TEST_CASE("erasing what is not there changes nothing") {
  AddressTable table(4);
  CHECK(table.insert(1, endpoint(1)));
  CHECK(table.erase(2) == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("every endpoint is visited once") {
  AddressTable table(100), copy(200);
  for (uint32_t i = 0; i < 100; i++)
    REQUIRE(table.insert(i * 7919, endpoint(i)));
  table.for_each([&](uint32_t address, Endpoint* found) { CHECK(copy.insert(address, found)); });
  CHECK(copy.size() == 100);
  for (uint32_t i = 0; i < 100; i++)
    CHECK(copy.find(i * 7919) == endpoint(i));
}

TEST_CASE("random inserts and erases leave what a map has, in a crowded table") {
  // Few cells and few addresses: chains of collisions that wrap around the end, and holes in them.
  for (uint32_t seed = 0; seed < 50; seed++) {
    AddressTable table(24);
    std::map<uint32_t, Endpoint*> model;
    std::mt19937 random(seed);
    for (uint32_t step = 0; step < 1000; step++) {
      const uint32_t address = 1024 + random() % 48;
      if (random() % 2) {
        const bool fits = model.size() < table.capacity() && !model.contains(address);
        REQUIRE(table.insert(address, endpoint(step)) == fits);
        if (fits) model[address] = endpoint(step);
      } else {
        auto known = model.find(address);
        REQUIRE(table.erase(address) == (known == model.end() ? nullptr : known->second));
        if (known != model.end()) model.erase(known);
      }
      REQUIRE(table.size() == model.size());
    }
    for (uint32_t address = 1024; address < 1024 + 48; address++) {
      auto known = model.find(address);
      REQUIRE(table.find(address) == (known == model.end() ? nullptr : known->second));
    }
  }
}
