#include "src/report/finding_json.h"

#include "src/report/json_parts.h"

namespace dvrtrace {

Json findings_json(const std::vector<Finding>& findings, const Sources& sources) {
  Json all = Json::array();
  for (const Finding& finding : findings) {
    Json object{{"kind", finding.object_kind}, {"text", finding.object}};
    if (finding.table) object["table"] = finding.table->value;
    if (!finding.name.empty()) object["name"] = finding.name;
    Json json{{"code", finding.code},
              {"severity", std::string(name(finding.severity))},
              {"host", finding.host},
              {"place", {{"kind", finding.place_kind}, {"name", finding.place}}},
              {"object", std::move(object)},
              {"expected", or_null(finding.expected)},
              {"found", or_null(finding.found)},
              {"source", source_json(finding.at, sources)},
              {"affects", finding.affects},
              {"cause", finding.cause},
              {"repair", or_null(finding.repair)}};
    if (!finding.explains.empty()) json["explains"] = finding.explains;
    all.push_back(std::move(json));
  }
  return all;
}

std::string print_json(const CheckReport& report, const JsonContext& context) {
  Json json{{"schema", "dvrtrace.check/1"}, {"tool", context.tool}, {"inputs", Json::array()}};
  for (const JsonInput& input : context.inputs) {
    json["inputs"].push_back(
        {{"host", input.host}, {"path", input.path}, {"collected_at", or_null(input.collected_at)}});
  }
  json["release"] = or_null(report.release);
  json["neutron"] = report.neutron;
  json["findings"] = findings_json(report.findings, context.sources);
  json["caveats"] = Json::array();
  for (const Caveat& caveat : report.caveats) {
    json["caveats"].push_back({{"host", or_null(caveat.host)}, {"code", caveat.code}, {"text", caveat.text}});
  }
  json["diagnostics"] = diagnostics_json(context.diagnostics, context.sources);
  return document(json);
}

}  // namespace dvrtrace
