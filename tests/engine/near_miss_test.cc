#include "tracer/engine/near_miss.h"

#include <gtest/gtest.h>

#include "collectors/ovs_flows.h"
#include "src/openflow/flow_text.h"

namespace dvrtrace {
namespace {

// "field,field: match" of each near miss.
std::vector<std::string> near(const std::string& flows, const std::string& packet) {
  Sources sources;
  Diagnostics diagnostics;
  ReadLog log{diagnostics, {}};
  const openflow::FlowTable table = read_flow_dump(sources.text(sources.add("flows", flows)), log);
  Classifier classifier;
  for (const openflow::FlowRow& row : table.flows) classifier.add(&row);
  classifier.finish();
  openflow::Names names;
  std::optional<openflow::ReadError> error;
  const openflow::FlowKey key = openflow::read_packet(packet, names, error);
  std::vector<std::string> told;
  for (const NearMiss& miss : near_misses(classifier, key)) {
    std::string text;
    for (const std::string& field : miss.fields) text += (text.empty() ? "" : ",") + field;
    told.push_back(text + ": " + to_string(miss.row->flow.match));
  }
  return told;
}

using Told = std::vector<std::string>;

TEST(NearMiss, IsWhatDiffersInTheFewestFields) {
  EXPECT_EQ(near(" table=4,priority=1,tun_id=0x3e9 actions=output:1\n"
                 " table=4,priority=1,tun_id=0x3ea,in_port=9 actions=output:1\n"
                 " table=4,priority=0 actions=drop\n",
                 "in_port=2,tun_id=0x3eb"),
            (Told{"tun_id: tun_id=0x3e9"}));
}

TEST(NearMiss, TheHigherPriorityComesFirst) {
  EXPECT_EQ(near(" priority=1,dl_dst=fa:16:3e:00:00:01 actions=1\n priority=9,dl_dst=fa:16:3e:00:00:02 actions=2\n", "dl_dst=fa:16:3e:00:00:03"),
            (Told{"eth_dst: dl_dst=fa:16:3e:00:00:02", "eth_dst: dl_dst=fa:16:3e:00:00:01"}));
}

TEST(NearMiss, ADropIsNone) {
  EXPECT_EQ(near(" priority=1,tcp,tp_dst=80 actions=drop\n", "tcp,tp_dst=81"), Told{});
}

TEST(NearMiss, WhatDiffersInMuchIsNotNear) {
  EXPECT_EQ(near(" priority=1,in_port=1,tcp,tp_dst=80,nw_src=10.0.0.1 actions=1\n", "udp,in_port=2,nw_src=10.0.0.2,tp_dst=53"), Told{});
}

}  // namespace
}  // namespace dvrtrace
