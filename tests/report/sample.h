// A small trace made by hand: vm1 on cmp1 to vm2 on cmp2, through br-int, a router, br-tun and the tunnel,
// with one copy of a flood beside the way.
#pragma once

#include <string>
#include <utility>

#include "src/base/source.h"
#include "src/report/glossary.h"
#include "src/trace/trace.h"

namespace dvrtrace::sample {

inline constexpr Mac kVm1{0xfa163e000001}, kVm2{0xfa163e000002}, kGateway1{0xfa163e0000aa},
    kGateway2{0xfa163e0000bb};
inline const Ip kVm1Ip = ipv4(0x0a00010b), kVm2Ip = ipv4(0x0a00020c);
inline const Ip kVtep1 = ipv4(0xac1f000b), kVtep2 = ipv4(0xac1f000c);

// Texts to cite; `line` n of one is n bytes in.
class Cited {
 public:
  explicit Cited(Sources& sources)
      : flows_(sources.add("hosts/cmp1/dump-flows_br-int", std::string(50, '\n'))),
        routes_(sources.add("hosts/cmp1/ip_route", std::string(50, '\n'))) {}
  Provenance flow(std::uint32_t line) const { return {flows_, {line - 1, line}}; }
  Provenance route(std::uint32_t line) const { return {routes_, {line - 1, line}}; }

