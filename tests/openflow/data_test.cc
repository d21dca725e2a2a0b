// Runs tests/data/{matches,actions,flows}.txt.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "src/openflow/action_reader.h"
#include "src/openflow/flow.h"
#include "src/openflow/flow_reader.h"
#include "src/openflow/match_reader.h"
#include "tests/data_cases.h"

namespace dvrtrace {
namespace {

using namespace openflow;

std::string show(const std::optional<ReadError>& error, const std::string& printed) {
  return error ? fmt::format("error {}: {}", error->begin, error->message) : "prints as " + printed;
}

TEST(Data, Actions) {
  for (const DataCase& test : read_cases("tests/data/actions.txt")) {
    Names names;
    std::optional<ReadError> error;
    const Actions actions = read_actions(test.input, names, error);
    ASSERT_EQ(test.expectations.size(), 1u) << test.line;
    EXPECT_EQ(show(error, to_string(actions)), test.expectations[0]) << "actions.txt:" << test.line;
    if (error || !names.ports().empty()) continue;
    EXPECT_EQ(read_actions(to_string(actions), names, error), actions) << "what was printed does not read the same: " << test.input;
  }
}

// "hit by" and "missed by" give a packet as a match; a part not named is 0.
TEST(Data, Matches) {
  for (const DataCase& test : read_cases("tests/data/matches.txt")) {
    Names names;
    std::optional<ReadError> error;
    const Match match = read_match(test.input, names, error);
    for (const std::string& expectation : test.expectations) {
      const bool hit = expectation.starts_with("hit by "), missed = expectation.starts_with("missed by ");
      if (!hit && !missed) {
        EXPECT_EQ(show(error, to_string(match)), expectation) << "matches.txt:" << test.line;
        continue;
      }
      std::optional<ReadError> packet_error;
      const Match packet = read_match(expectation.substr(hit ? 7 : 10), names, packet_error);
      ASSERT_FALSE(packet_error) << expectation;
      FlowKey key;
      for (const MatchWord& word : packet.words) key.words[word.index] = word.value;
      EXPECT_EQ(match.matches(key), hit) << "matches.txt:" << test.line << ": " << test.input << " " << expectation;
    }
    if (error || !names.ports().empty()) continue;
    EXPECT_EQ(read_match(to_string(match), names, error), match) << test.input;
  }
}

TEST(Data, Flows) {
  for (const DataCase& test : read_cases("tests/data/flows.txt")) {
    Names names;
    const FlowLine line = read_flow_line(test.input, 0, names);
    std::string shown;
    switch (line.kind) {
      case FlowLine::Kind::Header: shown = "header"; break;
      case FlowLine::Kind::Noise: shown = "noise"; break;
      case FlowLine::Kind::Flow: shown = "prints as " + to_string(line.row.flow); break;
      case FlowLine::Kind::Bad: shown = fmt::format("error {}: {}", line.error.begin, line.error.message); break;
    }
    ASSERT_FALSE(test.expectations.empty()) << test.line;
    EXPECT_EQ(shown, test.expectations[0]) << "flows.txt:" << test.line;
    if (line.kind == FlowLine::Kind::Flow && test.expectations.size() > 1) {
      const auto stats = read_flow_stats(test.input);
      ASSERT_TRUE(stats) << "flows.txt:" << test.line;
      EXPECT_EQ(fmt::format("packets {} bytes {} duration {}", stats->packets, stats->bytes, stats->duration_ms), test.expectations[1]);
    }
  }
}

// What was read before changes nothing of a line, whether its actions were met or not.
TEST(Data, FlowsWithKnownActions) {
  for (const std::size_t bytes : {0u, 1u << 20}) {
    Names names, own;
    KnownActions known(bytes);
    for (int round = 0; round < 2; ++round) {
      for (const DataCase& test : read_cases("tests/data/flows.txt")) {
        // Known texts must outlive what knows them, as a dump's do.
        static std::deque<std::string> kept;
        const FlowLine line = read_flow_line(kept.emplace_back(test.input), 0, names, known);
        const FlowLine plain = read_flow_line(test.input, 0, own);
        EXPECT_EQ(line.kind, plain.kind) << "flows.txt:" << test.line;
        EXPECT_EQ(line.row.flow, plain.row.flow) << "flows.txt:" << test.line;
        EXPECT_EQ(line.error.message, plain.error.message) << "flows.txt:" << test.line;
        EXPECT_EQ(line.error.begin, plain.error.begin) << "flows.txt:" << test.line;
      }
    }
    EXPECT_EQ(names.ports(), own.ports());
  }
}

// A line cut anywhere is a shorter flow, or bad: never a crash, never a place beyond its end.
TEST(Data, EveryPrefixOfALine) {
  const std::string line =
      " cookie=0x1, duration=1.500s, table=72, n_packets=2, n_bytes=148, idle_age=3, priority=77,ct_state=+new-est,tcp,reg5=0x7,"
      "nw_dst=169.254.0.0/16,tp_dst=0x1f40/0xfff8 actions=ct(commit,zone=NXM_NX_REG6[0..15],exec(set_field:0x1->ct_mark)),output:4,resubmit(,92)";
  for (std::size_t length = 0; length < line.size(); ++length) {
    Names names;
    const FlowLine read = read_flow_line(std::string_view(line).substr(0, length), 0, names);
    if (read.kind == FlowLine::Kind::Bad) {
      EXPECT_LE(read.error.end, length);
    }
    if (length < line.find("actions=")) {
      EXPECT_NE(read.kind, FlowLine::Kind::Flow) << length;
    }
  }
}

}  // namespace
}  // namespace dvrtrace
