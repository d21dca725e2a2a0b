#include "src/report/trace_json.h"

#include <fmt/format.h>

#include "src/base/overloaded.h"
#include "src/report/json_parts.h"
#include "src/report/trace_view.h"

namespace dvrtrace {
namespace {

constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86dd;

std::string text_of(std::string_view text) { return std::string(text); }
Json ip_json(const std::optional<Ip>& ip) { return ip ? Json(to_string(*ip)) : Json(nullptr); }

Json encap_json(const Encapsulation& tunnel) {
  return {{"type", tunnel.type},
          {"vni", tunnel.vni},
          {"src", to_string(tunnel.source)},
          {"dst", to_string(tunnel.destination)}};
}

}  // namespace

Json packet_json(const Headers& packet) {
  const bool is_ip = packet.eth_type == kTypeIpv4 || packet.eth_type == kTypeIpv6;
  Json json{{"eth_src", to_string(packet.eth_src)},
            {"eth_dst", to_string(packet.eth_dst)},
            {"eth_type", packet.eth_type},
            {"vlan", or_null(packet.vlan)},
            {"tun_id", or_null(packet.tun_id)},
            {"ip_src", ip_json(packet.ip_src)},
            {"ip_dst", ip_json(packet.ip_dst)},
            {"proto", is_ip ? Json(packet.protocol) : Json(nullptr)},
            {"ttl", is_ip ? Json(packet.ttl) : Json(nullptr)}};
  if (packet.src_port) json["src_port"] = *packet.src_port;
  if (packet.dst_port) json["dst_port"] = *packet.dst_port;
  if (packet.icmp_type) json["icmp_type"] = *packet.icmp_type;
  if (packet.icmp_code) json["icmp_code"] = *packet.icmp_code;
  if (packet.arp_op) json["arp_op"] = *packet.arp_op;
  if (packet.tcp_flags) json["tcp_flags"] = *packet.tcp_flags;
  json["encap"] = packet.encapsulation ? encap_json(*packet.encapsulation) : Json(nullptr);
  return json;
}

namespace {

// Of the packet as asked: only what was set.
Json asked_packet_json(const Question& question) {
  const Headers& packet = question.packet;
  Json json{{"proto", question.protocol}};
  if (!packet.eth_src.zero()) json["eth_src"] = to_string(packet.eth_src);
  if (!packet.eth_dst.zero()) json["eth_dst"] = to_string(packet.eth_dst);
  if (packet.ip_src) json["ip_src"] = to_string(*packet.ip_src);
  if (packet.ip_dst) json["ip_dst"] = to_string(*packet.ip_dst);
  if (packet.ttl != 0) json["ttl"] = packet.ttl;
  if (packet.src_port) json["src_port"] = *packet.src_port;
  if (packet.dst_port) json["dst_port"] = *packet.dst_port;
  if (packet.icmp_type) json["icmp_type"] = *packet.icmp_type;
  if (packet.icmp_code) json["icmp_code"] = *packet.icmp_code;
  if (packet.arp_op) json["arp_op"] = *packet.arp_op;
  return json;
}

Json endpoint_json(const EndpointName& end) {
  return {{"name", end.name},
          {"kind", or_null(end.kind)},
          {"port", or_null(end.port)},
          {"host", or_null(end.host)},
          {"network", or_null(end.network)},
          {"ip", ip_json(end.ip)},
          {"mac", end.mac ? Json(to_string(*end.mac)) : Json(nullptr)}};
}

Json place_json(const Place& place) {
  return {{"kind", text_of(name(place.kind))}, {"host", or_null(place.host)}, {"name", place.name}};
}

Json device_json(const Device& device) {
  Json json{{"device", device.name}};
  if (!device.netns.empty()) json["netns"] = device.netns;
  if (device.ofport) json["ofport"] = device.ofport->value;
  return json;
}

// The facts of a step, without the line it was read from.
Json facts_json(const Step& step) {
  return std::visit(
      overloaded{
          [](const FlowHit& s) {
            Json json{{"kind", "flow"},         {"table", s.table.value},
                      {"priority", s.priority}, {"cookie", fmt::format("{:#x}", s.cookie)},
                      {"match", s.match},       {"actions", s.actions}};
            if (s.packets) json["packets"] = *s.packets;
            if (s.learned) json["learned"] = true;
            return json;
          },
          [](const TableMissed& s) {
            return Json{{"kind", "miss"}, {"table", s.table.value}};
          },
          [](const Changed& s) {
            return Json{{"kind", "change"}, {"field", s.field}, {"before", s.before}, {"after", s.after}};
          },
          [](const Tracked& s) {
            return Json{{"kind", "ct"},         {"zone", s.zone},
                        {"state", s.state},     {"committed", s.committed},
                        {"assumed", s.assumed}, {"nat", or_null(s.nat)}};
          },
          [](const Switched& s) {
            Json json{{"kind", "normal"},
                      {"vlan", or_null(s.vlan)},
                      {"port", or_null(s.port)},
                      {"flood", s.port.empty()}};
            if (s.port.empty()) json["ports"] = s.ports;
            if (s.age) json["age"] = *s.age;
            return json;
          },
          [](const SentTo& s) {
            return Json{{"kind", "output"}, {"port", s.port}, {"note", or_null(s.note)}};
          },
          [](const RuleHit& s) {
            return Json{{"kind", "ip-rule"}, {"priority", s.priority}, {"text", s.text}};
          },
          [](const RouteHit& s) {
            return Json{{"kind", "route"}, {"table", s.table}, {"text", s.text}};
          },
          [](const NeighbourHit& s) {
            return Json{{"kind", "neighbour"},
                        {"ip", to_string(s.ip)},
                        {"mac", to_string(s.mac)},
                        {"state", s.state}};
          },
          [](const ChainHit& s) {
            return Json{{"kind", "iptables"},
                        {"table", s.table},
                        {"chain", s.chain},
                        {"rule", s.rule},
                        {"target", s.target}};
          },
          [](const Translated& s) {
            return Json{{"kind", "nat"}, {"what", s.what}, {"before", s.before}, {"after", s.after}};
          },
          [](const Encapsulated& s) {
            return Json{{"kind", "encap"}, {"encap", encap_json(s.tunnel)}, {"port", s.port}};
          },
          [](const Decapsulated& s) {
            return Json{{"kind", "decap"}, {"encap", encap_json(s.tunnel)}, {"port", s.port}};
          },
          [](const Resolved& s) {
            return Json{{"kind", "arp"}, {"ip", to_string(s.ip)}, {"mac", to_string(s.mac)}, {"by", s.by}};
          },
          [](const Noted& s) {
            return Json{{"kind", "note"}, {"text", s.text}};
          },
          [](const Stopped& s) {
            return Json{{"kind", "stop"},
                        {"verdict", text_of(name(s.verdict))},
                        {"reason", text_of(name(s.reason))},
                        {"text", s.text},
                        {"needs", or_null(s.needs)}};
          },
      },
      step);
}

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::Observed:
      return "observed";
    case Origin::Reference:
      return "reference";
    case Origin::Assumed:
      return "assumed";
  }
  return "assumed";
}

