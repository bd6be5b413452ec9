// SPDX-License-Identifier: Apache-2.0
// Linux drivers/char/mem.c, and phys_mem_access_prot() of arch/arm64/mm/mmu.c for the attributes.
#include "platform/uio/dev_mem.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "platform/uio/uio_sysfs.h"

namespace rpmsg {

SharedSpan DevMem::map(uint64_t physical, uint64_t size_bytes, std::string& problem) {
  const UniqueFd fd(::open(path_.c_str(), O_RDWR | O_SYNC | O_CLOEXEC));
  if (!fd) {
    problem = "cannot open " + path_ + ": " + std::strerror(errno) +
              ": dev_mem needs the right to it and CAP_SYS_RAWIO";
    return {};
  }
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t in_page = physical % page;
  Mapping mapping(fd.get(), in_page + size_bytes, physical - in_page);
  if (!mapping) {
    const int error = errno;
    problem = "cannot map " + range_text(physical, size_bytes) + " of " + path_ + ": " +
              std::strerror(error);
    if (error == EPERM)
      problem += ": the kernel keeps it (CONFIG_STRICT_DEVMEM: memory that Linux uses; "
                 "CONFIG_IO_STRICT_DEVMEM: a driver's registers)";
    return {};
  }
  mappings_.push_back(std::move(mapping));
  return SharedSpan(static_cast<uint8_t*>(mappings_.back().base()) + in_page, size_bytes, physical);
}

} // namespace rpmsg
