// Runs tests/data/ofproto/*.txt: a bridge, its flows, packets and what becomes of them.
//
//   bridge br0                          what follows belongs to it
//   port p1 1 tag=5                     also vlan_mode=, trunks=1;2, peer=
//   fdb 3 1 02:00:00:00:00:01           port, VLAN and MAC
//   mirror m select_all=true output_port=p1  also select_src=, select_dst= (p1;p2), select_vlan=, output_vlan=
//   group group_id=1,type=all,bucket=...
//   flow table=0,priority=1,actions=... as add-flows takes it
//   trace in_port=1,tcp                 in the first bridge; `trace trk,est: FLOW` for --ct-next
//       0 priority 1                    the tables visited, then
//       out p2 vlan 5                   what leaves, or
//       dropped, unknown: ..., failed: ...
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "collectors/fdb.h"
#include "collectors/ovs_flows.h"
#include "src/base/text.h"
#include "src/openflow/flow_text.h"
#include "src/openflow/value.h"
#include "tests/data_cases.h"
#include "tracer/engine/ofproto.h"

namespace dvrtrace {
namespace {

struct BridgeText {
  OvsBridge row;
  std::string flows, groups, fdb;
};

std::vector<std::uint16_t> numbers(std::string_view text) {
  std::vector<std::uint16_t> all;
  for (const std::string_view part : split(text, ';')) all.push_back(number<std::uint16_t>(part).value_or(0));
  return all;
}

OvsPort read_port_line(std::string_view text) {
  OvsPort port;
  port.interfaces.push_back({});
  OvsInterface& interface = port.interfaces.back();
  port.name = interface.name = take_until(text, ' ');
  interface.ofport = number<std::uint16_t>(take_until(text, ' ')).value_or(0);
  while (!text.empty()) {
    std::string_view value = take_until(text, ' ');
    const std::string_view key = take_until(value, '=');
    if (key == "tag") port.tag = number<std::uint16_t>(value);
    if (key == "trunks") port.trunks = numbers(value);
    if (key == "vlan_mode") port.vlan_mode = value;
    if (key != "peer") continue;
    interface.type = "patch";
    interface.options["peer"] = value;
  }
  return port;
}

OvsMirror read_mirror_line(std::string_view text) {
  OvsMirror mirror;
  mirror.name = take_until(text, ' ');
  while (!text.empty()) {
    std::string_view value = take_until(text, ' ');
    const std::string_view key = take_until(value, '=');
    if (key == "select_all") mirror.select_all = value == "true";
    if (key == "select_vlan") mirror.select_vlans = numbers(value);
    if (key == "output_vlan") mirror.output_vlan = number<std::uint16_t>(value);
    if (key == "output_port") mirror.output_port = value;
    auto* ports = key == "select_src" ? &mirror.select_src : key == "select_dst" ? &mirror.select_dst : nullptr;
    for (const std::string_view port : ports == nullptr ? std::vector<std::string_view>{} : split(value, ';')) ports->emplace_back(port);
  }
  return mirror;
}

HostSnapshot host_of(const std::vector<BridgeText>& bridges, Sources& sources) {
  HostSnapshot host;
  host.name = "host";
  host.ovs.presence = Presence::Complete;
  for (const BridgeText& bridge : bridges) {
    host.ovs.value.bridges.push_back(bridge.row);
    Diagnostics diagnostics;
    ReadLog log{diagnostics, {}};
    BridgeDumps dumps;
    dumps.bridge = bridge.row.name;
    dumps.flows.presence = dumps.groups.presence = dumps.fdb.presence = Presence::Complete;
    dumps.flows.value = read_flow_dump(sources.text(sources.add("flows", bridge.flows)), log);
    dumps.groups.value = read_group_dump(sources.text(sources.add("groups", bridge.groups)), dumps.flows.value.names, log);
    dumps.fdb.value = read_fdb_show(sources.text(sources.add("fdb", bridge.fdb)), bridge.row.name, log);
    host.bridges.push_back(std::move(dumps));
  }
  return host;
}

std::vector<std::string> trace(const std::vector<BridgeText>& bridges, std::string_view text) {
  Sources sources;
  Snapshot index;
  index.hosts.push_back({});
  const Network network(std::move(index), [&](std::size_t, const HostSnapshot&, Diagnostics&) { return host_of(bridges, sources); }, sources);
  OfprotoQuestion question;
  if (const std::size_t colon = text.find(": "); colon != std::string_view::npos) {
    for (const std::string_view state : split(text.substr(0, colon), ' ')) question.ct_next.push_back(openflow::read_ct_flags(state).value_or(0));
    text.remove_prefix(colon + 2);
  }
  openflow::Names names;
  std::optional<openflow::ReadError> error;
  question.packet = openflow::read_packet(text, names, error);
  if (error) return {"error: " + error->message};
  question.bridge = network.host(0).find_bridge(bridges.front().row.name);
  const OfprotoTrace answer = trace_ofproto(network, question);
  std::vector<std::string> said;
  for (const OfprotoPass& pass : answer.passes) {
    for (const OfprotoLine& line : pass.lines) {
      if (line.kind != OfprotoLine::Kind::Table || said.size() > 20) continue;
      said.push_back(line.miss ? fmt::format("{} miss", line.table.value) : fmt::format("{} priority {}", line.table.value, line.priority));
    }
    if (!pass.error.empty()) said.push_back("failed: " + pass.error);
    for (const OfprotoOutput& output : pass.outputs) {
      const std::uint64_t tci = get64(output.packet, openflow::FieldId::VlanTci);
      said.push_back("out " + output.port + ((tci & openflow::kVlanPresent) != 0 ? fmt::format(" vlan {}", tci & 0xfff) : std::string()));
    }
  }
  if (!answer.unknown.empty()) said.push_back("unknown: " + answer.unknown.front().text);
  else if (answer.dropped()) said.emplace_back("dropped");
  return said;
}

TEST(Pipeline, Data) {
  for (const auto& entry : std::filesystem::directory_iterator("tests/data/ofproto")) {
    const std::string path = entry.path().string();
    std::vector<BridgeText> bridges;
    for (const DataCase& test : read_cases(path)) {
      std::string_view rest = test.input;
      const std::string_view word = take_until(rest, ' ');
      if (word == "bridge") {
        bridges.push_back({});
        bridges.back().row.name = rest;
      } else if (word == "clear") {
        bridges.clear();
      } else if (word == "trace") {
        EXPECT_EQ(trace(bridges, rest), test.expectations) << path << ":" << test.line;
      } else if (word == "port") {
        bridges.back().row.ports.push_back(read_port_line(rest));
      } else if (word == "mirror") {
        bridges.back().row.mirrors.push_back(read_mirror_line(rest));
      } else if (word == "fdb") {
        bridges.back().fdb += std::string(rest) + " 1\n";
      } else if (word == "group") {
        bridges.back().groups += std::string(rest) + "\n";
      } else {
        ASSERT_EQ(word, "flow") << path << ":" << test.line;
        bridges.back().flows += std::string(rest) + "\n";
      }
    }
  }
}

}  // namespace
}  // namespace dvrtrace