Json hop_json(const Direction& direction, std::size_t id, const Sources& sources) {
  const Hop& hop = direction.hops[id];
  const Device* out = way_out(direction, id);
  Json json{{"id", id},
            {"parent", or_null(hop.parent)},
            {"place", place_json(hop.place)},
            {"in", hop.in ? device_json(*hop.in) : Json(nullptr)},
            {"out", out != nullptr ? device_json(*out) : Json(nullptr)}};
  if (hop.out.size() > 1) {
    json["outs"] = Json::array();
    for (const Device& device : hop.out) json["outs"].push_back(device_json(device));
  }
  json["arrived"] = packet_json(hop.arrived);
  json["steps"] = Json::array();
  for (const Step& step : hop.steps) {
    Json facts = facts_json(step);
    if (!std::holds_alternative<Changed>(step) && !std::holds_alternative<Tracked>(step)) {
      facts["source"] = source_json(evidence_of(step), sources);
    }
    json["steps"].push_back(std::move(facts));
  }
  json["origin"] = text_of(origin_name(hop.origin));
  json["on_path"] = hop.on_path;
  return json;
}

Json crossing_json(const Crossing& crossing) {
  return {{"host", crossing.host},       {"netns", crossing.netns}, {"device", crossing.device},
          {"on_path", crossing.on_path}, {"hop", crossing.hop},     {"packet", packet_json(crossing.packet)}};
}

