#include "src/report/verification_json.h"

#include "src/report/json_parts.h"

namespace dvrtrace {
namespace {

Json point_json(const CapturePoint& point) {
  return {{"host", point.host}, {"netns", point.netns}, {"device", point.device}};
}

Json capture_json(const Capture& capture) {
  return {{"file", capture.file},
          {"point", capture.point.device.empty() ? Json(nullptr) : point_json(capture.point)},
          {"placed_by", or_null(capture.placed_by)},
          {"in_dumps", capture.in_dumps},
          {"packets", capture.packets},
          {"matching", capture.matching},
          {"malformed", capture.malformed},
          {"cut_short", capture.cut_short},
          {"first_ns", or_null(capture.first)},
          {"last_ns", or_null(capture.last)},
          {"fault", or_null(capture.fault)},
          {"incomplete", capture.incomplete}};
}

Json latency_json(const Latency& latency) {
  return {{"from", latency.from},
          {"samples", latency.samples},
          {"median_ns", latency.median},
          {"p99_ns", latency.p99},
          {"across_clocks", latency.across_clocks},
          {"corrected", latency.corrected}};
}

Json crossing_json(const Crossing& crossing, const CrossingVerification& found) {
  Json json{{"host", crossing.host},
            {"netns", crossing.netns},
            {"device", crossing.device},
            {"on_path", crossing.on_path},
            {"hop", crossing.hop},
            {"state", std::string(name(found.state))},
            {"packets", found.packets},
            {"expected", found.expected},
            {"lost", found.lost},
            {"duplicates", found.duplicates},
            {"merged", found.merged},
            {"altered", Json::array()},
            {"latency", found.latency ? latency_json(*found.latency) : Json(nullptr)},
            {"note", or_null(found.note)}};
  for (const Alteration& alteration : found.altered) {
    json["altered"].push_back({{"field", alteration.field},
                               {"expected", alteration.expected},
                               {"found", alteration.found},
                               {"packets", alteration.packets}});
  }
  return json;
}

Json stop_json(const PacketStop& stop, const Direction& direction) {
  Json json{{"after", point_json(stop.after)},
            {"after_crossing", or_null(stop.after_crossing)},
            {"way_end", or_null(stop.way_end)},
            {"before", stop.before ? point_json(*stop.before) : Json(nullptr)},
            {"packets", stop.packets},
            {"predicted", stop.predicted},
            {"proven", stop.proven},
            {"resolution", stop.resolution},
            {"hops", stop.hops},
            {"places", Json::array()}};
  for (const std::size_t hop : stop.hops) {
    const Place& place = direction.hops[hop].place;
    json["places"].push_back(
        {{"kind", std::string(name(place.kind))}, {"host", or_null(place.host)}, {"name", place.name}});
  }
  return json;
}

Json direction_json(const Direction& direction, const DirectionVerification& found, const Sources& sources) {
  Json json{
      {"direction", found.name},
      {"agreement", std::string(name(found.agreement))},
      {"text", found.text},
      {"predicted",
       {{"verdict", std::string(name(direction.verdict))}, {"reason", std::string(name(direction.reason))}}},
      {"packets", found.packets},
      {"passed_over", found.passed_over},
      {"crossings", Json::array()},
      {"stop", found.stop ? stop_json(*found.stop, direction) : Json(nullptr)},
      {"unpredicted", Json::array()},
      {"errors", Json::array()}};
  for (std::size_t i = 0; i < found.crossings.size(); ++i)
    json["crossings"].push_back(crossing_json(direction.crossings[i], found.crossings[i]));
  for (const UnpredictedSighting& sighting : found.unpredicted) {
    Json one{{"point", point_json(sighting.point)},
             {"packets", sighting.packets},
             {"copy", sighting.copy},
             {"after_crossing", or_null(sighting.after)},
             {"packet", packet_json(sighting.packet)},
             {"explained_by", Json::array()}};
    for (const Explanation& line : sighting.explained_by)
      one["explained_by"].push_back(
          {{"kind", line.kind}, {"text", line.text}, {"source", source_json(line.at, sources)}});
    json["unpredicted"].push_back(std::move(one));
  }
  for (const IcmpErrorSighting& error : found.errors) {
    json["errors"].push_back({{"point", point_json(error.point)},
                              {"sender", to_string(error.sender)},
                              {"icmp_type", error.type},
                              {"icmp_code", error.code},
                              {"packets", error.packets}});
  }
  return json;
}

}  // namespace

std::string print_json(const Verification& verification, const Trace& trace, const JsonContext& context) {
  Json json{{"schema", "dvrtrace.verify/1"},
            {"tool", context.tool},
            {"agreement", std::string(name(verification.agreement))},
            {"text", verification.text},
            {"captures", Json::array()},
            {"directions", Json::array()},
            {"clocks", Json::array()},
            {"others", Json::array()},
            {"elsewhere", Json::array()},
            {"undecided", verification.undecided}};
  for (const Capture& capture : verification.captures) json["captures"].push_back(capture_json(capture));
  for (std::size_t i = 0; i < verification.directions.size(); ++i)
    json["directions"].push_back(
        direction_json(trace.directions[i], verification.directions[i], context.sources));
  for (const ClockOffset& clock : verification.clocks) {
    json["clocks"].push_back({{"host", clock.host},
                              {"reference", clock.reference},
                              {"ahead_ns", clock.nanoseconds},
                              {"samples", clock.samples}});
  }
  for (const OtherNetwork& other : verification.others)
    json["others"].push_back({{"point", point_json(other.point)},
                              {"packets", other.packets},
                              {"packet", packet_json(other.packet)}});
  for (const auto& [point, packets] : verification.elsewhere)
    json["elsewhere"].push_back({{"point", point_json(point)}, {"packets", packets}});
  json["trace"] = Json::parse(print_json(trace, context));
  return document(json);
}

}  // namespace dvrtrace
