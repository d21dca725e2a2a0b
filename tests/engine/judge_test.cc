#include "tracer/engine/judge.h"

#include <gtest/gtest.h>

namespace dvrtrace {
namespace {

std::size_t add(Direction& direction, std::optional<std::size_t> parent, const std::string& host, std::optional<Stopped> stop = {}) {
  Hop hop;
  hop.parent = parent;
  hop.place = {PlaceKind::Bridge, host, "br-int"};
  if (stop) hop.steps.push_back(*stop);
  direction.hops.push_back(hop);
  return direction.hops.size() - 1;
}

Stopped stopped(Verdict verdict, Reason reason) { return {verdict, reason, "", "", {}}; }

// A flood from hop 0 whose copies end at several places.
Direction flood() {
  Direction direction;
  add(direction, std::nullopt, "cmp1");
  Switched switched;
  switched.ports = {"a", "b", "c"};
  direction.hops[0].steps.push_back(switched);
  return direction;
}

TEST(Judge, TheDropAtTheDestinationExplainsBeforeIdleCopies) {
  Direction direction = flood();
  add(direction, 0, "cmp1", stopped(Verdict::Dropped, Reason::DropFlow));
  const auto there = add(direction, 0, "cmp2", stopped(Verdict::Dropped, Reason::SecurityGroup));
  add(direction, 0, "cmp1", stopped(Verdict::Dropped, Reason::NotForThisHost));
  EXPECT_EQ(stop_of(direction, "cmp2"), there);
}

TEST(Judge, OfIdleCopiesTheOneAtTheDestinationExplains) {
  Direction direction = flood();
  const auto there = add(direction, 0, "cmp2", stopped(Verdict::Dropped, Reason::DropFlow));
  add(direction, 0, "cmp1", stopped(Verdict::Dropped, Reason::DropFlow));
  EXPECT_EQ(stop_of(direction, "cmp2"), there);
}

TEST(Judge, WhatIsNotKnownDoesNotLookLikeADrop) {
  Direction direction = flood();
  add(direction, 0, "cmp1", stopped(Verdict::Dropped, Reason::DropFlow));
  const auto unknown = add(direction, 0, "cmp1", stopped(Verdict::Unknown, Reason::HostMissing));
  EXPECT_EQ(stop_of(direction, "cmp2"), unknown);
}

TEST(Judge, SettleMarksTheWayAndItsCrossings) {
  Direction direction = flood();
  const auto copy = add(direction, 0, "cmp1", stopped(Verdict::Dropped, Reason::DropFlow));
  const auto end = add(direction, 0, "cmp2", stopped(Verdict::Delivered, Reason::ToVm));
  direction.crossings = {{"cmp1", "", "tap1", 0, {}, false}, {"cmp1", "", "tap2", copy, {}, false}, {"cmp2", "", "tap3", end, {}, false}, {"cmp2", "", "qbr", 99, {}, false}};
  settle(direction, end, Verdict::Delivered, Reason::ToVm);
  EXPECT_TRUE(direction.hops[0].on_path && direction.hops[end].on_path && !direction.hops[copy].on_path);
  EXPECT_TRUE(direction.crossings[0].on_path && direction.crossings[2].on_path);
  EXPECT_FALSE(direction.crossings[1].on_path || direction.crossings[3].on_path);
}

TEST(Judge, AnAnswerByAFlowIsADirectionOfItsOwn) {
  Direction direction;
  add(direction, std::nullopt, "cmp1");
  add(direction, 0, "cmp1");
  add(direction, 1, "cmp1");
  for (Hop& hop : direction.hops) hop.arrived.arp_op = 1;
  EXPECT_FALSE(take_answer(direction));
  direction.hops[2].arrived.arp_op = 2;
  const auto reply = take_answer(direction);
  ASSERT_TRUE(reply);
  EXPECT_EQ(direction.hops.size(), 2u);
  ASSERT_EQ(reply->hops.size(), 1u);
  EXPECT_FALSE(reply->hops[0].parent);
  EXPECT_EQ(direction.verdict, Verdict::Delivered);
}

}  // namespace
}  // namespace dvrtrace
