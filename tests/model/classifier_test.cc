#include "src/model/classifier.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "src/openflow/match_reader.h"

namespace dvrtrace {
namespace {

using namespace openflow;

// A table out of lines of a dump, in their order.
class Table {
 public:
  explicit Table(const std::vector<std::string>& lines) {
    std::uint32_t at = 0;
    for (const std::string& line : lines) {
      FlowLine read = read_flow_line(line, 0, names_);
      EXPECT_EQ(read.kind, FlowLine::Kind::Flow) << line << ": " << read.error.message;
      read.row.at.span = {at, at + 1};
      ++at;
      rows_.push_back(std::move(read.row));
    }
    for (const FlowRow& row : rows_) classifier_.add(&row);
    classifier_.finish();
  }
  Classifier::Found look_up(const std::string& packet) {
    std::optional<ReadError> error;
    const Match match = read_match(packet, names_, error);
    EXPECT_FALSE(error) << packet;
    FlowKey key;
    for (const MatchWord& word : match.words) key.words[word.index] = word.value;
    return classifier_.lookup(key);
  }
  std::string winner(const std::string& packet) {
    const auto found = look_up(packet);
    return found.row == nullptr ? "none" : to_string(found.row->flow.actions);
  }
  std::deque<FlowRow> rows_;
  Classifier classifier_;
  Names names_;
};

TEST(Classifier, HighestPriorityWinsWhateverTheOrder) {
  Table table({"priority=1 actions=output:1", "priority=9,ip actions=output:9", "priority=5,tcp actions=output:5"});
  EXPECT_EQ(table.winner("tcp"), "output:9");
  EXPECT_EQ(table.winner("arp"), "output:1");
}

TEST(Classifier, OfEqualsTheEarlierLineAndTheRivalIsNamed) {
  Table table({"priority=5,ip actions=output:1", "priority=5,in_port=3 actions=output:2"});
  const auto found = table.look_up("in_port=3,tcp");
  EXPECT_EQ(to_string(found.row->flow.actions), "output:1");
  ASSERT_NE(found.rival, nullptr);
  EXPECT_EQ(to_string(found.rival->flow.actions), "output:2");
}

TEST(Classifier, AnUnreadRowOfHigherPriorityLeavesItUndecided) {
  Table table({"priority=5,ip actions=output:1"});
  EXPECT_FALSE(table.look_up("tcp").undecided);
  table.classifier_.add_unread(4);
  EXPECT_FALSE(table.look_up("tcp").undecided);
  EXPECT_TRUE(table.look_up("arp").undecided);
  table.classifier_.add_unread(5);
  EXPECT_TRUE(table.look_up("tcp").undecided);
}

const std::vector<std::string> kConjunctions = {
    "priority=5,ip,nw_src=10.0.0.1 actions=conjunction(7,1/2)",
    "priority=5,ip,nw_src=10.0.0.2 actions=conjunction(7,1/2),conjunction(8,1/2)",
    "priority=5,tcp,tp_dst=80 actions=conjunction(7,2/2)",
    "priority=5,tcp,tp_dst=22 actions=conjunction(8,2/2)",
    "priority=5,conj_id=7,ip actions=output:7",
    "priority=3,ip actions=output:3",
};

TEST(Classifier, ConjunctionNeedsEveryClause) {
  Table table(kConjunctions);
  EXPECT_EQ(table.winner("tcp,nw_src=10.0.0.1,tp_dst=80"), "output:7");
  EXPECT_EQ(table.winner("tcp,nw_src=10.0.0.2,tp_dst=80"), "output:7");
  EXPECT_EQ(table.winner("tcp,nw_src=10.0.0.1,tp_dst=22"), "output:3");
  EXPECT_EQ(table.winner("tcp,nw_src=10.0.0.9,tp_dst=80"), "output:3");
}

TEST(Classifier, ACompleteConjunctionWithoutItsFlowFallsThrough) {
  Table table(kConjunctions);
  EXPECT_EQ(table.winner("tcp,nw_src=10.0.0.2,tp_dst=22"), "output:3");
}

TEST(Classifier, APlainFlowBeatsConjunctionsOfItsPriority) {
  auto lines = kConjunctions;
  lines.push_back("priority=5,tcp actions=output:5");
  Table table(lines);
  EXPECT_EQ(table.winner("tcp,nw_src=10.0.0.1,tp_dst=80"), "output:5");
}

// Against a walk over the whole table, on random tables of overlapping masks.
TEST(Classifier, AgreesWithALinearSearch) {
  std::mt19937 random(20251121);
  const auto pick = [&](std::initializer_list<const char*> parts) { return std::string(parts.begin()[random() % parts.size()]); };
  const auto match = [&](bool packet) {
    std::string text = packet ? pick({"tcp", "udp", "icmp"}) : pick({"ip", "tcp", "udp", "in_port=1", "in_port=2"});
    if (packet) text += pick({",in_port=1", ",in_port=2"});
    const bool ip = text.find("in_port") != 0;
    if (packet || random() % 2) text += pick({",reg0=1", ",reg0=2", ",reg0=3"});
    if (packet) text += pick({",nw_dst=10.0.0.1", ",nw_dst=10.0.1.1", ",nw_dst=10.1.0.1"});
    else if (ip && random() % 2) text += pick({",nw_dst=10.0.0.1", ",nw_dst=10.0.0.0/24", ",nw_dst=10.0.0.0/16", ",nw_dst=10.0.0.0/8"});
    return text;
  };
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> lines;
    for (int i = 0; i < 40; ++i) lines.push_back("priority=" + std::to_string(random() % 8) + "," + match(false) + " actions=output:" + std::to_string(i + 1));
    Table table(lines);
    for (int probe = 0; probe < 40; ++probe) {
      const std::string packet = match(true);
      std::optional<ReadError> error;
      FlowKey key;
      for (const MatchWord& word : read_match(packet, table.names_, error).words) key.words[word.index] = word.value;
      const FlowRow* best = nullptr;
      for (const FlowRow& row : table.rows_) {
        if (row.flow.match.matches(key) && (best == nullptr || row.flow.priority > best->flow.priority)) best = &row;
      }
      ASSERT_EQ(table.classifier_.lookup(key).row, best) << packet;
    }
  }
}

}  // namespace
}  // namespace dvrtrace
