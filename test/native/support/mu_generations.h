// SPDX-License-Identifier: Apache-2.0
// Runs the body that follows once a MU generation, as doctest subcases.
#pragma once

#include <doctest/doctest.h>

#include "mu/mu_generation.h"

namespace rpmsg::test {

/// Opens one subcase a generation; the value is that of the subcase being run.
inline MuGeneration each_mu_generation() {
  MuGeneration generation = MuGeneration::v1;
  DOCTEST_SUBCASE("V1") {
    generation = MuGeneration::v1;
  }
  DOCTEST_SUBCASE("i.MX7ULP") {
    generation = MuGeneration::imx7ulp;
  }
  DOCTEST_SUBCASE("V2") {
    generation = MuGeneration::v2;
  }
  return generation;
}

} // namespace rpmsg::test
