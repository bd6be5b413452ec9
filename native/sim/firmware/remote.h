// SPDX-License-Identifier: Apache-2.0
// The whole M core program: its links, and the loop that serves them.
#pragma once

#include <vector>

#include "sim/firmware/link.h"
#include "sim/firmware/resource_table.h"

namespace rpmsg::sim {

class Remote {
public:
  Remote(const FirmwareOptions& options, const AttachedBoard& board);
  /// Until the SoC goes or a signal ends the process.
  [[noreturn]] void run();

private:
  void say_ready();
  void on_words(uint32_t queues, int64_t now_ms);
  /// True if one had come.
  bool on_signals();
  void restart();
  int timeout_ms(int64_t now_ms) const;

  const FirmwareOptions& options_;
  Mu mu_;
  WordPort words_;
  ResourceTable table_;
  std::vector<Link> links_;
  bool hold_;
};

} // namespace rpmsg::sim
