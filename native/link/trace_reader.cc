// SPDX-License-Identifier: Apache-2.0
#include "link/trace_reader.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

#include "memory/shared_copy.h"

namespace rpmsg {

namespace {

TraceReader::Read refused(std::string message) {
  TraceReader::Read result;
  result.code = Errc::not_supported;
  result.message = std::move(message);
  return result;
}

std::string not_mapped(const TableTrace& trace) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                "the trace buffer at 0x%" PRIx32 ", 0x%" PRIx32
                " bytes, that the resource table names is not in this remote's memory",
                trace.address, trace.bytes);
  return text.data();
}

} // namespace

TraceReader::Read TraceReader::read(uint64_t offset, uint32_t max_bytes) {
  if (table_.is_none()) return refused("no resource table is configured for this remote");
  const TableTrace trace = table_.trace(); // the remote's word, checked by the parser alone
  if (trace.bytes == 0) return refused("the remote has no trace buffer in its resource table");
  if (trace.address != mapped_.address || trace.bytes != mapped_.bytes) {
    // It must be memory of this remote: a table is no way to make the host read other memory out.
    auto mapped = platform_.map(trace.address, trace.bytes);
    if (!mapped) return refused(not_mapped(trace));
    span_ = *mapped;
    mapped_ = trace;
  }
  if (offset > span_.size() || (offset > 0 && *span_.at(offset - 1, 1) == 0)) offset = 0;
  Read result;
  const size_t bytes = std::min<size_t>({max_bytes, kMaxBytes, span_.size() - offset});
  result.bytes.resize(bytes);
  copy_from_shared(result.bytes, span_.at(offset, bytes));
  const auto end = std::find(result.bytes.begin(), result.bytes.end(), uint8_t{0});
  result.bytes.erase(end, result.bytes.end());
  result.next_offset = offset + result.bytes.size();
  return result;
}

} // namespace rpmsg
