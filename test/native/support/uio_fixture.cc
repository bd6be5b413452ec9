// SPDX-License-Identifier: Apache-2.0
#include "support/uio_fixture.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace rpmsg::test {

UioFixture::UioFixture() {
  std::filesystem::create_directories(dev());
  std::filesystem::create_directories(sysfs());
}

void UioFixture::add(const std::string& node, const std::string& name,
                     const std::vector<FakeMap>& maps) {
  const std::string at = sysfs() + "/class/uio/" + node;
  std::filesystem::create_directories(at + "/maps");
  write(at + "/name", name + "\n");
  write(at + "/dev", "247:0\n");
  for (size_t i = 0; i < maps.size(); ++i) {
    const std::string map = at + "/maps/map" + std::to_string(i);
    std::filesystem::create_directories(map);
    write(map + "/addr", maps[i].addr + "\n");
    write(map + "/size", maps[i].size + "\n");
    write(map + "/offset", maps[i].offset + "\n");
  }
  write(dev() + "/" + node, std::string(64 * page(), '\0'));
}

void UioFixture::write(const std::string& path, const std::string& text) const {
  std::ofstream(path, std::ios::binary) << text;
}

uint8_t UioFixture::byte(const std::string& node, size_t at) const {
  std::ifstream file(dev() + "/" + node, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  return static_cast<uint8_t>(file.get());
}

size_t UioFixture::page() {
  return static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace rpmsg::test