// Where the packet ends when it is not delivered: the shape of a finding's place and object.
Json stopped_json(const Direction& direction, const Sources& sources) {
  if (!direction.stopped_at || *direction.stopped_at >= direction.hops.size()) return nullptr;
  if (arrives(direction.verdict)) return nullptr;
  const Hop& hop = direction.hops[*direction.stopped_at];
  const StopObject object = stop_object(hop);
  Json json{{"host", hop.place.host},
            {"place", {{"kind", text_of(name(hop.place.kind))}, {"name", hop.place.name}}}};
  if (object.kind.empty()) {
    json["object"] = nullptr;
  } else {
    json["object"] = {{"kind", object.kind}, {"text", object.text}};
    if (object.table) json["object"]["table"] = object.table->value;
  }
  json["source"] = source_json(object.at, sources);
  json["hop"] = *direction.stopped_at;
  const Stopped* stopped = stop_of(hop);
  json["text"] = stopped != nullptr ? Json(stopped->text) : Json(nullptr);
  json["needs"] = stopped != nullptr ? or_null(stopped->needs) : Json(nullptr);
  return json;
}

Json direction_json(const Direction& direction, const Sources& sources) {
  Json json{{"direction", direction.name},
            {"verdict", text_of(name(direction.verdict))},
            {"reason", text_of(name(direction.reason))},
            {"hops", Json::array()},
            {"crossings", Json::array()}};
  for (std::size_t i = 0; i < direction.hops.size(); ++i)
    json["hops"].push_back(hop_json(direction, i, sources));
  for (const Crossing& crossing : direction.crossings) json["crossings"].push_back(crossing_json(crossing));
  json["stopped_at"] = stopped_json(direction, sources);
  return json;
}

}  // namespace

std::string print_json(const Trace& trace, const JsonContext& context) {
  Json json{{"schema", "dvrtrace.trace/1"}, {"tool", context.tool}};
  if (context.line) {
    json["line"] = context.line->number;
    json["asked"] = context.line->asked;
  }
  json["inputs"] = Json::array();
  for (const JsonInput& input : context.inputs) {
    json["inputs"].push_back(
        {{"host", input.host}, {"path", input.path}, {"collected_at", or_null(input.collected_at)}});
    if (input.taken) json["inputs"].back()["taken"] = taken_json(*input.taken);
  }
  if (trace.spread) json["spread_seconds"] = *trace.spread;
  json["question"] = {{"from", endpoint_json(trace.question.from)},
                      {"to", endpoint_json(trace.question.to)},
                      {"packet", asked_packet_json(trace.question)}};
  json["verdict"] = text_of(name(trace.verdict));
  json["reason"] = text_of(name(trace.reason));
  json["directions"] = Json::array();
  for (const Direction& direction : trace.directions) {
    json["directions"].push_back(direction_json(direction, context.sources));
  }
  json["assumptions"] = Json::array();
  for (const Assumption& assumption : trace.assumptions) {
    json["assumptions"].push_back({{"code", assumption.code}, {"text", assumption.text}});
  }
  json["findings"] = findings_json(context.findings, context.sources);
  json["diagnostics"] = diagnostics_json(context.diagnostics, context.sources);
  return context.line ? one_line(json) : document(json);
}

}  // namespace dvrtrace
