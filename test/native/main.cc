// SPDX-License-Identifier: Apache-2.0
// The entry point of native-tests; every *_test.cc beside it adds its cases by itself.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
