// SPDX-License-Identifier: Apache-2.0
// Physical memory through /dev/mem: for bring-up, where no UIO map has the rings yet. It is the
// whole machine's memory that the daemon may then write; nobody but the configuration asks for it.
#pragma once

#include <list>
#include <string>

#include "memory/shared_span.h"
#include "platform/mapping.h"

namespace rpmsg {

class DevMem {
public:
  explicit DevMem(std::string path) : path_(std::move(path)) {}

  /// Uncached (O_SYNC): Device memory where Linux has no mapping of its own (no-map), else
  /// Normal-NC. Empty, with a sentence in `problem`, if the kernel refuses. Set-up only; lives as
  /// long as this object.
  SharedSpan map(uint64_t physical, uint64_t size_bytes, std::string& problem);

private:
  std::string path_;
  std::list<Mapping> mappings_;
};

} // namespace rpmsg
