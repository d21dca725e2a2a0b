#include <gtest/gtest.h>

#include <set>

#include "tests/tui/showing.h"

namespace dvrtrace::tui {
namespace {

struct DrawTest : testing::Test, Showing {};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The text of a screen with all its line breaks and blanks taken out: what is broken at the edge is whole again.
std::string squeezed(const Model& model) {
  std::string text = screen(model);
  std::erase_if(text, [](char c) { return c == '\n' || c == ' '; });
  return text;
}

TEST_F(DrawTest, ALongNameIsWholeSomewhereAtEverySize) {
  const std::string name =
      "qdhcp-an-unusually-long-name-of-a-namespace-that-fits-on-no-small-screen-0123456789";
  Subject subject = this->subject();
  subject.trace->directions[0].hops[2].place.name = name;
  for (const std::size_t columns : {20U, 40U, 80U, 120U}) {
    for (const std::size_t rows : {5U, 12U, 24U, 40U}) {
      Model model = press(showing(subject, columns, rows), "> > Tab g \\");
      bool whole = has(squeezed(model), name);
      for (int i = 0; i < 40 && !whole; ++i) {  // on a very small screen it takes several
        model = press(std::move(model), "y");
        whole = !model.copied.empty() && has(model.copied.front(), name);
      }
      EXPECT_TRUE(whole) << columns << "x" << rows;
    }
  }
}

TEST_F(DrawTest, WithoutUnicodeThereIsNothingButAscii) {
  Subject subject = this->subject();
  subject.trace->directions[0].hops[0].place.name = "vm-gr\xc3\xbc\xc3\x9f\x1b[31m\xe2\x80\xae";
  for (const std::string keys : {"", "?", "c", "v", "f", "e", "> Tab Tab", "> Tab \\", "d", "/ x"}) {
    const std::string text = screen(press(showing(subject, 100, 30, false), keys));
    for (const char c : text) ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << keys << "\n" << text;
  }
}

TEST_F(DrawTest, ColourIsNeverTheOnlySign) {
  // The same model with other verdicts gives other characters, not only other paints.
  std::set<std::string> screens;
  for (const Verdict verdict : {Verdict::Delivered, Verdict::Dropped, Verdict::Looped, Verdict::Unknown}) {
    Subject subject = this->subject();
    std::get<Stopped>(subject.trace->directions[0].hops[5].steps[0]).verdict = verdict;
    Model model = showing(std::move(subject));
    model.hop = 1;
    Picture picture = layout_picture(model);
    screens.insert(picture.boxes.back().text);
  }
  EXPECT_EQ(screens.size(), 4U);
  // And the chosen hop is marked by characters.
  Model one = showing(subject()), two = press(one, ">");
  EXPECT_NE(screen(one), screen(two));
}

TEST_F(DrawTest, EachPartCanBeSeenWhereAllThreeDoNotFit) {
  EXPECT_TRUE(has(screen(showing(subject(), 20, 5)), "path"));
  EXPECT_TRUE(has(screen(press(showing(subject(), 20, 5), "Tab")), "steps"));
  EXPECT_TRUE(has(screen(press(showing(subject(), 20, 5), "Tab Tab")), "evidence"));
}

TEST_F(DrawTest, ADumpThatIsNotAtHandIsSaidSo) {
  const SourceId absent = sources->add("hosts/cmp1/flows", SharedText{});
  Subject subject = this->subject();
  std::get<FlowHit>(subject.trace->directions[0].hops[1].steps[0]).at = {absent, {1234, 2}};
  const std::string text = screen(press(showing(std::move(subject)), "> Tab"));
  EXPECT_TRUE(has(text, "hosts/cmp1/flows:1234"));
  EXPECT_TRUE(has(text, "not at hand"));
}

TEST_F(DrawTest, AVeryLongLineShowsWhatIsCitedOfIt) {
  std::string line(1 << 20, 'x');
  line.replace(700'000, 9, "the-cited");
  const SourceId id = sources->add("a-line", line);
  Subject subject = this->subject();
  std::get<FlowHit>(subject.trace->directions[0].hops[1].steps[0]).at = {id, {700'000, 700'009}};
  Model model = press(showing(std::move(subject)), "> Tab");
  EXPECT_TRUE(has(screen(model), "the-cited"));
  model = press(std::move(model), "Tab Enter");
  EXPECT_EQ(model.level().view, View::Line);
  EXPECT_LE(model.level().text.size(), 65536U);
  EXPECT_TRUE(has(model.level().text, "the-cited"));
}

TEST_F(DrawTest, WhatASearchFoundIsMarked) {
  const Model model = press(showing(subject()), "/ PERMANENT Enter");
  const Canvas canvas = drawn(model);
  std::size_t marked = 0;
  for (std::size_t row = 0; row < canvas.rows(); ++row) {
    for (std::size_t column = 0; column < canvas.columns(); ++column)
      marked += canvas.at(row, column).accent == Accent::Found;
  }
  EXPECT_GE(marked, std::string_view("permanent").size());
}

TEST_F(DrawTest, SightingsStandBesideTheirCrossings) {
  Subject subject = this->subject();
  Sightings seen;
  seen.direction = "request";
  seen.verdict = "stops behind qr-1";
  seen.crossings = {{Sighting::State::Seen, "", {}, 5},
                    {Sighting::State::Altered, "ttl", 0.25, 5},
                    {Sighting::State::NotCaptured, "", {}, 0},
                    {Sighting::State::NotSeen, "", {}, 0}};
  subject.sightings = {seen};
  const std::string text = screen(press(showing(std::move(subject), 120), "v"));
  EXPECT_TRUE(has(text, "stops behind qr-1"));
  EXPECT_TRUE(has(text, "tap1  seen, 5 packets"));
  EXPECT_TRUE(has(text, "altered: ttl, 5 packets, 0.250 ms on"));
  EXPECT_TRUE(has(text, "eth1  not seen"));
  EXPECT_TRUE(has(text, "not captured here"));
}

TEST_F(DrawTest, ExpectedStandsAgainstFoundInThePlaceOfTheHop) {
  Subject subject = this->subject();
  Finding finding;
  finding.code = "DVR-FLOW-MISSING";
  finding.host = "cmp1";
  finding.place_kind = "bridge";
  finding.place = "br-int";
  finding.expected = "table=60, priority=3 actions=NORMAL";
  subject.comparison = Comparison{"Neutron zed", "", {{"cmp1", "bridge", "br-int", {finding}}}};
  Model model = press(showing(std::move(subject)), "> e");
  EXPECT_TRUE(has(screen(model), "DVR-FLOW-MISSING"));
  EXPECT_TRUE(has(screen(model), "table=60, priority=3"));
  model = press(std::move(model), "Esc > e");
  EXPECT_TRUE(has(screen(model), "no difference"));
}

}  // namespace
}  // namespace dvrtrace::tui
