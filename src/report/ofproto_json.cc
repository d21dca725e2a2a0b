#include "src/report/ofproto_json.h"

#include <fmt/format.h>

#include "src/net/mac.h"
#include "src/openflow/field.h"
#include "src/openflow/flow_text.h"
#include "src/report/json_parts.h"

namespace dvrtrace {
namespace {

using openflow::FieldId;

Json step_json(const OfprotoLine& line, const Sources& sources) {
  Json step{{"bridge", line.bridge}, {"table", line.table.value}};
  if (line.miss) {
    step["priority"] = nullptr;
    return step;
  }
  step["priority"] = line.priority;
  step["cookie"] = fmt::format("{:#x}", line.cookie);
  step["match"] = line.text;
  step["actions"] = line.actions;
  step["source"] = source_json(line.at, sources);
  return step;
}

Json output_json(const OfprotoOutput& output) {
  const auto field = [&](FieldId id) { return get64(output.packet, id); };
  const std::uint64_t tci = field(FieldId::VlanTci);
  const bool tagged = (tci & openflow::kVlanPresent) != 0;
  return {{"bridge", output.bridge},
          {"port", output.port},
          {"vlan", tagged ? Json(tci & 0xfff) : Json(nullptr)},
          {"tun_id", output.tunnel ? Json(fmt::format("{:#x}", field(FieldId::TunId))) : Json(nullptr)},
          {"eth_src", to_string(Mac{field(FieldId::EthSrc)})},
          {"eth_dst", to_string(Mac{field(FieldId::EthDst)})},
          {"flow", openflow::print_packet(output.packet)}};
}

}  // namespace

std::string print_json(const OfprotoTrace& trace, const Sources& sources, const std::string& tool) {
  Json steps = Json::array(), flows = Json::array(), final_flows = Json::array(), outputs = Json::array();
  for (const OfprotoPass& pass : trace.passes) {
    for (const OfprotoLine& line : pass.lines) {
      if (line.kind == OfprotoLine::Kind::Table) steps.push_back(step_json(line, sources));
    }
    for (const OfprotoOutput& output : pass.outputs) outputs.push_back(output_json(output));
    flows.push_back(openflow::print_packet(pass.before));
    final_flows.push_back(openflow::print_packet(pass.after));
  }
  Json assumptions = Json::array(), unknown = Json::array();
  for (const Assumption& assumption : trace.assumptions)
    assumptions.push_back({{"code", assumption.code}, {"text", assumption.text}});
  for (const Stopped& stop : trace.unknown) {
    unknown.push_back({{"reason", std::string(name(stop.reason))},
                       {"text", stop.text},
                       {"needs", or_null(stop.needs)},
                       {"source", source_json(stop.at, sources)}});
  }
  Json json{{"schema", "dvrtrace.ofproto-trace/1"},
            {"tool", tool},
            {"bridge", trace.bridge},
            {"flow", flows},
            {"steps", steps},
            {"final_flow", final_flows},
            {"outputs", outputs},
            {"to_controller", trace.to_controller},
            {"dropped", trace.dropped()},
            {"drop_reason", trace.drop_reason},
            {"assumptions", assumptions}};
  if (!trace.unknown.empty()) {
    json["unsupported"] = trace.unknown.front().text;
    json["unknown"] = unknown;
  }
  return document(json);
}

}  // namespace dvrtrace
