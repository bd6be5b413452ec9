// SPDX-License-Identifier: Apache-2.0
// The register tables against the numbers of the reference manuals.
#include "mu/mu_layout.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace rpmsg;

TEST_CASE("V1 counts channels down from the top bit of each group") {
  const MuLayout& at = mu_layout(MuGeneration::v1);
  const unsigned gip[] = {31, 30, 29, 28}, rf[] = {27, 26, 25, 24}, te[] = {23, 22, 21, 20},
                 gir[] = {19, 18, 17, 16};
  for (unsigned channel = 0; channel < kMuChannels; channel++) {
    CHECK(at.doorbell_pending.bit(channel) == 1u << gip[channel]);
    CHECK(at.doorbell_enable.bit(channel) == 1u << gip[channel]);
    CHECK(at.receive_full.bit(channel) == 1u << rf[channel]);
    CHECK(at.receive_enable.bit(channel) == 1u << rf[channel]);
    CHECK(at.transmit_empty.bit(channel) == 1u << te[channel]);
    CHECK(at.transmit_enable.bit(channel) == 1u << te[channel]);
    CHECK(at.doorbell_ring.bit(channel) == 1u << gir[channel]);
  }
}

TEST_CASE("V2 has bit n for channel n in each register") {
  const MuLayout& at = mu_layout(MuGeneration::v2);
  for (const MuField* field :
       {&at.transmit_empty, &at.receive_full, &at.doorbell_pending, &at.transmit_enable,
        &at.receive_enable, &at.doorbell_enable, &at.doorbell_ring})
    for (unsigned channel = 0; channel < kMuChannels; channel++)
      CHECK(field->bit(channel) == 1u << channel);
}

TEST_CASE("i.MX7ULP has the bits of V1 at its own offsets") {
  const MuLayout& v1 = mu_layout(MuGeneration::v1);
  const MuLayout& at = mu_layout(MuGeneration::imx7ulp);
  CHECK(at.receive_full.mask() == v1.receive_full.mask());
  CHECK(at.doorbell_pending.mask() == v1.doorbell_pending.mask());
  CHECK(at.action_bits == v1.action_bits);
  CHECK(at.transmit == 0x20);
  CHECK(at.receive == 0x40);
  CHECK(at.transmit_empty.offset == 0x60);
  CHECK(at.transmit_enable.offset == 0x64);
}

TEST_CASE("every generation's registers are where its manual has them") {
  const MuLayout& v1 = mu_layout(MuGeneration::v1);
  CHECK(v1.transmit == 0x00);
  CHECK(v1.receive == 0x10);
  CHECK(v1.receive_full.offset == 0x20);
  CHECK(v1.own_flags == 0x24);
  const MuLayout& v2 = mu_layout(MuGeneration::v2);
  CHECK(v2.transmit == 0x200);
  CHECK(v2.receive == 0x280);
  CHECK(v2.flags_update == 0x0C);
  CHECK(v2.own_flags == 0x100);
  CHECK(v2.remote_flags == 0x104);
  CHECK(v2.doorbell_enable.offset == 0x110);
  CHECK(v2.doorbell_ring.offset == 0x114);
  CHECK(v2.doorbell_pending.offset == 0x118);
  CHECK(v2.transmit_enable.offset == 0x120);
  CHECK(v2.transmit_empty.offset == 0x124);
  CHECK(v2.receive_enable.offset == 0x128);
  CHECK(v2.receive_full.offset == 0x12C);
}

TEST_CASE("the channels of a register's value come out as bit n for channel n") {
  const MuField& pending = mu_layout(MuGeneration::v1).doorbell_pending;
  CHECK(pending.channels(0xFFFFFFFF) == 0xF);
  CHECK(pending.channels(1u << 30) == 0x2);
  CHECK(pending.channels(1u << 31 | 1u << 28) == 0x9);
  CHECK(pending.channels(0x0FFFFFFF) == 0);
}
