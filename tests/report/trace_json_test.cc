#include "src/report/trace_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/report/sample.h"

namespace dvrtrace {
namespace {

using Json = nlohmann::ordered_json;

struct JsonOfTrace : testing::Test {
  Sources sources;
  sample::Cited at{sources};
  Json print(const Trace& trace) const {
    return Json::parse(print_json(trace, {sources, "dvrtrace 0.1.0", {{"cmp1", "hosts/cmp1", ""}}, {}, {}}));
  }
  Json hop(const Trace& trace, std::size_t i) const { return print(trace)["directions"][0]["hops"][i]; }
};

TEST_F(JsonOfTrace, HasTheFieldsOfItsSchemaInTheirOrder) {
  std::vector<std::string> keys;
  const Json json = print(sample::trace(at));
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"schema", "tool", "inputs", "question", "verdict", "reason",
                                            "directions", "assumptions", "findings", "diagnostics"}));
  EXPECT_EQ(json["schema"], "dvrtrace.trace/1");
  EXPECT_EQ(json["verdict"], "Delivered");
  EXPECT_EQ(json["reason"], "to-vm");
  EXPECT_EQ(json["inputs"].dump(), R"([{"host":"cmp1","path":"hosts/cmp1","collected_at":null}])");
  EXPECT_EQ(json["question"]["packet"].dump(), R"({"proto":"icmp","ttl":64})");
  EXPECT_EQ(json["question"]["from"]["mac"], "fa:16:3e:00:00:01");
}

TEST_F(JsonOfTrace, AHopHasPlaceDevicesAndSteps) {
  const Json json = hop(sample::trace(at), 1);
  EXPECT_EQ(json["id"], 1);
  EXPECT_EQ(json["parent"], 0);
  EXPECT_EQ(json["place"].dump(), R"({"kind":"bridge","host":"cmp1","name":"br-int"})");
  EXPECT_EQ(json["in"].dump(), R"({"device":"tap1","ofport":5})");
  EXPECT_EQ(json["out"].dump(), R"({"device":"qr-1","ofport":9})");
  EXPECT_EQ(json["outs"].size(), 2u);
  EXPECT_EQ(json["origin"], "observed");
  EXPECT_EQ(json["on_path"], true);
  EXPECT_EQ(json["steps"][0].dump(),
            R"({"kind":"flow","table":0,"priority":100,"cookie":"0xab","match":"in_port=5",)"
            R"-("actions":"load:0x5->NXM_NX_REG5[],resubmit(,60)","packets":12,)-"
            R"("source":{"file":"hosts/cmp1/dump-flows_br-int","line":3,"column":1}})");
  EXPECT_EQ(json["steps"][1].dump(), R"({"kind":"change","field":"reg5","before":"0x0","after":"0x5"})");
  EXPECT_EQ(json["steps"][4].dump(),
            R"({"kind":"normal","vlan":2,"port":null,"flood":true,"ports":["tap4","qr-1"],"source":null})");
}

TEST_F(JsonOfTrace, TheFirstHopHasNoParentAndNoDeviceIn) {
  const Json json = hop(sample::trace(at), 0);
  EXPECT_TRUE(json["parent"].is_null());
  EXPECT_TRUE(json["in"].is_null());
  EXPECT_EQ(json["out"].dump(), R"({"device":"tap1"})");
  EXPECT_FALSE(json.contains("outs"));
}

TEST_F(JsonOfTrace, ACrossingDescribesTheTenantsPacketAndItsOutside) {
  const Json crossings = print(sample::trace(at))["directions"][0]["crossings"];
  ASSERT_EQ(crossings.size(), 4u);
  EXPECT_EQ(crossings[1]["netns"], sample::kRouter);
  EXPECT_EQ(crossings[2]["on_path"], false);
  EXPECT_TRUE(crossings[2]["packet"]["encap"].is_null());
  const Json packet = crossings[3]["packet"];
  EXPECT_EQ(packet["ip_src"], "10.0.1.11");
  EXPECT_EQ(packet["proto"], 1);
  EXPECT_EQ(packet["ttl"], 63);
  EXPECT_EQ(packet["encap"].dump(),
            R"({"type":"vxlan","vni":58814,"src":"172.31.0.11","dst":"172.31.0.12"})");
}

TEST_F(JsonOfTrace, WhatWasDeliveredDidNotStop) {
  EXPECT_TRUE(print(sample::trace(at))["directions"][0]["stopped_at"].is_null());
}

TEST_F(JsonOfTrace, AStopHasTheShapeOfAFinding) {
  Trace trace = sample::trace(at);
  Direction& d = trace.directions[0];
  d.hops.resize(2);
  d.hops[1].steps.resize(4);
  d.hops[1].steps[3] = FlowHit{TableId{72}, 50, 0, "ct_state=+inv", "", {}, false, at.flow(20)};
  d.hops[1].steps.push_back(Stopped{Verdict::Dropped, Reason::SecurityGroup, "no rule admits it", "", {}});
  d.verdict = Verdict::Dropped;
  d.stopped_at = 1;
  const Json json = print(trace)["directions"][0]["stopped_at"];
  EXPECT_EQ(json["host"], "cmp1");
  EXPECT_EQ(json["place"].dump(), R"({"kind":"bridge","name":"br-int"})");
  EXPECT_EQ(json["object"].dump(), R"({"kind":"flow","text":"ct_state=+inv","table":72})");
  EXPECT_EQ(json["source"]["line"], 20);
  EXPECT_EQ(json["text"], "no rule admits it");
}

TEST_F(JsonOfTrace, UnknownNamesWhatWouldSettleIt) {
  const Json json = print(sample::unknown_trace(at))["directions"][0];
  EXPECT_EQ(json["stopped_at"]["needs"], "ovs-ofctl dump-flows br-tun on cmp1");
  EXPECT_EQ(json["hops"][4]["steps"][0]["reason"], "dump-missing");
}

// A name out of a dump may hold anything.
TEST_F(JsonOfTrace, BytesThatAreNotTextDoNoHarm) {
  Trace trace = sample::trace(at);
  trace.question.from.name = "vm\x1b[2J\xff\xc2\x9b";
  const std::string text = print_json(trace, {sources, "dvrtrace 0.1.0", {}, {}, {}});
  EXPECT_NE(text.find(R"(vm\u001b[2J\ufffd\u009b)"), std::string::npos);
}

}  // namespace
}  // namespace dvrtrace
