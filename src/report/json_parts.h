// Pieces that several JSON documents have in common. Private to this folder: no header that others include
// brings in the JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/report/words.h"
#include "src/snapshot/host.h"
#include "src/trace/finding.h"
#include "src/trace/headers.h"

namespace dvrtrace {

using Json = nlohmann::ordered_json;

inline Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// {"file", "line", "column"}; null when not known.
inline Json source_json(const Provenance& at, const Sources& sources) {
  if (!at.known()) return nullptr;
  const Location where = sources.locate(at);
  return {{"file", std::string(where.file)}, {"line", where.line}, {"column", where.column}};
}

// Seconds since 1970, and what lies between.
inline Json taken_json(const Taken& taken) {
  return {{"first", taken.first}, {"last", taken.last}, {"spread_seconds", taken.spread()}};
}

inline Json diagnostics_json(const std::vector<Diagnostic>& diagnostics, const Sources& sources) {
  Json all = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    all.push_back({{"severity", std::string(name(diagnostic.severity))},
                   {"message", diagnostic.message},
                   {"hint", or_null(diagnostic.hint)},
                   {"source", source_json(diagnostic.at, sources)}});
  }
  return all;
}

// The fields of a packet. For an encapsulated one these are the tenant's, and `encap` is the outside.
Json packet_json(const Headers& packet);

Json findings_json(const std::vector<Finding>& findings, const Sources& sources);

// One document on a line of its own without a line break in it.
inline std::string one_line(const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n"; }
// One document and a newline. Bytes that are not UTF-8 become U+FFFD.
inline std::string document(const Json& json) {
  return json.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace dvrtrace
