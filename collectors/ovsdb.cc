#include "collectors/ovsdb.h"

#include <fmt/format.h>

#include <charconv>
#include <set>
#include <unordered_map>

#include "collectors/ovs_lines.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

StringMap map_of(const OvsCell& cell) {
  StringMap map;
  for (std::size_t i = 0; i + 1 < cell.atoms.size(); i += 2)
    map.insert_or_assign(cell.atoms[i], cell.atoms[i + 1]);
  return map;
}

std::vector<std::uint16_t> vlans_of(const OvsCell& cell) {
  std::vector<std::uint16_t> vlans;
  for (const std::string& atom : cell.atoms) {
    if (const auto vlan = number<std::uint16_t>(atom)) vlans.push_back(*vlan);
  }
  return vlans;
}

std::optional<std::int64_t> signed_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<bool> up_or_down(std::string_view text) {
  if (text == "up") return true;
  if (text == "down") return false;
  return std::nullopt;
}

// Each sets a member when the row has its column; a column that was not saved changes nothing.
void set(std::string& member, const OvsRow& row, std::string_view column) {
  if (row.find(column) != nullptr) member = row.scalar(column);
}
void set(bool& member, const OvsRow& row, std::string_view column) {
  if (row.find(column) != nullptr) member = row.scalar(column) == "true";
}
void set(std::optional<std::uint16_t>& member, const OvsRow& row, std::string_view column) {
  if (row.find(column) != nullptr) member = number<std::uint16_t>(row.scalar(column));
}
void set(StringMap& member, const OvsRow& row, std::string_view column) {
  if (const OvsCell* cell = row.find(column)) member = map_of(*cell);
}
void set(std::vector<std::uint16_t>& member, const OvsRow& row, std::string_view column) {
  if (const OvsCell* cell = row.find(column)) member = vlans_of(*cell);
}

void apply(const OvsRow& row, OvsInterface& interface) {
  set(interface.name, row, "name");
  set(interface.type, row, "type");
  set(interface.options, row, "options");
  set(interface.external_ids, row, "external_ids");
  set(interface.error, row, "error");
  set(interface.bfd, row, "bfd");
  if (row.find("ofport") != nullptr) interface.ofport = signed_number(row.scalar("ofport"));
  if (row.find("mac_in_use") != nullptr) interface.mac = parse_mac(row.scalar("mac_in_use"));
  if (row.find("link_state") != nullptr) interface.link_up = up_or_down(row.scalar("link_state"));
  if (row.find("admin_state") != nullptr) interface.admin_up = up_or_down(row.scalar("admin_state"));
  interface.at = row.at;
}

void apply(const OvsRow& row, OvsPort& port) {
  set(port.name, row, "name");
  set(port.tag, row, "tag");
  set(port.trunks, row, "trunks");
  set(port.cvlans, row, "cvlans");
  set(port.status, row, "status");
  set(port.rstp_status, row, "rstp_status");
  set(port.vlan_mode, row, "vlan_mode");
  set(port.bond_mode, row, "bond_mode");
  set(port.is_protected, row, "protected");
  set(port.other_config, row, "other_config");
  set(port.external_ids, row, "external_ids");
  port.at = row.at;
}

void apply(const OvsRow& row, OvsBridge& bridge) {
  set(bridge.name, row, "name");
  set(bridge.fail_mode, row, "fail_mode");
  set(bridge.datapath_type, row, "datapath_type");
  set(bridge.other_config, row, "other_config");
  set(bridge.external_ids, row, "external_ids");
  set(bridge.flood_vlans, row, "flood_vlans");
  set(bridge.stp, row, "stp_enable");
  set(bridge.rstp, row, "rstp_enable");
  set(bridge.mcast_snooping, row, "mcast_snooping_enable");
  if (const OvsCell* protocols = row.find("protocols")) bridge.protocols = protocols->atoms;
  if (const OvsCell* controller = row.find("controller")) bridge.has_controller = !controller->atoms.empty();
  bridge.at = row.at;
}

void apply(const OvsRow& row, OvsDatabase& database) {
  set(database.external_ids, row, "external_ids");
  set(database.other_config, row, "other_config");
  set(database.ovs_version, row, "ovs_version");
}

