// JSON rows: the objects of a text that is one array of objects, as `ip -j` and `bridge -j` print.
//
// Each object is read on its own and keeps its place, so evidence points at the object, and where
// the text breaks off the objects before that place are still read.
//
//   read_json_rows<kernel::Neighbour>(text, kHint, log, neighbour_of);
//   std::optional<kernel::Neighbour> neighbour_of(const Json& object, std::string_view& expected);
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/words.h"
#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace {

using Json = nlohmann::json;

// Where the objects stand. `whole`: nothing else stands in the text but the array around them.
struct JsonObjects {
  std::vector<Span> spans;
  bool whole = true;
  Span fault;                 // where it is not
  std::string_view expected;  // ... and what was expected there
};
JsonObjects find_json_objects(std::string_view bytes);

// The object at `span`; none and a diagnostic when it is not well formed.
std::optional<Json> read_json_object(const SourceText& text, Span span, std::string_view hint, ReadLog& log);

// Reports what is wrong around the objects, and gives every line of the text its state.
void count_json_lines(const SourceText& text, const JsonObjects& objects, bool all_read,
                      std::string_view hint, ReadLog& log);

// Members of an object. iproute2 writes a flag as null or true, and numbers also as text.
const Json* json_member(const Json& object, const char* key);     // null when absent
std::string_view json_text(const Json& object, const char* key);  // "" when absent or no text
std::optional<std::uint64_t> json_number(const Json& object, const char* key);
bool json_flag(const Json& object, const char* key);
bool json_lists(const Json& object, const char* key, std::string_view word);  // an array of texts has it

// The rows of `text`. `read` makes the row of an object, or says what it expected in it.
template <class Row, class Read>
std::vector<Sourced<Row>> read_json_rows(const SourceText& text, std::string_view hint, ReadLog& log,
                                         Read read) {
  std::vector<Sourced<Row>> rows;
  const JsonObjects objects = find_json_objects(text.bytes);
  bool all_read = true;
  for (const Span span : objects.spans) {
    const std::optional<Json> object = read_json_object(text, span, hint, log);
    if (object && object->empty()) continue;  // iproute2 leaves "{}" for what a filter took away
    std::string_view expected;
    std::optional<Row> row = object ? read(*object, expected) : std::nullopt;
    if (object && !row) report_fault(text, span, expected, hint, log);
    if (row) rows.push_back({std::move(*row), text.provenance(span)});
    all_read = all_read && row.has_value();
  }
  count_json_lines(text, objects, all_read, hint, log);
  return rows;
}

}  // namespace dvrtrace
