#include "collectors/json_tree.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

namespace dvrtrace {

namespace dom = simdjson::dom;

namespace {

// simdjson takes no whole number beyond 64 bits; Neutron counts the addresses of an IPv6 subnet with them. "" when it is
// something else that does not read.
std::string with_rounded_numbers(std::string_view text) {
  using Json = nlohmann::ordered_json;
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    return depth <= int{JsonTree::kMaxDepth} + 1;
  };
  const Json value = Json::parse(text.begin(), text.end(), shallow, false);
  return value.is_discarded() ? "" : value.dump();
}

}  // namespace

// The nodes of what is in a value follow its own.
bool JsonTree::put(const dom::element& value, std::string_view key, unsigned depth) {
  const std::size_t at = nodes_.size();
  Node& node = nodes_.emplace_back();
  node.key = keep(key);
  bool whole = true;
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      node.text = "null";
      break;
    case dom::element_type::BOOL:
      node.kind = bool{value} ? Kind::True : Kind::False;
      node.text = bool{value} ? "true" : "false";
      break;
    case dom::element_type::INT64:
      node.kind = Kind::Whole;
      node.text = keep(fmt::format_int(std::int64_t{value}).c_str());
      break;
    case dom::element_type::UINT64:
      node.kind = Kind::Whole;
      node.text = keep(fmt::format_int(std::uint64_t{value}).c_str());
      break;
    case dom::element_type::DOUBLE:
      node.kind = Kind::Fraction;
      node.text = keep(simdjson::minify(value));
      break;
    case dom::element_type::STRING:
      node.kind = Kind::Text;
      node.text = keep(std::string_view{value});
      break;
    case dom::element_type::ARRAY:
      node.kind = Kind::Array;
      whole = depth < kMaxDepth;
      if (!whole) break;
      for (const dom::element element : dom::array(value)) whole = put(element, {}, depth + 1) && whole;
      break;
    case dom::element_type::OBJECT:
      node.kind = Kind::Object;
      whole = depth < kMaxDepth;
      if (!whole) break;
      for (const dom::key_value_pair member : dom::object(value))
        whole = put(member.value, member.key, depth + 1) && whole;
      break;
  }
  nodes_[at].end = static_cast<std::uint32_t>(nodes_.size());
  return whole;
}

JsonTree::JsonTree() : parser_(std::make_unique<dom::parser>()) {}
JsonTree::~JsonTree() = default;

std::string_view JsonTree::keep(std::string_view text) {
  if (text.empty()) return {};
  char* const kept = static_cast<char*>(texts_.allocate(text.size(), 1));
  std::memcpy(kept, text.data(), text.size());
  return {kept, text.size()};
}

bool JsonTree::read(std::string_view text) {
  nodes_.clear();
  texts_.release();
  JsonValue value = root();
  return add(text, value);
}

bool JsonTree::add(std::string_view text, JsonValue& added) {
  const std::size_t before = nodes_.size();
  dom::element value;
  auto error = parser_->parse(text.data(), text.size()).get(value);
  std::string rounded;
  // nlohmann takes a NUL for the end of the text.
  if (error != simdjson::SUCCESS && text.find('\0') == std::string_view::npos) {
    rounded = with_rounded_numbers(text);
    error = parser_->parse(rounded).get(value);
  }
  const bool whole = error == simdjson::SUCCESS && put(value, {}, 0);
  if (!whole) nodes_.resize(before);
  added = {this, static_cast<std::uint32_t>(before)};
  return whole;
}

JsonValue JsonTree::add_object(const std::vector<std::pair<std::string_view, std::string_view>>& members) {
  const auto first = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({Kind::Object, static_cast<std::uint32_t>(first + 1 + members.size()), {}, {}});
  for (const auto& [key, text] : members) {
    const auto end = static_cast<std::uint32_t>(nodes_.size() + 1);
    nodes_.push_back({Kind::Text, end, keep(key), keep(text)});
  }
  return {this, first};
}

}  // namespace dvrtrace
