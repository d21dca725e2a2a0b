#include "collectors/ovsdb_rows.h"

#include <algorithm>
#include <unordered_map>

#include "src/base/text.h"

namespace dvrtrace {

namespace {

using enum OvsShape;

// The name and the kept columns of a table, and the columns that no other table has.
struct TableInfo {
  std::string_view name;
  std::span<const OvsColumn> columns;
  std::span<const std::string_view> marks;
};

constexpr OvsColumn kOpenVswitch[] = {{"external_ids", Map},
                                      {"other_config", Map},
                                      {"ovs_version", Scalar},
                                      {"bridges", Set},
                                      {"datapaths", Map}};
constexpr std::string_view kOpenVswitchMarks[] = {"ovs_version", "bridges", "next_cfg", "system_type"};

constexpr OvsColumn kBridge[] = {{"name", Scalar},        {"ports", Set},
                                 {"mirrors", Set},        {"controller", Set},
                                 {"fail_mode", Scalar},   {"datapath_type", Scalar},
                                 {"other_config", Map},   {"external_ids", Map},
                                 {"flood_vlans", Set},    {"flow_tables", Map},
                                 {"protocols", Set},      {"stp_enable", Scalar},
                                 {"rstp_enable", Scalar}, {"mcast_snooping_enable", Scalar}};
constexpr std::string_view kBridgeMarks[] = {"fail_mode",   "datapath_type", "ports",      "mirrors",
                                             "flood_vlans", "stp_enable",    "rstp_enable"};

constexpr OvsColumn kPort[] = {{"name", Scalar},      {"interfaces", Set},   {"tag", Scalar},
                               {"trunks", Set},       {"cvlans", Set},       {"vlan_mode", Scalar},
                               {"bond_mode", Scalar}, {"protected", Scalar}, {"other_config", Map},
                               {"external_ids", Map}, {"status", Map},       {"rstp_status", Map}};
constexpr std::string_view kPortMarks[] = {"interfaces", "tag", "trunks", "vlan_mode", "bond_mode", "cvlans"};

constexpr OvsColumn kInterface[] = {{"name", Scalar},       {"type", Scalar},
                                    {"options", Map},       {"external_ids", Map},
                                    {"ofport", Scalar},     {"mac_in_use", Scalar},
                                    {"link_state", Scalar}, {"admin_state", Scalar},
                                    {"error", Scalar},      {"bfd", Map}};
constexpr std::string_view kInterfaceMarks[] = {"ofport",      "mac_in_use", "link_state",
                                                "admin_state", "options",    "ofport_request"};

constexpr OvsColumn kMirror[] = {{"name", Scalar},         {"select_all", Scalar}, {"select_src_port", Set},
                                 {"select_dst_port", Set}, {"select_vlan", Set},   {"output_port", Scalar},
                                 {"output_vlan", Scalar}};
constexpr std::string_view kMirrorMarks[] = {"select_all", "select_src_port", "select_dst_port",
                                             "output_port", "output_vlan"};

constexpr OvsColumn kFlowTable[] = {{"name", Scalar}};
constexpr std::string_view kFlowTableMarks[] = {"flow_limit", "overflow_policy", "prefixes"};

constexpr OvsColumn kDatapath[] = {{"capabilities", Map}};
constexpr std::string_view kDatapathMarks[] = {"capabilities", "ct_zones"};

constexpr std::array<TableInfo, kOvsTables> kTables{{
    {"Open_vSwitch", kOpenVswitch, kOpenVswitchMarks},
    {"Bridge", kBridge, kBridgeMarks},
    {"Port", kPort, kPortMarks},
    {"Interface", kInterface, kInterfaceMarks},
    {"Mirror", kMirror, kMirrorMarks},
    {"Flow_Table", kFlowTable, kFlowTableMarks},
    {"Datapath", kDatapath, kDatapathMarks},
}};

const TableInfo& info_of(OvsTable table) { return kTables[static_cast<std::size_t>(table)]; }

std::vector<std::string> read_json_atoms(JsonReader& json);

// ["uuid","..."] or a scalar.
std::string read_json_atom(JsonReader& json) {
  if (!json.enter('[')) return json.text();
  std::string last;
  while (json.next(']')) last = json.text();
  return last;
}

std::vector<std::string> read_json_atoms(JsonReader& json) {
  std::vector<std::string> atoms;
  if (!json.enter('[')) return {json.text()};
  while (json.next(']')) atoms.push_back(read_json_atom(json));
  return atoms;
}

void read_json_pairs(JsonReader& json, std::vector<std::string>& atoms) {
  if (!json.enter('[')) return void(json.skip());
  while (json.next(']')) {
    std::vector<std::string> pair = read_json_atoms(json);
    pair.resize(2);
    atoms.push_back(std::move(pair[0]));
    atoms.push_back(std::move(pair[1]));
  }
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

bool ends_bare_atom(char c) { return c == ',' || c == ']' || c == '}' || c == '='; }

// What follows '[' or '{' up to `close`; none when it breaks off.
std::optional<OvsCell> read_text_list(std::string_view text, char close, bool pairs) {
  OvsCell cell;
  for (;;) {
    skip_blanks(text);
    if (text.empty()) return std::nullopt;
    if (text.front() == close) break;
    auto atom = take_text_atom(text);
    if (!atom) return std::nullopt;
    cell.atoms.push_back(std::move(*atom));
    if (pairs) {
      if (!consume(text, "=")) return std::nullopt;
      auto value = take_text_atom(text);
      if (!value) return std::nullopt;
      cell.atoms.push_back(std::move(*value));
    }
    skip_blanks(text);
    if (!consume(text, ",") && !text.starts_with(close)) return std::nullopt;
  }
  if (!trim(text.substr(1)).empty()) return std::nullopt;
  return cell;
}

}  // namespace

std::optional<OvsTable> ovs_table_named(std::string_view name) {
  const std::string wanted = to_lower(name);
  for (std::size_t i = 0; i < kOvsTables; ++i) {
    if (to_lower(kTables[i].name) == wanted) return static_cast<OvsTable>(i);
  }
  return std::nullopt;
}

std::string_view name_of(OvsTable table) { return info_of(table).name; }

std::optional<OvsTable> ovs_table_of(std::span<const std::string> columns) {
  for (std::size_t i = 0; i < kOvsTables; ++i) {
    for (const std::string_view mark : kTables[i].marks) {
      if (std::find(columns.begin(), columns.end(), mark) != columns.end()) return static_cast<OvsTable>(i);
    }
  }
  return std::nullopt;
}

const OvsColumn* find_ovs_column(OvsTable table, std::string_view name) {
  for (const OvsColumn& column : info_of(table).columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

const OvsCell* OvsRow::find(std::string_view column) const {
  for (const auto& [known, cell] : cells) {
    if (known->name == column) return &cell;
  }
  return nullptr;
}

OvsCell& OvsRow::cell(const OvsColumn* column) {
  for (auto& [known, cell] : cells) {
    if (known == column) return cell;
  }
  return cells.emplace_back(column, OvsCell{}).second;
}

std::string_view OvsRow::scalar(std::string_view column) const {
  const OvsCell* cell = find(column);
  return cell != nullptr && !cell->atoms.empty() ? std::string_view(cell->atoms.front()) : std::string_view{};
}

void OvsRows::add(OvsRows later) {
  for (std::size_t i = 0; i < kOvsTables; ++i) {
    read[i] = read[i] || later.read[i];
    std::unordered_map<std::string, std::size_t> known;
    for (std::size_t r = 0; r < rows[i].size(); ++r) {
      if (!rows[i][r].uuid.empty()) known.emplace(rows[i][r].uuid, r);
    }
    for (OvsRow& row : later.rows[i]) {
      const auto found = known.find(row.uuid);
      if (found == known.end()) {
        rows[i].push_back(std::move(row));
        continue;
      }
      OvsRow& earlier = rows[i][found->second];
      earlier.at = row.at;
      for (auto& [column, cell] : row.cells) earlier.cell(column) = std::move(cell);
    }
  }
}

OvsCell read_json_cell(JsonReader& json) {
  OvsCell cell;
  if (!json.enter('[')) {
    cell.atoms.push_back(json.text());
    return cell;
  }
  const std::string kind = json.next(']') ? json.text() : "";
  if (!json.next(']')) return cell;
  if (kind == "set") {
    cell.atoms = read_json_atoms(json);
  } else if (kind == "map") {
    read_json_pairs(json, cell.atoms);
  } else {
    cell.atoms.push_back(json.text());
  }
  while (json.next(']')) json.skip();
  return cell;
}

std::optional<std::string> take_text_atom(std::string_view& text) {
  if (!text.starts_with('"')) {
    std::size_t end = 0;
    while (end < text.size() && !ends_bare_atom(text[end])) ++end;
    const std::string_view word = trim(text.substr(0, end));
    text.remove_prefix(end);
    if (word.empty()) return std::nullopt;
    return std::string(word);
  }
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size()) return std::nullopt;
  std::string atom = json_unescape(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return atom;
}

std::optional<OvsCell> read_text_cell(std::string_view text) {
  text = trim(text);
  if (consume(text, "[")) return read_text_list(text, ']', false);
  if (consume(text, "{")) return read_text_list(text, '}', true);
  if (!text.starts_with('"')) {
    // A bare scalar runs to the end of its cell, whatever it is made of.
    return text.empty() ? OvsCell{} : OvsCell{{std::string(text)}};
  }
  auto atom = take_text_atom(text);
  if (!atom || !trim(text).empty()) return std::nullopt;
  return OvsCell{{std::move(*atom)}};
}

}  // namespace dvrtrace
