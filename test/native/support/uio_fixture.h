// SPDX-License-Identifier: Apache-2.0
// A sysfs and a /dev of files that stand in for UIO devices: maps lie where mmap() finds them, map
// N at N pages of the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/soc_process.h"

namespace rpmsg::test {

/// As sysfs prints it.
struct FakeMap {
  std::string addr;
  std::string size;
  std::string offset = "0x0";
};

class UioFixture {
public:
  UioFixture();

  std::string sysfs() const { return directory_.path() + "/sys"; }
  std::string dev() const { return directory_.path() + "/dev"; }

  /// A device `node` (uio0); its file has 64 pages of zeroes.
  void add(const std::string& node, const std::string& name, const std::vector<FakeMap>& maps);
  void write(const std::string& path, const std::string& text) const;
  /// The byte of a device's file.
  uint8_t byte(const std::string& node, size_t at) const;

  static size_t page();

private:
  TemporaryDirectory directory_;
};

bool contains(const std::string& text, const std::string& part);

} // namespace rpmsg::test