// The first line that is not one of the command's log.
std::string_view first_line(std::string_view bytes) {
  for (const Span line : lines_of(bytes)) {
    const std::string_view text = trim(bytes.substr(line.begin, line.end - line.begin));
    if (!text.empty() && !is_ovs_log_line(text)) return text;
  }
  return {};
}

class Joiner {
 public:
  Joiner(const OvsRows& rows, Diagnostics& diagnostics) : rows_(rows), diagnostics_(diagnostics) {
    for (std::size_t i = 0; i < kOvsTables; ++i) {
      for (const OvsRow& row : rows.rows[i]) {
        if (!row.uuid.empty()) by_uuid_[i].emplace(row.uuid, &row);
        if (const auto name = row.scalar("name"); !name.empty()) by_name_[i].emplace(name, &row);
      }
    }
  }

  OvsDatabase join() {
    OvsDatabase database;
    for (const OvsRow& row : rows_.of(OvsTable::OpenVswitch)) complete(database, row);
    for (const OvsRow& row : rows_.of(OvsTable::Bridge)) database.bridges.push_back(bridge(row));
    return database;
  }

  void complete(OvsDatabase& database) {
    for (const OvsRow& row : rows_.of(OvsTable::OpenVswitch)) complete(database, row);
    for (OvsBridge& bridge : database.bridges) {
      if (const OvsRow* row = named(OvsTable::Bridge, bridge.name)) complete(bridge, *row);
      for (OvsPort& port : bridge.ports) complete(port);
    }
  }

 private:
  const OvsRow* row_of(OvsTable table, std::string_view uuid) const {
    const auto& rows = by_uuid_[static_cast<std::size_t>(table)];
    const auto found = rows.find(uuid);
    return found == rows.end() ? nullptr : found->second;
  }
  const OvsRow* named(OvsTable table, std::string_view name) const {
    const auto& rows = by_name_[static_cast<std::size_t>(table)];
    const auto found = rows.find(name);
    return found == rows.end() ? nullptr : found->second;
  }

  // Of each table once: which rows are missing is of less use than that some are.
  void report_missing(OvsTable table, const OvsRow& referrer, std::string_view uuid) {
    if (!reported_.insert(table).second) return;
    diagnostics_.warning(referrer.at,
                         fmt::format("expected row {} in table {}, found none", uuid, name_of(table)),
                         rows_.has(table) ? "the tables were saved at different moments"
                                          : "the table was not saved; ports and interfaces are incomplete");
  }

  void complete(OvsDatabase& database, const OvsRow& row) {
    apply(row, database);
    const OvsCell* datapaths = row.find("datapaths");
    for (std::size_t i = 0; datapaths != nullptr && i + 1 < datapaths->atoms.size(); i += 2) {
      const OvsRow* found = row_of(OvsTable::Datapath, datapaths->atoms[i + 1]);
      if (found == nullptr) continue;
      if (const OvsCell* capabilities = found->find("capabilities"))
        database.datapaths.insert_or_assign(datapaths->atoms[i], map_of(*capabilities));
    }
  }

  void complete(OvsBridge& bridge, const OvsRow& row) {
    apply(row, bridge);
    name_tables(bridge, row);
    const OvsCell* mirrors = row.find("mirrors");
    if (mirrors == nullptr) return;
    bridge.mirrors.clear();
    for (const std::string& uuid : mirrors->atoms) {
      if (const OvsRow* found = row_of(OvsTable::Mirror, uuid)) {
        bridge.mirrors.push_back(mirror(*found));
      } else {
        report_missing(OvsTable::Mirror, row, uuid);
      }
    }
  }

  // A bridge's table may have a name, which ovs-ofctl then prints in place of its number.
  void name_tables(OvsBridge& bridge, const OvsRow& row) {
    const OvsCell* tables = row.find("flow_tables");
    for (std::size_t i = 0; tables != nullptr && i + 1 < tables->atoms.size(); i += 2) {
      const auto number_of_table = number<std::uint8_t>(tables->atoms[i]);
      const OvsRow* found = row_of(OvsTable::FlowTable, tables->atoms[i + 1]);
      if (!number_of_table || found == nullptr || found->scalar("name").empty()) continue;
      bridge.table_names.insert_or_assign(std::string(found->scalar("name")), TableId{*number_of_table});
    }
  }

