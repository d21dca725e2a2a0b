// Open vSwitch's side of a host: its database and what each bridge was asked.
#include "collectors/bond_show.h"
#include "collectors/bug_report.h"
#include "collectors/conntrack.h"
#include "collectors/dpif_show.h"
#include "collectors/fdb.h"
#include "collectors/host_reader.h"
#include "collectors/ofctl_show.h"
#include "collectors/ovs_flows.h"
#include "collectors/ovsdb.h"
#include "collectors/vsctl_show.h"

namespace dvrtrace {

namespace {

constexpr std::array<OvsTable, 4> kNeeded = {OvsTable::OpenVswitch, OvsTable::Bridge, OvsTable::Port,
                                             OvsTable::Interface};

// Tables that are mostly empty: theirs is not worth a second database unless a row refers to it.
struct Optional {
  OvsTable table, referrer;
  std::string_view column;
};
constexpr std::array<Optional, 3> kOptional = {{{OvsTable::Mirror, OvsTable::Bridge, "mirrors"},
                                                {OvsTable::FlowTable, OvsTable::Bridge, "flow_tables"},
                                                {OvsTable::Datapath, OvsTable::OpenVswitch, "datapaths"}}};

bool optional(OvsTable table) {
  return std::ranges::find(kOptional, table, &Optional::table) != kOptional.end();
}

bool referred_to(OvsTable table, const OvsRows& rows) {
  const Optional& known = *std::ranges::find(kOptional, table, &Optional::table);
  return std::ranges::any_of(rows.of(known.referrer), [&](const OvsRow& row) {
    const OvsCell* cell = row.find(known.column);
    return cell != nullptr && !cell->atoms.empty();
  });
}

// Which tables have been read whole, of those that matter.
class Tables {
 public:
  bool needs(OvsTable table, const OvsRows& rows) const {
    return !have_[index(table)] && (!optional(table) || referred_to(table, rows));
  }
  bool needs_any(const OvsRows& rows) const {
    return std::ranges::any_of(kNeeded, [&](OvsTable table) { return needs(table, rows); }) ||
           std::ranges::any_of(kOptional, [&](const Optional& other) { return needs(other.table, rows); });
  }
  void set(const std::array<bool, kOvsTables>& read) {
    for (std::size_t table = 0; table < kOvsTables; ++table) have_[table] = have_[table] || read[table];
  }
  bool joinable() const {
    return have_[index(OvsTable::Bridge)] && have_[index(OvsTable::Port)] &&
           have_[index(OvsTable::Interface)];
  }

