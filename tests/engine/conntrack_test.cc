#include "tracer/engine/conntrack.h"

#include <gtest/gtest.h>

#include "src/openflow/match_reader.h"

namespace dvrtrace {
namespace {

using Kind = TrackedState::Kind;

Packet packet(const std::string& fields) {
  openflow::Names names;
  std::optional<openflow::ReadError> error;
  Packet out;
  for (const openflow::MatchWord& word : openflow::read_match(fields, names, error).words) out.key.words[word.index] = word.value;
  EXPECT_FALSE(error) << fields;
  return out;
}

Packet answer(const Packet& request) {
  Packet out = request;
  out.key = answer_to(request.key);
  return out;
}

const char* const kPing = "icmp,nw_src=10.0.1.5,nw_dst=10.0.2.5,icmp_type=8";
const char* const kSyn = "tcp,nw_src=10.0.1.5,nw_dst=10.0.2.5,tp_src=40000,tp_dst=80,tcp_flags=0x002";

TEST(Conntrack, IsNewUntilTheOtherDirectionWasSeen) {
  for (const char* fields : {kPing, kSyn}) {
    Conntrack conntrack;
    const Packet request = packet(fields);
    const TrackedState first = conntrack.track("cmp1 ovs", 5, request);
    EXPECT_EQ(first.kind, Kind::New);
    conntrack.confirm(first.connection);
    EXPECT_EQ(conntrack.track("cmp1 ovs", 5, request).kind, Kind::New);
    const TrackedState reply = conntrack.track("cmp1 ovs", 5, answer(request));
    EXPECT_EQ(reply.kind, Kind::Established);
    EXPECT_TRUE(reply.reply);
    EXPECT_EQ(conntrack.track("cmp1 ovs", 5, request).kind, Kind::Established);
  }
}

TEST(Conntrack, WhatWasNotCommittedIsForgotten) {
  Conntrack conntrack;
  const Packet request = packet(kSyn);
  conntrack.track("cmp1 ovs", 5, request);
  EXPECT_EQ(conntrack.track("cmp1 ovs", 5, answer(request)).kind, Kind::Invalid) << "a SYN-ACK begins nothing";
}

TEST(Conntrack, ZonesAndNamespacesKnowOnlyTheirOwn) {
  Conntrack conntrack;
  const Packet request = packet(kPing);
  conntrack.confirm(conntrack.track("cmp1 ovs", 5, request).connection);
  EXPECT_EQ(conntrack.track("cmp1 ovs", 6, answer(request)).kind, Kind::Invalid);
  EXPECT_EQ(conntrack.track("cmp2 ovs", 5, answer(request)).kind, Kind::Invalid);
}

TEST(Conntrack, AnErrorIsRelatedToThePacketItQuotes) {
  Conntrack conntrack;
  const Packet request = packet(kPing);
  conntrack.confirm(conntrack.track("cmp1 r", 0, request).connection);
  Packet error = packet("icmp,nw_src=10.0.1.1,nw_dst=10.0.1.5,icmp_type=11");
  error.quoted = tuple_of(request.key);
  EXPECT_EQ(conntrack.track("cmp1 r", 0, error).kind, Kind::Related);
}

TEST(Conntrack, EstablishedWhenAskedSo) {
  Conntrack conntrack;
  conntrack.assume_established();
  EXPECT_EQ(conntrack.track("cmp1 ovs", 5, packet(kSyn)).kind, Kind::Established);
}

// An error that a router behind NAT sends quotes the translated packet.
TEST(Conntrack, AnErrorIsRelatedToTheTranslatedPacketItQuotes) {
  Conntrack conntrack;
  const Packet request = packet(kPing);
  const TrackedState first = conntrack.track("cmp1 r", 0, request);
  conntrack.at(first.connection).reply.destination = *parse_ip("172.24.4.5");
  conntrack.confirm(first.connection);
  Packet translated = request;
  translated.set_ip_src(*parse_ip("172.24.4.5"));
  Packet error = packet("icmp,nw_src=169.254.0.1,nw_dst=172.24.4.5,icmp_type=11");
  error.quoted = tuple_of(translated.key);
  const TrackedState related = conntrack.track("cmp1 r", 0, error);
  EXPECT_EQ(related.kind, Kind::Related);
  EXPECT_TRUE(related.reply);
  error.quoted = tuple_of(request.key);
  EXPECT_EQ(conntrack.track("cmp1 r", 0, error).kind, Kind::Invalid) << "untranslated, it is not this connection's";
}

Conntrack::Dump dump() {
  kernel::Connection known;
  known.original = {*parse_ip("10.0.1.5"), *parse_ip("10.0.2.5"), 6, 4000, 80};
  known.reply = {*parse_ip("10.0.2.5"), *parse_ip("172.24.4.5"), 6, 80, 4000};
  known.zone = 5;
  known.mark = 1;
  return {{known, {SourceId{7}, {}}}};
}

TEST(Conntrack, ADumpedConnectionIsThePacketsWithTheSamePorts) {
  Conntrack conntrack;
  conntrack.ask_for_port();
  const Conntrack::Dump known = dump();
  EXPECT_EQ(conntrack.track("cmp1 ovs", 5, packet(kSyn), &known).kind, Kind::New) << "another source port";
  const Packet same = packet("tcp,nw_src=10.0.1.5,nw_dst=10.0.2.5,tp_src=4000,tp_dst=80");
  EXPECT_EQ(conntrack.track("cmp1 ovs", 6, same, &known).kind, Kind::New) << "another zone";
  const TrackedState found = conntrack.track("cmp1 ovs", 5, same, &known);
  EXPECT_EQ(found.kind, Kind::Established);
  EXPECT_FALSE(found.assumed);
  EXPECT_EQ(conntrack.at(found.connection).mark, 1u);
  EXPECT_TRUE(conntrack.at(found.connection).source_nat);
  EXPECT_TRUE(conntrack.at(found.connection).at.known());
}

TEST(Conntrack, AskedForAnOldConnectionAnyOfTheServiceWillDo) {
  Conntrack conntrack;
  conntrack.assume_established();
  const Conntrack::Dump known = dump();
  const TrackedState found = conntrack.track("cmp1 ovs", 5, packet(kSyn), &known);
  ASSERT_EQ(found.kind, Kind::Established);
  EXPECT_EQ(conntrack.at(found.connection).original, tuple_of(packet(kSyn).key));
  EXPECT_EQ(conntrack.at(found.connection).reply.destination_port, 40000);
}

TEST(Conntrack, ANewConnectionIsNoneOfTheDumped) {
  Conntrack conntrack;
  const Conntrack::Dump known = dump();
  EXPECT_EQ(conntrack.track("cmp1 ovs", 5, packet("tcp,nw_src=10.0.1.5,nw_dst=10.0.2.5,tp_src=4000,tp_dst=80"), &known).kind, Kind::New);
}

TEST(Tuple, InverseOfAnInverseIsTheTuple) {
  for (const char* fields : {kPing, kSyn, "udp,nw_src=1.1.1.1,nw_dst=2.2.2.2,tp_src=5,tp_dst=53"}) {
    const kernel::Tuple tuple = tuple_of(packet(fields).key);
    EXPECT_EQ(inverse(inverse(tuple)), tuple);
    EXPECT_EQ(tuple_of(answer_to(packet(fields).key)), inverse(tuple)) << fields;
  }
}

}  // namespace
}  // namespace dvrtrace
