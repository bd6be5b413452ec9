// SPDX-License-Identifier: Apache-2.0
#include "link/resume.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/unique_fd.h"
#include "link/vdev.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

using Id = std::array<uint8_t, 16>;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// All zero when the kernel does not tell: a sandbox may hide it, and /run ends with its boot
/// anyway.
Id read_boot_id() {
  Id id = {};
  std::array<char, 64> text = {};
  const UniqueFd fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!fd || ::read(fd.get(), text.data(), text.size()) < 36) return id;
  size_t digits = 0;
  for (size_t i = 0; i < text.size() && digits < 32; ++i) {
    const int value = hex_digit(text[i]);
    if (value < 0) continue;
    id[digits / 2] = static_cast<uint8_t>(id[digits / 2] << 4 | value);
    ++digits;
  }
  return digits == 32 ? id : Id{};
}

bool is_known(const uint8_t* id) {
  return std::any_of(id, id + 16, [](uint8_t byte) { return byte != 0; });
}

bool may_be_same(const uint8_t* a, const uint8_t* b) {
  return !is_known(a) || !is_known(b) || std::memcmp(a, b, 16) == 0; // private memory
}

void store_id(uint8_t* where, const uint8_t* id) {
  for (size_t i = 0; i < 16; ++i)
    persist_store(where[i], id[i]);
}

void identify(RemoteRecord& record, const RemoteSetup& setup, const BoardId& board) {
  const Id boot = read_boot_id();
  store_id(record.boot_id, boot.data());
  store_id(record.board_id, board.data());
  persist_store(record.layout, kRemoteRecordLayout);
  persist_store(record.vdevs, setup.vdevs);
  persist_store(record.slots, setup.slots);
  persist_store(record.configuration, configuration_hash(setup));
  persist_store(record.magic, kRemoteRecordMagic);
}

struct Judgement {
  StateUse use;
  const char* reason;
};

Judgement judge(StateBlock& block, const RemoteSetup& setup, const BoardId& board) {
  const RemoteRecord& record = block.remote();
  if (record.magic != kRemoteRecordMagic) return {StateUse::damaged, "is no state of rpmsgd's"};
  if (record.layout != kRemoteRecordLayout) {
    return {StateUse::damaged, "has a layout that this version does not know"};
  }
  if (!may_be_same(record.boot_id, read_boot_id().data())) {
    return {StateUse::blank, "is of another boot"};
  }
  if (record.configuration != configuration_hash(setup) || record.vdevs != setup.vdevs) {
    return {StateUse::damaged, "is of another configuration of this remote's rings"};
  }
  RemoteSetup as_told = setup;
  as_told.slots = record.slots;
  const StateSizes sizes = Vdev::state_sizes(as_told);
  const bool has_size = record.slots >= 1 && record.slots <= 65536 &&
                        (block.size() == sizes.total() || block.size() == sizes.first_version());
  if (!has_size || record.phase > static_cast<uint32_t>(RemotePhase::attached)) {
    return {StateUse::damaged, "is damaged"};
  }
  if (!may_be_same(record.board_id, board.data())) return {StateUse::former, "is of another board"};
  switch (phase_of(record)) {
  case RemotePhase::none: return {StateUse::former, ""};
  case RemotePhase::resetting: return {StateUse::former, "says that a reset was under way"};
  case RemotePhase::waiting:
  case RemotePhase::attached: break;
  }
  return {StateUse::live, ""};
}

/// The lives that a damaged state still knows of go on counting.
void carry_lives(const RemoteRecord& from, RemoteRecord& to) {
  if (from.magic != kRemoteRecordMagic || from.layout != kRemoteRecordLayout) return;
  const bool is_resetting = phase_of(from) == RemotePhase::resetting;
  persist_store(to.generation, is_resetting ? from.former_generation : from.generation);
  persist_store(to.reset_count, is_resetting ? from.former_reset_count : from.reset_count);
}

Result<ChosenState> make(const RemoteSetup& setup, const BoardId& board) {
  const StateSizes sizes = Vdev::state_sizes(setup);
  auto made = setup.state_file.empty() ? StateBlock::map_anonymous(sizes)
                                       : StateBlock::create_file(setup.state_file, sizes);
  if (!made) return made.error();
  identify(made->remote(), setup, board);
  return ChosenState{StateUse::blank, setup.slots, {}, std::move(*made)};
}

} // namespace

const char* resume_kind_name(Resume::Kind kind) {
  switch (kind) {
  case Resume::Kind::cold: return "cold";
  case Resume::Kind::resumed: return "resumed";
  case Resume::Kind::adopted: return "adopted";
  case Resume::Kind::lost: return "lost";
  }
  return "cold";
}

uint64_t configuration_hash(const RemoteSetup& setup) {
  uint64_t hash = 0xCBF29CE484222325;
  const auto add_byte = [&](uint8_t byte) { hash = (hash ^ byte) * 0x100000001B3; };
  const auto add = [&](uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8)
      add_byte(static_cast<uint8_t>(value >> shift));
  };
  const auto add_text = [&](std::string_view text) {
    for (const char c : text)
      add_byte(static_cast<uint8_t>(c));
    add(text.size());
  };
  for (const uint64_t value :
       {setup.vring_base, setup.vring_stride, setup.vring1_offset, setup.buffer_base,
        setup.buffer_stride, uint64_t{setup.geometry.num}, uint64_t{setup.geometry.align},
        uint64_t{setup.geometry.buffer_bytes}, uint64_t{setup.vdevs}}) {
    add(value);
  }
  add_text(setup.core);
  add_text(setup.soc);
  return hash;
}

Result<ChosenState> choose_state(const RemoteSetup& setup, const BoardId& board) {
  if (setup.state_file.empty()) return make(setup, board);
  auto found = StateBlock::open_file(setup.state_file);
  Judgement judgement = {StateUse::damaged, "is too short or no file of this user's"};
  if (found) {
    judgement = judge(*found, setup, board);
  } else if (found.error().os_error == ENOENT) {
    return make(setup, board);
  } else if (found.error().code == Errc::os) {
    return found.error();
  }
  const std::string reason =
      *judgement.reason == 0 ? "" : "the state file " + std::string(judgement.reason);
  if (judgement.use == StateUse::live || judgement.use == StateUse::former) {
    const uint32_t slots = found->remote().slots;
    RemoteSetup as_told = setup;
    as_told.slots = slots;
    const size_t bytes = Vdev::state_sizes(as_told).total();
    if (found->size() < bytes) { // of a version without streams
      if (auto extended = found->extend(setup.state_file, bytes); !extended) {
        return extended.error();
      }
    }
    RemoteRecord& record = found->remote();
    if (judgement.use == StateUse::former) {
      begin_reset(record); // before it names the present board
      store_id(record.board_id, board.data());
    }
    return ChosenState{judgement.use, slots, reason, std::move(*found)};
  }
  auto made = make(setup, board);
  if (!made) return made;
  if (found && judgement.use == StateUse::damaged)
    carry_lives(found->remote(), made->block.remote());
  made->use = judgement.use;
  made->reason = reason;
  return made;
}

} // namespace rpmsg
