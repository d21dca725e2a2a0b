#include "src/report/read_trace_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/report/sample.h"

namespace dvrtrace {
namespace {

using Json = nlohmann::ordered_json;

struct SavedTrace : testing::Test {
  Sources sources;
  sample::Cited at{sources};
  Diagnostics diagnostics;

  static std::string print(const Trace& trace, const Sources& sources, std::vector<Finding> findings = {}) {
    return print_json(
        trace, {sources, "dvrtrace 0.1.0", {{"cmp1", "hosts/cmp1", "today"}}, {}, std::move(findings)});
  }
  Result<SavedAnswer> read(const std::string& text, Sources& into, const FindDump& find = {}) {
    return read_trace_json("trace.json", text, find, into, diagnostics);
  }
};

TEST_F(SavedTrace, PrintsAsTheOneThatWasSaved) {
  Finding finding;
  finding.code = "DVR-A";
  finding.host = "cmp1";
  finding.place_kind = "bridge";
  finding.place = "br-int";
  finding.object_kind = "flow";
  finding.table = TableId{60};
  finding.at = at.flow(7);
  finding.affects = {"vm1"};
  finding.explains = "without it the packet arrives";
  for (const Trace& trace : {sample::trace(at), sample::unknown_trace(at)}) {
    const std::string text = print(trace, sources, {finding});
    Sources none, all;
    const auto saved = read(text, none);
    ASSERT_TRUE(saved);
    EXPECT_EQ(print(*saved->trace, none, saved->findings), text);
    EXPECT_EQ(saved->inputs.at(0).path, "hosts/cmp1");
    const auto found = read(text, all, [](const std::string&) { return std::string(50, '\n'); });
    ASSERT_TRUE(found);
    EXPECT_EQ(print(*found->trace, all, found->findings), text);
    EXPECT_TRUE(diagnostics.empty());
  }
}

TEST_F(SavedTrace, EveryKindOfStepComesBack) {
  Trace trace = sample::trace(at);
  std::vector<Step>& steps = trace.directions[0].hops[0].steps;
  steps = {TableMissed{TableId{7}, at.flow(1)},
           Tracked{3, "trk|new", true, true, "SNAT"},
           Switched{std::uint16_t{2}, "tap1", {}, std::uint32_t{3}, at.flow(2)},
           SentTo{"tap1", "a note", at.flow(3)},
           ChainHit{"nat", "POSTROUTING", "-j SNAT", "SNAT", at.flow(4)},
           Translated{"SNAT", "10.0.1.11", "172.24.4.201", at.flow(4)},
           Decapsulated{{"gre", 5, sample::kVtep1, sample::kVtep2}, "gre-1", at.flow(5)},
           Resolved{sample::kVm2Ip, sample::kVm2, "br-tun", at.flow(6)},
           Noted{"nearly met", at.flow(7)}};
  const std::string text = print(trace, sources);
  Sources other;
  const auto saved = read(text, other);
  ASSERT_TRUE(saved);
  EXPECT_EQ(print(*saved->trace, other), text);
}

TEST_F(SavedTrace, ADumpThatHasChangedIsCitedByNameAlone) {
  const std::string text = print(sample::trace(at), sources);
  Sources short_dumps;
  const auto saved = read(text, short_dumps, [](const std::string&) { return std::string("one line\n"); });
  ASSERT_TRUE(saved);
  const Provenance cited = std::get<FlowHit>(saved->trace->directions[0].hops[1].steps[0]).at;
  EXPECT_EQ(short_dumps.locate(cited).line, 3U);
  EXPECT_EQ(short_dumps.text(cited.source).bytes.data(), nullptr);
}

TEST_F(SavedTrace, NoTraceIsAnErrorThatSaysWhatIsWanted) {
  for (const char* text :
       {"", "{", "[]", "null", "{}", R"({"schema":"dvrtrace.trace/2"})", R"({"schema":7})"}) {
    Sources other;
    const auto saved = read(text, other);
    ASSERT_FALSE(saved) << text;
    EXPECT_NE(saved.error().message.find("trace.json"), std::string::npos);
  }
}

// Every value of a document in turn is replaced by others.
void each_damaged(const Json& whole, const std::function<void(const std::string&)>& visit) {
  const Json flat = whole.flatten();
  for (const auto& [path, value] : flat.items()) {
    const nlohmann::ordered_json::json_pointer pointer(path);
    for (const Json& other :
         {Json(nullptr), Json(-1), Json(1e300), Json("\x1b[2J"), Json(Json::array({1, "x"})),
          Json(Json::object()), Json(std::numeric_limits<std::uint64_t>::max())}) {
      Json damaged = whole;
      damaged[pointer] = other;
      visit(damaged.dump());
    }
  }
}

TEST_F(SavedTrace, AnyValueInAnyPlaceGivesATraceOrAnError) {
  std::size_t read_well = 0;
  each_damaged(Json::parse(print(sample::trace(at), sources)), [&](const std::string& text) {
    Sources other;
    const auto saved = read(text, other);
    if (!saved) return;
    ++read_well;
    for (const Direction& direction : saved->trace->directions) {
      EXPECT_FALSE(direction.stopped_at && *direction.stopped_at >= direction.hops.size());
      for (std::size_t i = 0; i < direction.hops.size(); ++i) {
        EXPECT_FALSE(direction.hops[i].parent && *direction.hops[i].parent >= i);
      }
    }
    print(*saved->trace, other);
  });
  EXPECT_GT(read_well, 100U);
}

TEST_F(SavedTrace, AVerificationIsItsTraceAndWhatWasSeen) {
  const Json whole{
      {"schema", "dvrtrace.verify/1"},
      {"directions",
       {{{"direction", "request"},
         {"text", "stops behind tap1"},
         {"crossings",
          {{{"state", "seen"}, {"packets", 3}},
           {{"state", "altered"},
            {"altered", {{{"field", "ttl"}, {"expected", "63"}, {"found", "64"}}}},
            {"latency", {{"median_ns", -5}}}}}}}}},
      {"trace", Json::parse(print(sample::trace(at), sources))}};
  Sources other;
  const auto saved = read(whole.dump(), other);
  ASSERT_TRUE(saved && saved->trace);
  EXPECT_EQ(print(*saved->trace, other), print(sample::trace(at), sources));
  ASSERT_EQ(saved->seen.size(), 1U);
  EXPECT_EQ(saved->seen[0].text, "stops behind tap1");
  ASSERT_EQ(saved->seen[0].crossings.size(), 2U);
  EXPECT_EQ(saved->seen[0].crossings[0].packets, 3U);
  EXPECT_EQ(saved->seen[0].crossings[1].altered, "ttl 64 (expected 63)");
  EXPECT_EQ(saved->seen[0].crossings[1].latency, -5);
}

TEST_F(SavedTrace, DepthIsNoMatter) {
  Sources other;
  EXPECT_FALSE(read(std::string(200'000, '['), other));
  std::string nested = R"({"schema":"dvrtrace.trace/1","directions":)";
  nested += std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_TRUE(read(nested, other));
}

}  // namespace
}  // namespace dvrtrace
