#include "src/report/pictures/layout.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/report/sample.h"

namespace dvrtrace {
namespace {

TEST(Layout, NamesAreShortenedInTheirMiddle) {
  const struct {
    std::string_view text;
    std::size_t cells;
    std::string_view shown;
  } cases[] = {
      {"br-int", 6, "br-int"},
      {"qrouter-13c6faff", 10, "qroute…aff"},
      {"abc", 1, "…"},
      {"", 3, ""},
      {"名名名名名", 10, "名名名名名"},
      {"名名名名名", 7, "名名…名"},
      {"größe-größe", 8, "größe…ße"},
  };
  for (const auto& [text, cells, shown] : cases) EXPECT_EQ(shortened(text, cells), shown) << text;
}

bool overlap(const LaidOutBox& a, const LaidOutBox& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

bool crosses(const LaidOutLink::Point& from, const LaidOutLink::Point& to, const LaidOutBox& box) {
  const auto [left, right] = std::minmax(from.x, to.x);
  const auto [top, bottom] = std::minmax(from.y, to.y);
  return left < box.x + box.width && right > box.x && top < box.y + box.height && bottom > box.y;
}

// What holds for every drawing.
void check(const Picture& picture, double width) {
  const Layout layout = lay_out(picture, width);
  ASSERT_EQ(layout.boxes.size(), picture.way.size());
  ASSERT_EQ(layout.links.size() + 1, layout.boxes.size());
  for (std::size_t i = 0; i < layout.boxes.size(); ++i) {
    const LaidOutBox& box = layout.boxes[i];
    EXPECT_EQ(box.node, picture.way[i]);
    EXPECT_GE(box.x, 0);
    EXPECT_LE(box.x + box.width, layout.width);
    EXPECT_LE(box.y + box.height, layout.height);
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_FALSE(overlap(box, layout.boxes[j])) << i << " " << j << " at " << width;
    for (const LaidOutLink& link : layout.links) {
      for (std::size_t k = 0; k + 1 < link.points.size(); ++k)
        EXPECT_FALSE(crosses(link.points[k], link.points[k + 1], box))
            << "a line crosses box " << i << " at " << width;
    }
    for (const LaidOutCopy& copy : layout.copies) {
      EXPECT_FALSE(copy.x < box.x + box.width && copy.x > box.x && copy.y > box.y &&
                   copy.y - kCopyHeight + 4 < box.y + box.height)
          << copy.text << " lies in box " << i << " at " << width;
      EXPECT_LE(copy.y, layout.height);
    }
  }
  for (std::size_t i = 0; i < layout.copies.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_TRUE(std::abs(layout.copies[i].y - layout.copies[j].y) >= kCopyHeight - 1 ||
                  std::abs(layout.copies[i].x - layout.copies[j].x) > 100)
          << layout.copies[i].text << " / " << layout.copies[j].text << " at " << width;
  }
}

// A direction of any shape: a way over some hosts, with copies and copies of copies.
Direction random_direction(std::mt19937& random) {
  const auto upto = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  Direction direction;
  direction.name = "request";
  std::size_t host = 0;
  std::optional<std::size_t> last;
  for (std::size_t step = 0, steps = 1 + upto(20); step < steps; ++step) {
    if (upto(4) == 0) ++host;
    const bool between = upto(5) == 0;
    const Place place{static_cast<PlaceKind>(upto(6)), between ? "" : "compute-" + std::to_string(host),
                      std::string(1 + upto(60), 'n')};
    Hop hop = sample::hop(last, place, {});
    if (upto(1) == 0) hop.in = sample::device(std::string(15, 'i'), 3);
    if (upto(1) == 0) hop.out = {sample::device(std::string(15, 'o'), 3)};
    direction.hops.push_back(std::move(hop));
    last = direction.hops.size() - 1;
    for (std::size_t copy = 0, copies = upto(3) == 0 ? upto(30) : 0; copy < copies; ++copy) {
      const std::size_t parent = upto(2) == 0 ? direction.hops.size() - 1 : *last;
      Hop off = sample::hop(parent, {PlaceKind::Bridge, "compute-9", "br-copy"}, {});
      off.on_path = false;
      direction.hops.push_back(std::move(off));
    }
  }
  return direction;
}

TEST(Layout, NothingOverlapsAtAnyWidth) {
  std::mt19937 random(9);
  for (int i = 0; i < 150 && !testing::Test::HasFailure(); ++i) {
    const Picture picture = picture_of(random_direction(random), {}, {});
    for (const double width : {200.0, 340.0, 520.0, 680.0, 1152.0, 2000.0}) check(picture, width);
  }
}

TEST(Picture, OfAFloodTheFirstCopiesAreDrawnAndTheRestCounted) {
  Direction direction;
  direction.hops.push_back(sample::hop({}, {PlaceKind::Bridge, "cmp1", "br-int"}, {}));
  for (std::size_t i = 0; i < 500; ++i) {
    direction.hops.push_back(sample::hop(0, {PlaceKind::Vm, "cmp1", "vm"}, {}));
    direction.hops.back().on_path = false;
    direction.hops.push_back(sample::hop(direction.hops.size() - 1, {PlaceKind::Vm, "cmp1", "vm"}, {}));
    direction.hops.back().on_path = false;
  }
  const Picture picture = picture_of(direction, {}, {});
  EXPECT_EQ(picture.nodes.size(), 1 + kMostCopies);
  EXPECT_EQ(picture.nodes[0].not_drawn, 1000 - kMostCopies);
}

TEST(Picture, WhatLiesBetweenTwoPlacesOfOneHostBelongsToIt) {
  Direction direction;
  direction.hops = {sample::hop({}, {PlaceKind::Bridge, "cmp1", "br-tun"}, {}),
                    sample::hop(0, {PlaceKind::Tunnel, "", "a > b"}, {}),
                    sample::hop(1, {PlaceKind::Bridge, "cmp1", "br-phy"}, {}),
                    sample::hop(2, {PlaceKind::Wire, "", "eth1"}, {}),
                    sample::hop(3, {PlaceKind::Bridge, "cmp2", "br-phy"}, {})};
  const Layout layout = lay_out(picture_of(direction, {}, {}), 1152);
  ASSERT_EQ(layout.bands.size(), 2);
  EXPECT_EQ(layout.bands[0].host, "cmp1");
  EXPECT_LE(layout.boxes[1].y + layout.boxes[1].height, layout.bands[0].y + layout.bands[0].height);
  EXPECT_GE(layout.boxes[3].y, layout.bands[0].y + layout.bands[0].height);
}

}  // namespace
}  // namespace dvrtrace
