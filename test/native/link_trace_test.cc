// SPDX-License-Identifier: Apache-2.0
// Reading the trace buffer that a remote's resource table names.
#include <doctest/doctest.h>

#include <string>

#include "support/table_board.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

struct TraceBench : TableBench {
  explicit TraceBench(uint32_t address = kTracePlace, uint32_t length = 64) {
    TableBuilder table(2);
    table.vdev();
    table.trace(address, length);
    write_table(table);
  }
  void write(const std::string& text, size_t at = 0) {
    volatile uint8_t* const to = remote.memory(kTracePlace + at, text.size());
    for (size_t i = 0; i < text.size(); ++i)
      to[i] = static_cast<uint8_t>(text[i]);
  }
  void meet(Host& host) {
    remote.ready();
    REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  }
};

struct Piece {
  std::string text;
  uint64_t next;
};

Piece read(Host& host, uint64_t offset, uint32_t max = 1000) {
  const TraceReader::Read read = host.link().read_trace(0, offset, max);
  REQUIRE(read.code == Errc::ok);
  return {std::string(read.bytes.begin(), read.bytes.end()), read.next_offset};
}

std::string refusal(Host& host) {
  const TraceReader::Read read = host.link().read_trace(0, 0, 100);
  CHECK(read.code == Errc::not_supported);
  return read.message;
}

} // namespace

TEST_CASE("a trace is read to its first zero byte, and on from there") {
  TraceBench bench;
  bench.write("hello\n");
  Host host(bench.setup());
  bench.meet(host);
  Piece piece = read(host, 0);
  CHECK(piece.text == "hello\n");
  CHECK(read(host, piece.next).text.empty());
  CHECK(read(host, piece.next).next == piece.next);
  bench.write("world\n", 6);
  piece = read(host, piece.next);
  CHECK(piece.text == "world\n");
  CHECK(piece.next == 12);
  CHECK(read(host, 3, 4).text == "lo\nw");
}

TEST_CASE("a buffer that is full ends where the table says") {
  TraceBench bench;
  bench.write(std::string(80, 'x'));
  Host host(bench.setup());
  bench.meet(host);
  CHECK(read(host, 0).text == std::string(64, 'x'));
  CHECK(read(host, 64).text.empty());
}

TEST_CASE("an offset that the text does not reach any more begins at 0") {
  TraceBench bench;
  bench.write("a long first life\n");
  Host host(bench.setup());
  bench.meet(host);
  const Piece before = read(host, 0);
  bench.write(std::string(64, '\0'));
  bench.write("second\n");
  CHECK(read(host, before.next).text == "second\n");
  CHECK(read(host, 1000).text == "second\n");
  CHECK(read(host, UINT64_MAX).text == "second\n");
}

TEST_CASE("without a table, without a trace entry and before the table is there nothing is read") {
  TableBench bench;
  SUBCASE("no table is configured") {
    Host host(bench.Bench::setup());
    CHECK(refusal(host) == "no resource table is configured for this remote");
  }
  SUBCASE("the remote has not written it") {
    Host host(bench.setup());
    CHECK(refusal(host) == "the remote has no trace buffer in its resource table");
  }
  SUBCASE("it has no such entry") {
    bench.write_vdevs(1);
    Host host(bench.setup());
    bench.remote.ready();
    REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
    CHECK(refusal(host) == "the remote has no trace buffer in its resource table");
  }
}

TEST_CASE("a trace buffer that is not in the remote's memory is not read") {
  for (const auto& [address, length] :
       {std::pair<uint32_t, uint32_t>{0x20000000, 64}, {0x900FFFF0, 64}, {0x90000000, 0xFFFFFFF}}) {
    TraceBench bench(address, length);
    Host host(bench.setup());
    bench.meet(host);
    CHECK(refusal(host).find("is not in this remote's memory") != std::string::npos);
  }
}
