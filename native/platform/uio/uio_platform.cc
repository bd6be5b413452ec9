// SPDX-License-Identifier: Apache-2.0
#include "platform/uio/uio_platform.h"

#include <utility>

namespace rpmsg {
UioPlatform::UioPlatform(UioDevices& devices, const UioBoard& board, std::shared_ptr<UioDevice> mu,
                         std::shared_ptr<UioDevice> memory, SharedSpan registers)
    : devices_(devices), board_(board), mu_(std::move(mu)), memory_(std::move(memory)),
      window_(registers), interrupt_(mu_->fd()) {}

void UioPlatform::consume_interrupt() {
  if (!interrupt_.consume()) window_.disconnect();
}

void UioPlatform::unmask_interrupt() {
  if (!interrupt_.unmask()) window_.disconnect();
}

Result<SharedSpan> UioPlatform::map(uint64_t physical, uint64_t size_bytes) {
  map_problem_.clear();
  if (size_bytes == 0 || size_bytes > UINT64_MAX - physical)
    return Error{Errc::invalid_argument, 0, "map a region that does not end", physical};
  const SharedSpan span = find(physical, size_bytes);
  if (span) return span;
  if (map_problem_.empty()) map_problem_ = not_covered(physical, size_bytes);
  return Error{Errc::invalid_argument, 0, "map a region that no UIO map has", physical};
}

SharedSpan UioPlatform::find(uint64_t physical, uint64_t size_bytes) {
  SharedSpan span = memory_ ? memory_->map(physical, size_bytes, map_problem_)
                            : find_by_address(physical, size_bytes);
  if (!span && map_problem_.empty() && dev_mem_)
    span = dev_mem_->map(physical, size_bytes, map_problem_);
  return span;
}

SharedSpan UioPlatform::find_by_address(uint64_t physical, uint64_t size_bytes) {
  UioDevice::Opened found = devices_.find_memory(physical, size_bytes);
  map_problem_ = found.problem;
  if (!found.device) return {};
  others_.push_back(std::move(found.device));
  return others_.back()->map(physical, size_bytes, map_problem_);
}

std::string UioPlatform::not_covered(uint64_t physical, uint64_t size_bytes) const {
  const std::string range = range_text(physical, size_bytes);
  if (memory_)
    return memory_->title() + " has " + maps_text(memory_->entry()) + ", and none of them all of " +
           range + ": add it to the node's \"reg\", or name another memory_device";
  return "no map of any UIO device has all of " + range + ": " + devices_.list() +
         ": add it to a node's \"reg\"";
}

} // namespace rpmsg
