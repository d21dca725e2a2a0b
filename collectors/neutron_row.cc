#include "collectors/neutron_row.h"

#include <algorithm>
#include <iterator>

#include "src/base/text.h"

namespace dvrtrace {

namespace {

using Kind = JsonValue::Kind;

constexpr char plain(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c + ('a' - 'A'));
  return c == ' ' || c == ':' || c == '-' ? '_' : c;
}

// Of a name and of all that are the same but for case and separators.
std::uint32_t tag_of(std::string_view name) {
  if (name.empty()) return 0;
  const auto byte = [&](std::size_t at) {
    return std::uint32_t{static_cast<unsigned char>(plain(name[at]))};
  };
  return static_cast<std::uint32_t>(name.size() & 0xff) << 24 | byte(0) << 16 | byte(name.size() / 2) << 8 |
         byte(name.size() - 1);
}

bool is_named(std::string_view written, std::string_view name) {
  return std::ranges::equal(written, name, {}, plain);
}

std::string_view text_of(JsonValue value) {
  switch (value.kind()) {
    case Kind::Text:
      return value.text() == "None" || value.text() == "NULL" ? std::string_view{} : value.text();
    case Kind::True:
    case Kind::False:
    case Kind::Whole:
      return value.text();
    default:
      return {};
  }
}

// "ip_address='10.0.0.5', subnet_id='...'": a name that comes again begins the next object.
std::vector<JsonValue> quoted_pairs(std::string_view text, JsonTree& tree) {
  std::vector<JsonValue> objects;
  std::vector<std::pair<std::string_view, std::string_view>> members;
  for (std::size_t equals = text.find("='"); equals != std::string_view::npos; equals = text.find("='")) {
    const std::string_view front = text.substr(0, equals);
    const std::size_t start = front.find_last_of(", ;\n\t");
    const std::string_view key = front.substr(start == std::string_view::npos ? 0 : start + 1);
    text.remove_prefix(equals + 2);
    const std::string_view value = take_until(text, '\'');
    if (std::ranges::find(members, key, &std::pair<std::string_view, std::string_view>::first) !=
        members.end()) {
      objects.push_back(tree.add_object(members));
      members.clear();
    }
    members.emplace_back(key, value);
  }
  if (!members.empty()) objects.push_back(tree.add_object(members));
  return objects;
}

// JSON inside a text, as older clients write it.
std::vector<JsonValue> inner_objects(std::string_view text, JsonTree& tree) {
  std::vector<JsonValue> objects;
  JsonValue inner = tree.root();
  if (!tree.add(text, inner)) return objects;
  if (inner.is(Kind::Object)) return {inner};
  if (!inner.is(Kind::Array)) return objects;
  for (const JsonValue element : inner) {
    if (element.is(Kind::Object)) objects.push_back(element);
  }
  return objects;
}

std::vector<JsonValue> objects_in(JsonValue value) {
  if (value.is(Kind::Object)) return {value};
  std::vector<JsonValue> objects;
  if (value.is(Kind::Array)) {
    for (const JsonValue element : value) {
      if (element.is(Kind::Object)) objects.push_back(element);
      if (element.is(Kind::Text)) std::ranges::copy(objects_in(element), std::back_inserter(objects));
    }
    return objects;
  }
  if (!value.is(Kind::Text)) return objects;
  const std::string_view text = trim(value.text());
  const bool json = text.starts_with('[') || text.starts_with('{');
  return json ? inner_objects(text, value.tree()) : quoted_pairs(text, value.tree());
}

bool is_true(std::string_view text) {
  const std::string word = to_lower(text);
  return word == "true" || word == "up" || word == "1" || word == "external" || word == ":-)" ||
         word == "yes";
}

}  // namespace

NeutronRow::NeutronRow(JsonValue object) {
  if (!object.is(Kind::Object)) return;
  members_.reserve(40);
  for (const JsonValue member : object) members_.push_back({tag_of(member.key()), member});
}

std::optional<JsonValue> NeutronRow::find(Names names) const {
  for (const std::string_view name : names) {
    std::optional<JsonValue> found;
    const std::uint32_t tag = tag_of(name);
    for (const Member& member : members_) {
      if (member.tag != tag || !is_named(member.value.key(), name)) continue;
      // Of a member that is there twice the later counts.
      if (!found || member.value.key() <= found->key()) found = member.value;
    }
    if (found) return found;
  }
  return std::nullopt;
}

void NeutronRow::get(std::string& out, Names names) const {
  if (const auto value = find(names)) out = text_of(*value);
}

void NeutronRow::get(bool& out, Names names) const {
  if (const std::string word = text(names); !word.empty()) out = is_true(word);
}

void NeutronRow::get(std::optional<bool>& out, Names names) const {
  if (const std::string word = text(names); !word.empty()) out = is_true(word);
}

void NeutronRow::get(std::optional<std::uint32_t>& out, Names names) const {
  if (const auto value = find(names)) out = number<std::uint32_t>(text_of(*value));
}

void NeutronRow::get(std::optional<int>& out, Names names) const {
  const auto found = find(names);
  if (!found) return;
  const auto value = number<std::uint16_t>(text_of(*found));
  out = value ? std::optional<int>(*value) : std::nullopt;
}

void NeutronRow::get(std::optional<Ip>& out, Names names) const {
  if (const auto value = find(names)) out = parse_ip(text_of(*value));
}

void NeutronRow::get(std::optional<Prefix>& out, Names names) const {
  if (const auto value = find(names)) out = parse_prefix(text_of(*value));
}

std::string NeutronRow::text(Names names) const {
  const auto value = find(names);
  return value ? std::string(text_of(*value)) : std::string{};
}

std::optional<Ip> NeutronRow::ip(Names names) const { return parse_ip(text(names)); }

std::optional<Prefix> NeutronRow::prefix(Names names) const { return parse_prefix(text(names)); }

std::optional<Mac> NeutronRow::mac(Names names) const { return neutron_mac(text(names)); }

std::optional<std::vector<JsonValue>> NeutronRow::objects(Names names) const {
  const auto value = find(names);
  if (!value) return std::nullopt;
  return objects_in(*value);
}

std::optional<std::vector<std::string>> NeutronRow::words(Names names) const {
  const auto value = find(names);
  if (!value) return std::nullopt;
  std::vector<std::string> words;
  if (value->is(Kind::Array)) {
    for (const JsonValue element : *value) words.emplace_back(text_of(element));
    return words;
  }
  std::string list(text_of(*value));
  std::replace(list.begin(), list.end(), ',', ' ');
  std::replace(list.begin(), list.end(), '\n', ' ');
  for (const std::string_view word : words_of(list)) words.emplace_back(word);
  return words;
}

std::optional<Mac> neutron_mac(std::string_view text) {
  if (text.find('-') == std::string_view::npos) return parse_mac(text);
  std::string colons(text);
  std::replace(colons.begin(), colons.end(), '-', ':');
  return parse_mac(colons);
}

}  // namespace dvrtrace
