#include <gtest/gtest.h>

#include "tests/tui/showing.h"

namespace dvrtrace::tui {
namespace {

struct UpdateTest : testing::Test, Showing {};

std::string chosen_place(const Model& model) {
  return direction_of(model)->hops[*chosen_hop(model)].place.name;
}

TEST_F(UpdateTest, WalksTheHopsFromEveryPart) {
  Model model = showing(subject());
  EXPECT_EQ(chosen_place(model), "vm1");
  model = press(std::move(model), "j");
  EXPECT_EQ(chosen_place(model), "br-int");
  model = press(std::move(model), "Tab Tab >");
  EXPECT_EQ(chosen_place(model), sample::kRouter);
  EXPECT_EQ(model.part, Part::Evidence);
  model = press(std::move(model), "< < < <");
  EXPECT_EQ(chosen_place(model), "vm1");
  model = press(std::move(model), "Tab G");  // Tab: the path again
  EXPECT_EQ(chosen_place(model), "vm2");
  model = press(std::move(model), "g");
  EXPECT_EQ(chosen_place(model), "vm1");
}

TEST_F(UpdateTest, ATraceThatStopsOpensWhereItStops) {
  Subject stopped = subject();
  stopped.trace = sample::unknown_trace(at);
  const Model model = showing(std::move(stopped));
  EXPECT_EQ(chosen_place(model), "br-tun");
  EXPECT_NE(screen(model).find("Unknown"), std::string::npos);
}

TEST_F(UpdateTest, CopiesOfFloodsAreHopsWithFullDetailAlone) {
  Model model = showing(subject());
  EXPECT_EQ(hops_shown(model, 0), 5U);
  model = press(std::move(model), "d");
  EXPECT_EQ(hops_shown(model, 0), 6U);
  model = press(std::move(model), "G");
  EXPECT_EQ(chosen_place(model), "vm4");
  model = press(std::move(model), "d d");  // back to the level where it is no hop
  EXPECT_EQ(chosen_place(model), "vm2");
}

TEST_F(UpdateTest, AStepShowsTheLineThatDecidedIt) {
  Model model = press(showing(subject()), "j Tab");
  ASSERT_TRUE(model.dump.lines);
  EXPECT_EQ(model.dump.cited, 2U);  // line 3
  model = press(std::move(model), "j");
  EXPECT_EQ(model.line, 6U);  // line 7: what only leads on is left out
  model = press(std::move(model), "Tab j j k");
  EXPECT_EQ(model.line, 7U);
  EXPECT_EQ(model.dump.cited, 6U);
}

TEST_F(UpdateTest, SearchFindsStepsInAllHopsAndGoesRound) {
  Model model = press(showing(subject()), "/ tun_id Enter");
  EXPECT_EQ(chosen_place(model), "br-tun");
  model = press(std::move(model), "n");
  EXPECT_EQ(chosen_place(model), "br-tun");
  EXPECT_TRUE(model.message.empty());
  model = press(std::move(model), "/ PERMANENT Enter");
  EXPECT_EQ(chosen_place(model), sample::kRouter);
  model = press(std::move(model), "/ nothing-has-this Enter");
  EXPECT_TRUE(model.message_is_bad);
  EXPECT_EQ(chosen_place(model), sample::kRouter);
}

TEST_F(UpdateTest, ASearchForWhatALevelLeavesOutShowsIt) {
  Model model = press(showing(subject()), "/ reg5 Enter");
  EXPECT_EQ(chosen_place(model), "br-int");
  model = press(std::move(model), "n n n n");
  EXPECT_EQ(model.detail, Detail::Full);
}

TEST_F(UpdateTest, EveryQuestionIsARequest) {
  press(showing(subject()), "s");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(std::get<AskAgain>(requests[0]).inquiry.from, "vm2");
  press(showing(subject()), "p Backspace Backspace Backspace Backspace tcp/80 Enter");
  EXPECT_EQ(std::get<AskAgain>(requests.at(1)).inquiry.packet, "tcp/80");
  press(showing(subject()), "j Tab w");
  const Inquiry without = std::get<AskAgain>(requests.at(2)).inquiry;
  ASSERT_EQ(without.without.size(), 1U);
  EXPECT_EQ(without.without[0].place.name, "br-int");
  EXPECT_TRUE(std::holds_alternative<FlowHit>(without.without[0].step));
  press(showing(subject()), "Tab w");  // a VM rests on no row
  EXPECT_EQ(requests.size(), 3U);
}

TEST_F(UpdateTest, AnAnswerIsShownAndTakenBack) {
  Subject other = subject();
  other.trace = sample::unknown_trace(at);
  answer = Answered{prepare(std::move(other)), false};
  Model model = press(showing(subject()), "s");
  EXPECT_EQ(model.subject->trace->verdict, Verdict::Unknown);
  model = press(std::move(model), "u");
  EXPECT_EQ(model.subject->trace->verdict, Verdict::Delivered);
  model = press(std::move(model), "u");
  EXPECT_TRUE(model.message_is_bad);
}

TEST_F(UpdateTest, ASavedTraceCannotBeAsked) {
  Subject saved = subject();
  saved.inquiry.reset();
  Model model = press(showing(std::move(saved)), "s");
  EXPECT_TRUE(model.message_is_bad);
  model = press(std::move(model), "p");
  EXPECT_FALSE(model.prompt);
  EXPECT_TRUE(requests.empty());
}

TEST_F(UpdateTest, LevelsAreLeftOneByOneAndThenTheViewer) {
  Model model = press(showing(subject()), "\\ ? Esc");
  EXPECT_EQ(model.levels.size(), 1U);
  EXPECT_TRUE(model.enlarged);
  model = press(std::move(model), "q");
  EXPECT_FALSE(model.enlarged);
  EXPECT_FALSE(model.quit);
  model = press(std::move(model), "q");
  EXPECT_TRUE(model.quit);
  EXPECT_TRUE(press(showing(subject()), "c Q").quit);
}

TEST_F(UpdateTest, FindingsAreAskedForWhenTheyAreLookedAt) {
  Subject live = subject();
  live.computes_findings = true;
  Model model = press(showing(live), "f");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<FindFaults>(requests[0]));
  live.findings = std::vector<Finding>{};
  live.comparison = Comparison{};
  press(showing(std::move(live)), "f Esc e");
  EXPECT_EQ(requests.size(), 1U);
}

TEST_F(UpdateTest, TheListOfFindingsFiltersAndSearches) {
  Subject check;
  check.sources = sources;
  check.findings = std::vector<Finding>(3);
  (*check.findings)[0].code = "DVR-A";
  (*check.findings)[1].code = "DVR-B";
  (*check.findings)[2].code = "DVR-AB";
  Model model = showing(std::move(check));
  EXPECT_EQ(model.level().view, View::Findings);
  model = press(std::move(model), "/ ab Enter");
  EXPECT_EQ(model.level().chosen, 2U);
  model = press(std::move(model), "& dvr-a Enter");
  EXPECT_EQ(list_size(model), 2U);
  EXPECT_EQ(list_entry(model, 1), 2U);
  model = press(std::move(model), "G");
  EXPECT_EQ(model.level().chosen, 1U);
  model = press(std::move(model), "& Backspace Backspace Backspace Backspace Backspace Enter");
  EXPECT_EQ(list_size(model), 3U);
}

TEST_F(UpdateTest, EndsAreChosenByTyping) {
  Subject choice;
  choice.sources = sources;
  choice.ends = {{"id-1", "vm1", "VM", "cmp1", "net1", "10.0.1.11"},
                 {"id-2", "vm2", "VM", "cmp2", "net2", "10.0.2.12"}};
  Model model = showing(std::move(choice));
  model = press(std::move(model), "2.12 Enter");
  EXPECT_EQ(model.from, "id-2");
  model = press(std::move(model), "8.8.8.8 Enter");  // in no list
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(std::get<AskAgain>(requests[0]).inquiry.from, "id-2");
  EXPECT_EQ(std::get<AskAgain>(requests[0]).inquiry.to, "8.8.8.8");
}

TEST_F(UpdateTest, WhatIsCopiedIsKeptForTheEnd) {
  const Model model = press(showing(subject()), "j Tab y");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(std::get<CopyText>(requests[0]).text, model.copied.at(0));
  EXPECT_NE(model.copied[0].find("resubmit(,60)"), std::string::npos);
}

TEST_F(UpdateTest, AClickChoosesHopStepAndPart) {
  Model model = showing(subject(), 120, 40);
  const Canvas canvas = drawn(model);
  // Wherever "br-int" is drawn in the path, a click there chooses it.
  const Picture picture = layout_picture(model);
  for (const Box& box : picture.boxes) {
    const std::size_t row = 2 + picture.row_of(box.line) + (picture.tall ? 1 : 0);
    const Model clicked = update(model, MousePressed{MousePressed::What::Click, row, box.column + 1});
    EXPECT_EQ(clicked.hop, box.position) << row;
  }
  const std::vector<Region> regions = regions_of(model, picture);
  for (const Region& region : regions) {
    const Model clicked = update(model, MousePressed{MousePressed::What::Click, region.row, region.column});
    EXPECT_EQ(clicked.part, region.part);
    EXPECT_TRUE(update(model, MousePressed{MousePressed::What::Open, region.row, region.column}).enlarged);
  }
}

TEST_F(UpdateTest, AnyKeysInAnyOrderAtAnySizeDoNoHarm) {
  std::vector<Key> keys;
  for (const Binding& binding : bindings()) {
    const std::vector<Key> some = read_keys(binding.keys);
    keys.insert(keys.end(), some.begin(), some.end());
  }
  keys.push_back({KeyName::Backspace, 0});
  Subject live = subject();
  live.computes_findings = true;
  live.ends = {{"id-1", "vm1", "VM", "cmp1", "net1", "10.0.1.11"}};
  answer = Answered{prepare(live), true};
  std::uint32_t random = 1;
  const auto next = [&](std::size_t limit) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % limit;
  };
  const Backend backend = [this](const Request&, const Model&) { return answer; };
  Model model = showing(live);
  for (int i = 0; i < 6000; ++i) {
    if (model.quit) model = showing(live);
    Event event = KeyPressed{keys[next(keys.size())]};
    if (next(20) == 0) event = Resized{next(150), next(50)};
    if (next(20) == 0) event = MousePressed{static_cast<MousePressed::What>(next(4)), next(60), next(160)};
    model = run(std::move(model), event, backend);
    const Canvas canvas = drawn(model);
    ASSERT_EQ(canvas.columns(), model.columns);
  }
}

}  // namespace
}  // namespace dvrtrace::tui
