#include "src/report/reach_json.h"

#include "src/report/json_parts.h"

namespace dvrtrace {
namespace {

Json answers_json(const std::vector<ReachAnswer>& answers) {
  Json json = Json::array();
  for (const ReachAnswer& answer : answers) {
    json.push_back({{"verdict", std::string(name(answer.verdict))},
                    {"reason", std::string(name(answer.reason))},
                    {"pairs", answer.pairs},
                    {"example", {{"from", answer.from}, {"to", answer.to}}}});
  }
  return json;
}

}  // namespace

std::string print_reach_json(const Reach& reach, const std::string& tool) {
  Json json{{"schema", "dvrtrace.reach/1"}, {"tool", tool},          {"pairs", reach.pairs},
            {"traced", reach.traced},       {"ends", Json::array()}, {"tables", Json::array()}};
  for (const ReachEnd& end : reach.ends) {
    json["ends"].push_back({{"kind", std::string(name(end.kind))},
                            {"label", end.label},
                            {"network", or_null(end.network)},
                            {"security_groups", end.security_groups},
                            {"hosts", end.hosts},
                            {"members", end.members}});
  }
  for (const ReachTable& table : reach.tables) {
    Json cells = Json::array();
    for (const ReachCell& cell : table.cells)
      cells.push_back({{"from", cell.from}, {"to", cell.to}, {"answers", answers_json(cell.answers)}});
    json["tables"].push_back({{"packet", or_null(table.packet)}, {"cells", std::move(cells)}});
  }
  json["expectations"] = {{"held", reach.expected - reach.breaches.size()}, {"broken", Json::array()}};
  for (const ReachBreach& breach : reach.breaches) {
    json["expectations"]["broken"].push_back({{"line", breach.line},
                                              {"text", breach.text},
                                              {"must", breach.must ? "arrive" : "not arrive"},
                                              {"pairs", breach.pairs},
                                              {"of", breach.of},
                                              {"answers", answers_json(breach.answers)}});
  }
  return document(json);
}

}  // namespace dvrtrace