 private:
  SourceId flows_, routes_;
};

inline Headers echo(Mac from, Mac to, std::uint8_t ttl) {
  Headers packet;
  packet.eth_src = from;
  packet.eth_dst = to;
  packet.eth_type = 0x0800;
  packet.ip_src = kVm1Ip;
  packet.ip_dst = kVm2Ip;
  packet.protocol = 1;
  packet.ttl = ttl;
  packet.icmp_type = 8;
  packet.icmp_code = 0;
  return packet;
}

inline Device device(std::string name, std::uint32_t port = 0, std::string netns = {}) {
  Device device;
  device.netns = std::move(netns);
  device.name = std::move(name);
  if (port != 0) device.ofport = Ofport{port};
  return device;
}

inline Hop hop(std::optional<std::size_t> parent, Place place, Headers arrived) {
  Hop hop;
  hop.parent = parent;
  hop.place = std::move(place);
  hop.arrived = std::move(arrived);
  hop.on_path = true;
  return hop;
}

inline const std::string kRouter = "qrouter-13c6faff-a669-4a80-a7d3-abf49773ab4c";

// The request; hop 3 is the copy that leads to vm4.
inline Direction request(const Cited& at) {
  Direction d;
  d.name = "request";
  d.verdict = Verdict::Delivered;
  d.reason = Reason::ToVm;

  Hop vm = hop({}, {PlaceKind::Vm, "cmp1", "vm1"}, echo(kVm1, kGateway1, 64));
  vm.out = {device("tap1")};

  Hop br_int = hop(0, {PlaceKind::Bridge, "cmp1", "br-int"}, echo(kVm1, kGateway1, 64));
  br_int.in = device("tap1", 5);
  br_int.out = {device("tap4", 7), device("qr-1", 9)};
  br_int.steps = {FlowHit{TableId{0}, 100, 0xab, "in_port=5", "load:0x5->NXM_NX_REG5[],resubmit(,60)", 12,
                          false, at.flow(3)},
                  Changed{"reg5", "0x0", "0x5"},
                  FlowHit{TableId{59}, 0, 0xab, "", "resubmit(,60)", 12, false, at.flow(4)},
                  FlowHit{TableId{60}, 3, 0xab, "", "NORMAL", 12, false, at.flow(7)},
                  Switched{std::uint16_t{2}, "", {"tap4", "qr-1"}, {}, {}}};

  Hop router = hop(1, {PlaceKind::Namespace, "cmp1", kRouter}, echo(kVm1, kGateway1, 64));
  router.in = device("qr-1", 0, kRouter);
  router.out = {device("qr-2", 0, kRouter)};
  router.steps = {RuleHit{167772417, "from 10.0.1.1/24 lookup 167772417", {}},
                  RouteHit{"main", "10.0.2.0/24 dev qr-2", at.route(9)},
                  NeighbourHit{kVm2Ip, kVm2, "PERMANENT", {}}, Changed{"nw_ttl", "64", "63"},
                  Changed{"eth_src", to_string(kVm1), to_string(kGateway2)}};

  Hop copy = hop(1, {PlaceKind::Vm, "cmp1", "vm4"}, echo(kVm1, kGateway1, 64));
  copy.on_path = false;
  copy.steps = {Stopped{Verdict::Dropped, Reason::NotForThisHost, "", "", {}}};

  Hop br_tun = hop(2, {PlaceKind::Bridge, "cmp1", "br-tun"}, echo(kGateway2, kVm2, 63));
  br_tun.in = device("patch-int", 1);
  br_tun.out = {device("vxlan-ac1f000c", 3)};
  br_tun.steps = {Changed{"vlan_tci", "0x1002", "0x0000"}, Changed{"tun_id", "0", "0xe5be"},
                  Encapsulated{{"vxlan", 58814, kVtep1, kVtep2}, "vxlan-ac1f000c", {}}};

  Hop vm2 = hop(4, {PlaceKind::Vm, "cmp2", "vm2"}, echo(kGateway2, kVm2, 63));
  vm2.in = device("tap2");
  vm2.steps = {Stopped{Verdict::Delivered, Reason::ToVm, "", "", {}}};

  d.hops = {vm, br_int, router, copy, br_tun, vm2};
  Headers inside = echo(kGateway2, kVm2, 63);
  inside.encapsulation = Encapsulation{"vxlan", 58814, kVtep1, kVtep2};
  d.crossings = {{"cmp1", "", "tap1", 0, echo(kVm1, kGateway1, 64), true},
                 {"cmp1", kRouter, "qr-1", 1, echo(kVm1, kGateway1, 64), true},
                 {"cmp1", "", "tap4", 1, echo(kVm1, kGateway1, 64), false},
                 {"cmp1", "", "eth1", 4, inside, true}};
  d.stopped_at = 5;
  return d;
}

inline Trace trace(const Cited& at) {
  Trace trace;
  trace.question.from = {"vm1", "vm", "f7ddce7f-66da-481b-94a0-f1dd434a9ba6", "cmp1", "net1", kVm1Ip, kVm1};
  trace.question.to = {"vm2", "vm", "", "cmp2", "net2", kVm2Ip, kVm2};
  trace.question.protocol = "icmp";
  trace.question.packet.ttl = 64;
  trace.directions = {request(at)};
  trace.verdict = Verdict::Delivered;
  trace.reason = Reason::ToVm;
  trace.assumptions = {{"ASSUME_CT_NEW", "no dump of the connection table"}};
  return trace;
}

// The same, but hop 4 (br-tun) cannot be judged.
inline Trace unknown_trace(const Cited& at) {
  Trace trace = sample::trace(at);
  Direction& d = trace.directions[0];
  d.hops.pop_back();
  d.hops.back().steps = {Stopped{Verdict::Unknown,
                                 Reason::DumpMissing,
                                 "no flows of br-tun",
                                 "ovs-ofctl dump-flows br-tun on cmp1",
                                 {}}};
  d.hops.back().out.clear();
  d.stopped_at = 4;
  d.verdict = trace.verdict = Verdict::Unknown;
  d.reason = trace.reason = Reason::DumpMissing;
  return trace;
}

inline Glossary glossary() {
  Glossary glossary;
  glossary.local_vlans[{"cmp1", std::uint16_t{2}}] = "net2";
  glossary.vnis[58814] = "net2";
  glossary.macs[kVm1] = "vm1";
  glossary.macs[kVm2] = "vm2";
  glossary.macs[kGateway2] = "gateway of net2";
  glossary.devices["tap4"] = "vm4";
  glossary.addresses[kVtep2] = "cmp2";
  glossary.namespaces[kRouter] = "router r1";
  return glossary;
}

}  // namespace dvrtrace::sample