  void complete(OvsPort& port) {
    if (const OvsRow* row = named(OvsTable::Port, port.name)) apply(*row, port);
    for (OvsInterface& interface : port.interfaces) {
      if (const OvsRow* row = named(OvsTable::Interface, interface.name)) apply(*row, interface);
    }
  }

  OvsBridge bridge(const OvsRow& row) {
    OvsBridge bridge;
    complete(bridge, row);
    const OvsCell* ports = row.find("ports");
    for (const std::string& uuid : ports != nullptr ? ports->atoms : std::vector<std::string>{}) {
      if (const OvsRow* found = row_of(OvsTable::Port, uuid)) {
        bridge.ports.push_back(port(*found));
      } else {
        report_missing(OvsTable::Port, row, uuid);
      }
    }
    return bridge;
  }

  OvsPort port(const OvsRow& row) {
    OvsPort port;
    apply(row, port);
    const OvsCell* interfaces = row.find("interfaces");
    for (const std::string& uuid : interfaces != nullptr ? interfaces->atoms : std::vector<std::string>{}) {
      const OvsRow* found = row_of(OvsTable::Interface, uuid);
      // An interface saved without its uuid: only a bond's has another name than its port.
      if (found == nullptr) found = named(OvsTable::Interface, port.name);
      OvsInterface interface;
      if (found != nullptr) {
        apply(*found, interface);
      } else {
        report_missing(OvsTable::Interface, row, uuid);
        interface.name = port.name;
        interface.at = row.at;
      }
      port.interfaces.push_back(std::move(interface));
    }
    return port;
  }

  OvsMirror mirror(const OvsRow& row) {
    OvsMirror mirror;
    set(mirror.name, row, "name");
    set(mirror.select_all, row, "select_all");
    set(mirror.select_vlans, row, "select_vlan");
    set(mirror.output_vlan, row, "output_vlan");
    mirror.select_src = port_names(row, "select_src_port");
    mirror.select_dst = port_names(row, "select_dst_port");
    for (std::string& name : port_names(row, "output_port")) mirror.output_port = std::move(name);
    return mirror;
  }

  std::vector<std::string> port_names(const OvsRow& row, std::string_view column) {
    std::vector<std::string> names;
    const OvsCell* ports = row.find(column);
    for (const std::string& uuid : ports != nullptr ? ports->atoms : std::vector<std::string>{}) {
      if (const OvsRow* found = row_of(OvsTable::Port, uuid)) {
        names.emplace_back(found->scalar("name"));
      } else {
        report_missing(OvsTable::Port, row, uuid);
      }
    }
    return names;
  }

  using Index = std::unordered_map<std::string_view, const OvsRow*>;
  const OvsRows& rows_;
  Diagnostics& diagnostics_;
  std::array<Index, kOvsTables> by_uuid_, by_name_;
  std::set<OvsTable> reported_;
};

}  // namespace

OvsRows read_ovs_rows(const SourceText& text, std::string_view table, ReadLog& log) {
  const std::string_view start = first_line(text.bytes);
  if (start.starts_with("OVSDB ")) return read_ovs_log(text, log);
  const auto hint = ovs_table_named(table);
  return start.starts_with('{') ? read_ovs_json_tables(text, hint, log)
                                : read_ovs_text_tables(text, hint, log);
}

OvsDatabase join_ovs_rows(const OvsRows& rows, Diagnostics& diagnostics) {
  return Joiner(rows, diagnostics).join();
}

void complete_from_ovs_rows(OvsDatabase& database, const OvsRows& rows) {
  Diagnostics
      unused;  // that rows refer to tables which were not saved is why there is a database to complete
  Joiner(rows, unused).complete(database);
}

OvsDatabase read_ovs_database(const SourceText& text, ReadLog& log) {
  return join_ovs_rows(read_ovs_rows(text, "", log), log.diagnostics);
}

OvsDatabase read_ovs_tables(std::span<const OvsTableText> tables, ReadLog& log) {
  OvsRows rows;
  for (const OvsTableText& table : tables) rows.add(read_ovs_rows(table.text, table.table, log));
  return join_ovs_rows(rows, log.diagnostics);
}

}  // namespace dvrtrace