 private:
  static std::size_t index(OvsTable table) { return static_cast<std::size_t>(table); }
  std::array<bool, kOvsTables> have_{};
};

void append(openflow::FlowTable& table, openflow::FlowTable more) {
  if (table.flows.empty() && table.unread.empty()) {
    table = std::move(more);
    return;
  }
  // Stand-ins of names count from 0 in each text.
  openflow::resolve_ports(more, [&](std::string_view name) { return std::optional(table.names.port(name)); });
  std::ranges::move(more.flows, std::back_inserter(table.flows));
  std::ranges::move(more.unread, std::back_inserter(table.unread));
  table.truncated = table.truncated || more.truncated;
}

std::optional<Ofport> number_of(const BridgeDumps& bridge, const OvsDatabase& database,
                                std::string_view name) {
  for (const Sourced<PortDesc>& port : bridge.features.value.ports) {
    if (port.value.name == name) return port.value.number;
  }
  const auto of_bridge = std::ranges::find(database.bridges, bridge.bridge, &OvsBridge::name);
  if (of_bridge == database.bridges.end()) return std::nullopt;
  for (const OvsPort& port : of_bridge->ports) {
    for (const OvsInterface& interface : port.interfaces) {
      if (interface.name == name && interface.ofport && *interface.ofport >= 0) {
        return Ofport{static_cast<std::uint32_t>(*interface.ofport)};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

// The rows of all tables that matter, each from the first file that has them.
OvsRows HostReader::read_rows(Used& used, bool& joinable) {
  OvsRows rows;
  Tables tables;
  for (const HostFile* file : files_of(FileKind::OvsRows)) {
    const auto only = ovs_table_named(file->name.part);
    if (only ? !tables.needs(*only, rows) : !tables.needs_any(rows)) continue;
    const HostText& text = texts_.open(*file);
    if (!text.usable()) {
      if (host_.ovs.failure.empty()) host_.ovs.failure = text.failure;
      continue;
    }
    ReadLog log{diagnostics_, {}};
    OvsRows more = read_ovs_rows(text.text, file->name.part, log);
    texts_.close(*file, log.lines);
    texts_.use(*file, "database of Open vSwitch");
    if (used.empty()) host_.ovs.source = text.text.id;
    used.insert(file);
    for (std::size_t table = 0; table < kOvsTables; ++table) {
      const bool first = optional(static_cast<OvsTable>(table)) && !rows.has(static_cast<OvsTable>(table));
      if (!first && !tables.needs(static_cast<OvsTable>(table), rows)) more.rows[table].clear();
    }
    const std::array<bool, kOvsTables> read = more.read;
    rows.add(std::move(more));
    // One record, some columns or half a table leave room for what another file has.
    const bool intact = !text.truncated && log.lines.of(LineState::Unrecognised) == 0;
    if (intact && !file->name.partial) tables.set(read);
  }
  joinable = tables.joinable();
  return rows;
}

void HostReader::read_database() {
  Part<OvsDatabase>& part = host_.ovs;
  part.wanted = "ovsdb-client -f json dump";
  bool joinable = false;
  Used used;
  const OvsRows rows = read_rows(used, joinable);
  if (joinable) {
    part.value = join_ovs_rows(rows, diagnostics_);
    part.presence = Presence::Complete;
  } else {
    read_show(rows, used);
  }
  if (part.present()) part.failure.clear();
  if (everything()) compare_databases(used);
}

// Where the tables cannot be joined, `ovs-vsctl show` has the ports of each bridge, and the tables
// what it does not say of them.
void HostReader::read_show(const OvsRows& rows, Used& used) {
  Part<OvsDatabase>& part = host_.ovs;
  for (const HostFile* file : files_of(FileKind::OvsShow)) {
    if (part.present() || !read_into(part, *file,
                                     [](const HostFile&, const SourceText& text, OvsDatabase& database,
                                        ReadLog& log) { database = read_ovs_vsctl_show(text, log); })) {
      continue;
    }
    texts_.use(*file, "database of Open vSwitch");
    used.insert(file);
  }
  if (part.present()) {
    complete_from_ovs_rows(part.value, rows);
  } else if (!used.empty()) {
    Diagnostics unused;  // that tables are missing is said by the part
    part.value = join_ovs_rows(rows, unused);
    part.presence = Presence::Truncated;
  }
}

void HostReader::compare_databases(const Used& used) {
  Part<OvsDatabase>& part = host_.ovs;
  compare_rest(part, files_of(FileKind::OvsShow), used,
               [](const HostFile&, const SourceText& text, OvsDatabase& database, ReadLog& log) {
                 database = read_ovs_vsctl_show(text, log);
               });
  for (const HostFile* file : files_of(FileKind::OvsRows)) {
    if (used.contains(file)) continue;
    Part<OvsRows> other;
    const auto read = [](const HostFile& from, const SourceText& text, OvsRows& rows, ReadLog& log) {
      rows = read_ovs_rows(text, from.name.part, log);
    };
    if (!read_into(other, *file, read) || !part.present()) continue;
    report_contradiction({compared(part.value), name_of(part.source), false},
                         {compared(other.value), name_of(other.source), false}, diagnostics_);
  }
}

// The bridges that the host has, and those that only dumps know.
std::set<std::string> HostReader::bridge_names() {
  Part<std::vector<std::string>> list;
  read_part(list, files_of(FileKind::BridgeNames), "", "names of bridges",
            [](const HostFile&, const SourceText& text, std::vector<std::string>& names, ReadLog& log) {
              names = read_name_list(text, log);
            });
  std::set<std::string> names(list.value.begin(), list.value.end()), file_names;
  for (const OvsBridge& bridge : host_.ovs.value.bridges) names.insert(bridge.name);
  for (const std::string& name : names) file_names.insert(mangled(name));
  for (const std::string& name : subjects_of(FileKind::Flows, FileKind::Fdb)) {
    if (!file_names.contains(name)) names.insert(name);
  }
  return names;
}

void HostReader::read_bridges() {
  for (const std::string& name : bridge_names()) {
    BridgeDumps bridge;
    bridge.bridge = name;
    read_bridge(bridge, mangled(name));
    host_.bridges.push_back(std::move(bridge));
  }
}

// A bridge that does not speak OpenFlow 1.0 is asked in the latest version that it does.
std::string HostReader::ofctl(std::string_view command, const std::string& bridge) const {
  const auto& bridges = host_.ovs.value.bridges;
  const auto found = std::ranges::find(bridges, bridge, &OvsBridge::name);
  std::string version;
  if (found != bridges.end() && !found->protocols.empty() &&
      std::ranges::find(found->protocols, "OpenFlow10") == found->protocols.end()) {
    version = fmt::format("-O {} ", *std::ranges::max_element(found->protocols));
  }
  return fmt::format("ovs-ofctl {}{} {}", version, command, bridge);
}

void HostReader::read_bridge(BridgeDumps& bridge, const std::string& file_name) {
  read_part(bridge.features, files_of(FileKind::BridgePorts, file_name), ofctl("show", bridge.bridge),
            "ports of " + bridge.bridge,
            [](const HostFile&, const SourceText& text, BridgeFeatures& features, ReadLog& log) {
              features = read_ofctl_show(text, log);
            });
  Part<std::string> frags;
  read_preferred(frags, files_of(FileKind::FragmentMode, file_name), ofctl("get-frags", bridge.bridge),
                 "fragments on " + bridge.bridge,
                 [](const HostFile&, const SourceText& text, std::string& mode, ReadLog& log) {
                   mode = read_fragment_mode(text, log);
                 });
  if (!frags.value.empty()) bridge.features.value.frags = frags.value;
  const Used flows = read_flows(bridge, file_name);
  openflow::Names& names = bridge.flows.value.names;
  const auto read_groups = [&](const HostFile&, const SourceText& text,
                               std::vector<Sourced<openflow::Group>>& groups,
                               ReadLog& log) { groups = read_group_dump(text, names, log); };
  const Candidates groups = files_of(FileKind::Groups, file_name);
  const Used used = read_preferred(bridge.groups, groups, ofctl("dump-groups", bridge.bridge),
                                   "groups of " + bridge.bridge, read_groups);
  if (everything()) {
    const openflow::Names used_names = names;  // what others add to them is of no use
    compare_rest(bridge.groups, groups, used, read_groups);
    names = used_names;
  }
  read_part(bridge.fdb, files_of(FileKind::Fdb, file_name), "ovs-appctl fdb/show " + bridge.bridge,
            "MACs of " + bridge.bridge,
            [&](const HostFile&, const SourceText& text, std::vector<Sourced<FdbEntry>>& fdb, ReadLog& log) {
              fdb = read_fdb_show(text, bridge.bridge, log);
            });
  measure_skew(bridge, file_name, flows);
}

// A MAC was seen no earlier than it had been seen before: by as much as its age has grown, by so much
// at least the flows' input is younger than the MAC table that took its own one's place.
void HostReader::measure_skew(const BridgeDumps& bridge, const std::string& file_name, const Used& flows) {
  for (const HostFile& file : files_.replaced) {
    const bool with_the_flows =
        std::ranges::any_of(flows, [&](const HostFile* used) { return used->tree == file.tree; });
    if (file.name.bridge != file_name || !with_the_flows) continue;
    auto bytes = trees_[file.tree].read(trees_[file.tree].files()[file.entry]);
    if (bytes && file.section) bytes = section_alone(*bytes, *file.section);
    if (!bytes) continue;
    Diagnostics unused;  // of a file that nothing else is taken from
    ReadLog log{unused, {}};
    for (const auto& row : read_fdb_show({kNoSource, "", **bytes}, bridge.bridge, log)) {
      for (const auto& given : bridge.fdb.value) {
        const FdbEntry &old = row.value, &now = given.value;
        if (!old.age || !now.age || old.mac != now.mac || old.vlan != now.vlan || old.port != now.port)
          continue;
        const std::int64_t grown = std::int64_t{*old.age} - std::int64_t{*now.age};
        host_.macs_older_by = std::max(host_.macs_older_by.value_or(grown), grown);
      }
    }
  }
}

Used HostReader::read_flows(BridgeDumps& bridge, const std::string& file_name) {
  const Candidates files = files_of(FileKind::Flows, file_name);
  const Used used =
      read_preferred(bridge.flows, files, ofctl("dump-flows", bridge.bridge), "flows of " + bridge.bridge,
                     [](const HostFile&, const SourceText& text, openflow::FlowTable& table, ReadLog& log) {
                       append(table, read_flow_dump(text, log));
                     });
  if (!everything()) return used;
  // Names and numbers can only be compared once the names are numbers.
  const auto resolve = [&](openflow::FlowTable& table) {
    openflow::resolve_ports(table,
                            [&](std::string_view name) { return number_of(bridge, host_.ovs.value, name); });
  };
  Part<openflow::FlowTable> resolved = bridge.flows;
  resolve(resolved.value);
  compare_rest(resolved, files, used,
               [&](const HostFile& file, const SourceText& text, openflow::FlowTable& table, ReadLog& log) {
                 table = read_flow_dump(text, log);
                 resolve(table);
                 // bridge/dump-flows has hidden flows and no timeouts: what was learned cannot be told from it.
                 if (file.name.form == FileForm::Hidden) table.flows.clear();
               });
  return used;
}

void HostReader::read_datapath() {
  read_part(host_.dpif_ports, files_of(FileKind::DpifShow), "ovs-appctl dpif/show", "ports of the datapath",
            [](const HostFile&, const SourceText& text, std::vector<DpifPort>& ports, ReadLog& log) {
              ports = read_dpif_show(text, log);
            });
  read_preferred(host_.bonds, files_of(FileKind::BondShow), "ovs-appctl bond/show", "bonds",
                 [](const HostFile&, const SourceText& text, std::vector<Sourced<OvsBondState>>& bonds,
                    ReadLog& log) { bonds = read_bond_show(text, log); });
  read_part(host_.datapath_connections, files_of(FileKind::DatapathConntrack),
            "ovs-appctl dpctl/dump-conntrack -m", "connections of the datapath",
            [](const HostFile&, const SourceText& text, std::vector<Sourced<kernel::Connection>>& connections,
               ReadLog& log) { connections = read_dpctl_conntrack(text, log); });
}

}  // namespace dvrtrace
