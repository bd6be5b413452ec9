// SPDX-License-Identifier: Apache-2.0
#include "link/life_record.h"

#include "virtio/persist.h"

namespace rpmsg {

RemotePhase phase_of(const RemoteRecord& record) {
  return static_cast<RemotePhase>(record.phase);
}

void store_phase(RemoteRecord& record, RemotePhase phase) {
  persist_store(record.phase, static_cast<uint32_t>(phase));
}

void begin_reset(RemoteRecord& record) {
  if (phase_of(record) == RemotePhase::resetting) return;
  persist_store(record.former_generation, record.generation);
  persist_store(record.former_reset_count, record.reset_count);
  store_phase(record, RemotePhase::resetting);
}

void count_reset(RemoteRecord& record) {
  const bool is_first = record.former_generation == 0;
  persist_store(record.reset_count, is_first ? 0 : record.former_reset_count + 1);
  persist_store(record.generation, record.former_generation + 1);
}

uint32_t coming_generation(const RemoteRecord& record) {
  const bool is_resetting = phase_of(record) == RemotePhase::resetting;
  return is_resetting ? record.former_generation + 1 : record.generation;
}

} // namespace rpmsg
