#include "collectors/neutron_row.h"

#include <algorithm>
#include <iterator>

#include "collectors/json_reader.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

using nlohmann::json;

std::string plain_name(std::string_view name) {
  std::string plain = to_lower(name);
  std::replace_if(
      plain.begin(), plain.end(), [](char c) { return c == ' ' || c == ':' || c == '-'; }, '_');
  return plain;
}

const std::string* as_string(const json& value) { return value.get_ptr<const std::string*>(); }

std::string text_of(const json& value) {
  if (const std::string* text = as_string(value)) return *text == "None" || *text == "NULL" ? "" : *text;
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  return {};
}

// JSON inside a text, as older clients write it. Discarded where the text is none.
json parse_inner(std::string_view text) {
  JsonReader whole(text);
  whole.skip();  // which bounds the depth
  if (whole.failed()) return json(json::value_t::discarded);
  return json::parse(text.begin(), text.end(), nullptr, false);
}

// "ip_address='10.0.0.5', subnet_id='...'": a name that comes again begins the next object.
std::vector<json> quoted_pairs(std::string_view text) {
  std::vector<json> objects;
  for (std::size_t equals = text.find("='"); equals != std::string_view::npos; equals = text.find("='")) {
    const std::string_view front = text.substr(0, equals);
    const std::size_t start = front.find_last_of(", ;\n\t");
    const std::string key(front.substr(start == std::string_view::npos ? 0 : start + 1));
    text.remove_prefix(equals + 2);
    const std::string_view value = take_until(text, '\'');
    if (objects.empty() || objects.back().contains(key)) objects.push_back(json::object());
    objects.back()[key] = std::string(value);
  }
  return objects;
}

std::vector<json> objects_in(const json& value) {
  if (value.is_object()) return {value};
  std::vector<json> objects;
  if (value.is_array()) {
    for (const json& element : value) {
      if (element.is_array()) continue;
      for (json& object : objects_in(element)) objects.push_back(std::move(object));
    }
    return objects;
  }
  const std::string* text = as_string(value);
  if (text == nullptr) return {};
  const std::string_view start = trim(*text);
  if (!start.starts_with('[') && !start.starts_with('{')) return quoted_pairs(start);
  const json inner = parse_inner(start);
  if (inner.is_object()) return {inner};
  if (inner.is_array()) {
    std::copy_if(inner.begin(), inner.end(), std::back_inserter(objects),
                 [](const json& element) { return element.is_object(); });
  }
  return objects;
}

bool is_true(std::string_view text) {
  const std::string word = to_lower(text);
  return word == "true" || word == "up" || word == "1" || word == "external" || word == ":-)" ||
         word == "yes";
}

}  // namespace

NeutronRow::NeutronRow(const json& object) {
  if (!object.is_object()) return;
  for (const auto& member : object.items()) members_.emplace_back(plain_name(member.key()), &member.value());
}

const json* NeutronRow::find(Names names) const {
  for (const std::string_view name : names) {
    for (const auto& [known, value] : members_) {
      if (known == name) return value;
    }
  }
  return nullptr;
}

void NeutronRow::get(std::string& out, Names names) const {
  if (const json* value = find(names)) out = text_of(*value);
}

void NeutronRow::get(bool& out, Names names) const {
  const std::string word = text(names);
  if (!word.empty()) out = is_true(word);
}

void NeutronRow::get(std::optional<bool>& out, Names names) const {
  const std::string word = text(names);
  if (!word.empty()) out = is_true(word);
}

void NeutronRow::get(std::optional<std::uint32_t>& out, Names names) const {
  if (find(names) != nullptr) out = number<std::uint32_t>(text(names));
}

void NeutronRow::get(std::optional<int>& out, Names names) const {
  if (find(names) == nullptr) return;
  const auto value = number<std::uint16_t>(text(names));
  out = value ? std::optional<int>(*value) : std::nullopt;
}

void NeutronRow::get(std::optional<Ip>& out, Names names) const {
  if (find(names) != nullptr) out = ip(names);
}

void NeutronRow::get(std::optional<Prefix>& out, Names names) const {
  if (find(names) != nullptr) out = prefix(names);
}

std::string NeutronRow::text(Names names) const {
  const json* value = find(names);
  return value != nullptr ? text_of(*value) : std::string{};
}

std::optional<Ip> NeutronRow::ip(Names names) const { return parse_ip(text(names)); }

std::optional<Prefix> NeutronRow::prefix(Names names) const { return parse_prefix(text(names)); }

std::optional<Mac> NeutronRow::mac(Names names) const { return neutron_mac(text(names)); }

std::optional<std::vector<json>> NeutronRow::objects(Names names) const {
  const json* value = find(names);
  if (value == nullptr) return std::nullopt;
  return objects_in(*value);
}

std::optional<std::vector<std::string>> NeutronRow::words(Names names) const {
  const json* value = find(names);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> words;
  if (value->is_array()) {
    for (const json& element : *value) words.push_back(text_of(element));
    return words;
  }
  std::string list = text_of(*value);
  std::replace(list.begin(), list.end(), ',', ' ');
  std::replace(list.begin(), list.end(), '\n', ' ');
  for (const std::string_view word : words_of(list)) words.emplace_back(word);
  return words;
}

std::optional<Mac> neutron_mac(std::string_view text) {
  std::string colons(text);
  std::replace(colons.begin(), colons.end(), '-', ':');
  return parse_mac(colons);
}

}  // namespace dvrtrace
