#include "src/report/diff_json.h"

#include "src/report/json_parts.h"

namespace dvrtrace {
namespace {

// People count from one, and the text does.
std::size_t id_of(std::size_t index) { return index + 1; }

Json ids(const std::vector<std::size_t>& indices) {
  Json all = Json::array();
  for (const std::size_t index : indices) all.push_back(id_of(index));
  return all;
}

Json inputs_json(const std::vector<JsonInput>& inputs) {
  Json all = Json::array();
  for (const JsonInput& input : inputs)
    all.push_back(
        {{"host", input.host}, {"path", input.path}, {"collected_at", or_null(input.collected_at)}});
  return all;
}

Json answer_json(const PathAnswer& answer) {
  if (!answer.failure.empty()) return {{"failure", answer.failure}};
  return {{"verdict", std::string(name(answer.verdict))},
          {"reason", std::string(name(answer.reason))},
          {"stopped_at", or_null(answer.stopped)},
          {"way", answer.way}};
}

Json path_json(const ChangedPath& path, std::size_t index) {
  return {{"id", id_of(index)},
          {"from", path.from},
          {"to", path.to},
          {"packet", path.packet},
          {"changed", std::string(name(path.effect))},
          {"before", answer_json(path.before)},
          {"after", answer_json(path.after)},
          {"causes", ids(path.causes)},
          {"by_learnt_state", path.by_learnt_state}};
}

Json change_json(const Change& change, std::size_t index, const Sources& sources) {
  Json object{{"kind", change.object_kind}, {"text", change.object}};
  if (change.table) object["table"] = change.table->value;
  if (!change.name.empty()) object["name"] = change.name;
  return {{"id", id_of(index)},
          {"change", std::string(name(change.kind))},
          {"host", change.host},
          {"place", {{"kind", change.place_kind}, {"name", change.place}}},
          {"object", std::move(object)},
          {"before", or_null(change.before)},
          {"after", or_null(change.after)},
          {"before_source", source_json(change.before_at, sources)},
          {"after_source", source_json(change.after_at, sources)},
          {"follows", change.follows ? Json(id_of(*change.follows)) : Json(nullptr)},
          {"paths", ids(change.paths)},
          {"undone", {{"asked", change.tried}, {"as_before", change.restored}}}};
}

}  // namespace

std::string print_json(const SnapshotDiff& diff, const DiffContext& context) {
  Json json{{"schema", "dvrtrace.diff/1"},
            {"tool", context.tool},
            {"before", {{"inputs", inputs_json(context.before)}}},
            {"after", {{"inputs", inputs_json(context.after)}}},
            {"changed", diff.any()},
            {"asked", diff.asked},
            {"left_out", diff.left_out},
            {"paths", Json::array()},
            {"changes", Json::array()},
            {"not_compared", Json::array()}};
  for (std::size_t i = 0; i < diff.paths.size(); ++i) json["paths"].push_back(path_json(diff.paths[i], i));
  for (std::size_t i = 0; i < diff.changes.size(); ++i)
    json["changes"].push_back(change_json(diff.changes[i], i, context.sources));
  for (const NotCompared& each : diff.not_compared)
    json["not_compared"].push_back({{"host", or_null(each.host)}, {"what", each.what}, {"why", each.why}});
  json["diagnostics"] = diagnostics_json(context.diagnostics, context.sources);
  return document(json);
}

}  // namespace dvrtrace
