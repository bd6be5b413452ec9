// SPDX-License-Identifier: Apache-2.0
// packaging/dev/check-barriers.mjs reads the arm64 code of this file.
#include "platform/uio/uio_register_window.h"

namespace rpmsg {

uint32_t UioRegisterWindow::read32(uint32_t offset) {
  if (!is_connected()) return 0;
  return *reinterpret_cast<volatile uint32_t*>(registers_.at(offset, sizeof(uint32_t)));
}

void UioRegisterWindow::write32(uint32_t offset, uint32_t value) {
  if (!is_connected()) return;
  *reinterpret_cast<volatile uint32_t*>(registers_.at(offset, sizeof(uint32_t))) = value;
}

} // namespace rpmsg
