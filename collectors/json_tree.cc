#include "collectors/json_tree.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace dvrtrace {

using nlohmann::json;

// Takes what nlohmann_json meets. The nodes of what is in a value follow its own.
class JsonTree::Builder {
 public:
  explicit Builder(JsonTree& tree) : tree_(tree) {}

  bool null() { return scalar(Kind::Null, "null"); }
  bool boolean(bool value) { return value ? scalar(Kind::True, "true") : scalar(Kind::False, "false"); }
  bool number_integer(json::number_integer_t value) { return scalar(Kind::Whole, std::to_string(value)); }
  bool number_unsigned(json::number_unsigned_t value) { return scalar(Kind::Whole, std::to_string(value)); }
  bool number_float(json::number_float_t value, const std::string&) {
    return scalar(Kind::Fraction, json(value).dump());
  }
  bool string(std::string& value) { return scalar(Kind::Text, value); }
  bool binary(json::binary_t&) { return false; }
  bool key(std::string& name) {
    key_ = tree_.keep(name);
    return true;
  }
  bool start_object(std::size_t) { return open(Kind::Object); }
  bool start_array(std::size_t) { return open(Kind::Array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

 private:
  Node& add(Kind kind) {
    Node& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.key = std::exchange(key_, {});
    node.end = static_cast<std::uint32_t>(tree_.nodes_.size());
    return node;
  }
  bool scalar(Kind kind, std::string_view text) {
    add(kind).text = tree_.keep(text);
    return true;
  }
  bool open(Kind kind) {
    if (open_.size() == kMaxDepth) return false;
    open_.push_back(tree_.nodes_.size());
    add(kind);
    return true;
  }
  bool close() {
    tree_.nodes_[open_.back()].end = static_cast<std::uint32_t>(tree_.nodes_.size());
    open_.pop_back();
    return true;
  }

  JsonTree& tree_;
  std::string_view key_;
  std::vector<std::size_t> open_;  // arrays and objects that have not ended
};

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
  Builder builder(*this);
  const bool whole = json::sax_parse(text.begin(), text.end(), &builder);
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
