#include "collectors/ovsdb.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collectors/vsctl_show.h"
#include "tests/collectors/ovs_reading.h"

namespace dvrtrace {
namespace {

// What one form of the dump says of each interface, a line each, in order.
enum class Detail { Show, Log, All };

std::string join(const StringMap& map) {
  std::string all;
  for (const auto& [key, value] : map) all += key + "=" + value + " ";
  return all;
}

std::vector<std::string> described(const OvsDatabase& database, Detail detail) {
  std::vector<std::string> lines{"version " + database.ovs_version};
  for (const OvsBridge& b : database.bridges) {
    lines.push_back(fmt::format("{} {} {} {}", b.name, b.fail_mode, b.datapath_type, b.has_controller));
    if (detail != Detail::Show) {
      lines.back() += fmt::format(" {} {} {} {}", join(b.other_config), fmt::join(b.protocols, ","), b.stp,
                                  b.mcast_snooping);
    }
    for (const OvsPort& p : b.ports) {
      for (const OvsInterface& i : p.interfaces) {
        lines.push_back(fmt::format("{} {} {} {} {} {} {}", b.name, p.name, p.tag.value_or(9999),
                                    fmt::join(p.trunks, ","), i.name, i.type, join(i.options)));
        if (detail == Detail::Show) continue;
        lines.back() += fmt::format(" {} {} {} {} {}", i.ofport.value_or(-7), join(i.external_ids),
                                    p.vlan_mode, join(p.other_config), i.error);
        if (detail == Detail::Log) continue;
        lines.back() += fmt::format(" {} {} {}", i.mac ? to_string(*i.mac) : "none",
                                    i.link_up.value_or(false), i.admin_up.value_or(false));
      }
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

constexpr std::string_view kBridgeJson =
    R"({"data":[[["uuid","b1"],"br-int",["set",[["uuid","p1"],["uuid","p2"]]],"secure",["uuid",)"
    R"("c1"],["uuid","m1"],)"
    R"(["map",[["mac-aging-time","60"]]],["set",["OpenFlow10","OpenFlow13"]],true]],)"
    R"("headings":["_uuid","name","ports","fail_mode","controller","mirrors","other_config",)"
    R"("protocols","stp_enable"]})";
constexpr std::string_view kPortJson =
    R"({"data":[[["uuid","p1"],"tap1",5,["set",[]],["uuid","i1"],["set",[]],false],
               [["uuid","p2"],"bond0",["set",[]],["set",[1,2]],["set",[["uuid","i2"],["uuid",)"
    R"("i3"]]],"trunk",true]],
      "headings":["_uuid","name","tag","trunks","interfaces","vlan_mode","protected"]})";
constexpr std::string_view kInterfaceJson =
    R"({"data":[[["uuid","i1"],"tap1",3,["map",[["iface-id","x"],["a \"b\"","\u00e9"]]],)"
    R"("aa:bb:cc:dd:ee:01","up"],
               [["uuid","i2"],"eth0",-1,["map",[]],["set",[]],["set",[]]],
               [["uuid","i3"],"eth1",["set",[]],["map",[]],["set",[]],"down"]],
      "headings":["_uuid","name","ofport","external_ids","mac_in_use","link_state"]})";
constexpr std::string_view kMirrorJson =
    R"({"data":[[["uuid","m1"],"m0",["uuid","p2"],["set",[]],true,["set",[["uuid","p1"]]],["set",[10,20]]]],)"
    R"("headings":["_uuid","name","output_port","output_vlan","select_all","select_src_port",)"
    R"("select_vlan"]})";

TEST(OvsdbJson, JoinsTablesOfSeveralFiles) {
  Reading reading("");
  const OvsTableText tables[] = {{{SourceId{0}, "", kMirrorJson}, ""},
                                 {{SourceId{1}, "", kInterfaceJson}, "Interface"},
                                 {{SourceId{2}, "", kPortJson}, "port"},
                                 {{SourceId{3}, "", kBridgeJson}, ""}};
  const OvsDatabase database = read_ovs_tables(tables, reading.log);
  EXPECT_TRUE(reading.diagnostics.empty()) << reading.first_message();
  ASSERT_EQ(database.bridges.size(), 1u);
  const OvsBridge& bridge = database.bridges[0];
  EXPECT_EQ(bridge.name, "br-int");
  EXPECT_EQ(bridge.fail_mode, "secure");
  EXPECT_TRUE(bridge.has_controller && bridge.stp);
  EXPECT_EQ(bridge.other_config, (StringMap{{"mac-aging-time", "60"}}));
  EXPECT_EQ(bridge.protocols, (std::vector<std::string>{"OpenFlow10", "OpenFlow13"}));
  ASSERT_EQ(bridge.ports.size(), 2u);
  EXPECT_EQ(bridge.ports[0].tag, 5);
  EXPECT_EQ(bridge.ports[0].interfaces[0].ofport, 3);
  EXPECT_EQ(bridge.ports[0].interfaces[0].mac, parse_mac("aa:bb:cc:dd:ee:01"));
  EXPECT_EQ(bridge.ports[0].interfaces[0].external_ids,
            (StringMap{{"iface-id", "x"}, {"a \"b\"", "\xc3\xa9"}}));
  const OvsPort& bond = bridge.ports[1];
  EXPECT_EQ(bond.trunks, (std::vector<std::uint16_t>{1, 2}));
  EXPECT_FALSE(bond.tag);
  EXPECT_TRUE(bond.is_protected);
  ASSERT_EQ(bond.interfaces.size(), 2u);
  EXPECT_EQ(bond.interfaces[0].ofport, -1);
  EXPECT_FALSE(bond.interfaces[1].ofport);
  EXPECT_EQ(bond.interfaces[1].link_up, false);
  ASSERT_EQ(bridge.mirrors.size(), 1u);
  EXPECT_EQ(bridge.mirrors[0].output_port, "bond0");
  EXPECT_EQ(bridge.mirrors[0].select_src, (std::vector<std::string>{"tap1"}));
  EXPECT_EQ(bridge.mirrors[0].select_vlans, (std::vector<std::uint16_t>{10, 20}));
}

TEST(OvsdbJson, RowsPointAtTheirText) {
  Reading reading(kPortJson);
  const OvsRows rows = read_ovs_rows(reading.text, "", reading.log);
  ASSERT_EQ(rows.of(OvsTable::Port).size(), 2u);
  EXPECT_EQ(kPortJson.substr(rows.of(OvsTable::Port)[0].at.span.begin, 20), R"([["uuid","p1"],"tap1)");
  EXPECT_EQ(reading.of(LineState::Modelled), 2u);
  EXPECT_EQ(reading.of(LineState::Ignored), 1u);
}

TEST(OvsdbJson, BrokenTableCostsOnlyItself) {
  const std::string dump =
      R"({"caption":"Port table","data":[[["uuid","p1"],"tap1"],"headings":["_uuid","name"]})"
      "\n"
      R"({"caption":"Manager table","data":[["x"]],"headings":["target"]})"
      "\n"
      R"({"caption":"Interface table","data":[[["uuid","i1"],"tap1"]],"headings":["_uuid","name"]})"
      "\n"
      R"({"caption":"Bridge table","data":[[["uuid","b)";
  Reading reading(dump);
  const OvsRows rows = read_ovs_rows(reading.text, "", reading.log);
  EXPECT_EQ(rows.of(OvsTable::Interface).size(), 1u);
  EXPECT_TRUE(rows.of(OvsTable::Bridge).empty());
  EXPECT_EQ(reading.of(LineState::Unrecognised), 2u);
  EXPECT_EQ(reading.of(LineState::Ignored), 1u);
  EXPECT_TRUE(reading.counted());
}

TEST(OvsdbJson, DeepNestingIsRejected) {
  const std::string deep = R"({"data":)" + std::string(100000, '[');
  Reading reading(deep);
  read_ovs_rows(reading.text, "Port", reading.log);
  EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
}

TEST(OvsdbJoin, SaysWhatIsMissing) {
  Reading reading(kBridgeJson);
  const OvsDatabase database = read_ovs_database(reading.text, reading.log);
  EXPECT_TRUE(database.bridges.at(0).ports.empty());
  ASSERT_EQ(reading.diagnostics.all().size(), 2u);  // a mirror and a port
  EXPECT_EQ(reading.diagnostics.all()[1].message, "expected row p1 in table Port, found none");
}

TEST(OvsdbText, Cells) {
  struct Case {
    std::string_view text;
    std::optional<std::vector<std::string>> atoms;
  };
  const Case cases[] = {
      {"[]", std::vector<std::string>{}},
      {"{}", std::vector<std::string>{}},
      {"5", {{"5"}}},
      {"br-int", {{"br-int"}}},
      {R"("a, \"b\"")", {{"a, \"b\""}}},
      {"[1, 2]", {{"1", "2"}}},
      {R"({peer=patch-int, "x y"="1=2"})", {{"peer", "patch-int", "x y", "1=2"}}},
      {R"({k=""})", {{"k", ""}}},
      {"system@ovs-system: x", {{"system@ovs-system: x"}}},
      {"", std::vector<std::string>{}},
      {"[1, 2", std::nullopt},
      {"{k}", std::nullopt},
      {"{k=", std::nullopt},
      {R"("half)", std::nullopt},
      {R"("half\)", std::nullopt},
      {"[1 2] x", std::nullopt},
  };
  for (const Case& c : cases) {
    const auto cell = read_text_cell(c.text);
    EXPECT_EQ(cell.has_value(), c.atoms.has_value()) << c.text;
    EXPECT_EQ(cell.value_or(OvsCell{}).atoms, c.atoms.value_or(std::vector<std::string>{})) << c.text;
  }
}

constexpr std::string_view kListDump = R"(AutoAttach table

Bridge table
_uuid               : b1
flow_tables         : {}
mcast_snooping_enable: true
name                : br-int
ports               : [p1]

Interface table
_uuid               : i1
name                : "tap 1"
ofport              : 7
options             : {peer="a:b"}

Port table
_uuid               : p1
interfaces          : i1
name                : tap1
tag                 : [
)";

TEST(OvsdbText, ListDump) {
  Reading reading(kListDump);
  const OvsDatabase database = read_ovs_database(reading.text, reading.log);
  ASSERT_EQ(database.bridges.size(), 1u);
  EXPECT_TRUE(database.bridges[0].mcast_snooping);
  const OvsPort& port = database.bridges[0].ports.at(0);
  EXPECT_EQ(port.interfaces.at(0).name, "tap 1");
  EXPECT_EQ(port.interfaces.at(0).options, (StringMap{{"peer", "a:b"}}));
  EXPECT_EQ(reading.first_message(), "expected a whole value, found '['");
  EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
  EXPECT_EQ(reading.of(LineState::Modelled), 12u);
  EXPECT_TRUE(reading.counted());
}

TEST(OvsdbText, TableIsToldByItsColumns) {
  struct Case {
    std::string_view text;
    std::optional<OvsTable> table;
  };
  const Case cases[] = {
      {"name : x\nofport : 1\n", OvsTable::Interface},
      {"name : x\ntag : 1\n", OvsTable::Port},
      {"name : x\nfail_mode : []\n", OvsTable::Bridge},
      {"name  select_all\n----- ----------\nx     true\n", OvsTable::Mirror},
      {"cur_cfg : 1\novs_version : \"3.1.0\"\n", OvsTable::OpenVswitch},
      {"target : x\nrole : master\n", std::nullopt},
  };
  for (const Case& c : cases) {
    Reading reading(c.text);
    const OvsRows rows = read_ovs_rows(reading.text, "", reading.log);
    for (std::size_t i = 0; i < kOvsTables; ++i) {
      EXPECT_EQ(rows.rows[i].size(), c.table == static_cast<OvsTable>(i) ? 1u : 0u) << c.text;
    }
    EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << c.text;
    EXPECT_TRUE(reading.counted());
  }
}

TEST(OvsdbText, ColumnsStandUnderTheirDashes) {
  Reading reading(
      "Port table\n"
      "_uuid interfaces name    tag other_config\n"
      "----- ---------- ------- --- ------------\n"
      "p1    [i1]       \"a b\"   5   {x=\"1 2\"}\n"
      "p2    [i1, i2    tap\n"
      "\n"
      "rubbish here\n");
  const OvsRows rows = read_ovs_rows(reading.text, "", reading.log);
  ASSERT_EQ(rows.of(OvsTable::Port).size(), 2u);
  EXPECT_EQ(rows.of(OvsTable::Port)[0].scalar("name"), "a b");
  EXPECT_EQ(rows.of(OvsTable::Port)[0].find("other_config")->atoms, (std::vector<std::string>{"x", "1 2"}));
  EXPECT_EQ(rows.of(OvsTable::Port)[1].scalar("name"), "tap");
  EXPECT_EQ(reading.of(LineState::Unrecognised), 2u);
  EXPECT_EQ(reading.of(LineState::Modelled), 1u);
  EXPECT_TRUE(reading.counted());
}

std::string log_record(std::string_view json) {
  return fmt::format("OVSDB JSON {} 0123456789abcdef0123456789abcdef01234567\n{}\n", json.size() + 1, json);
}

std::string small_log() {
  return log_record(R"({"name":"Open_vSwitch","tables":{}})") +
         log_record(R"({"_date":1,"Bridge":{"b1":{"name":"br-int","ports":["uuid","p1"]}},)"
                    R"("Port":{"p1":{"name":"tap1","interfaces":["uuid","i1"],"tag":1,)"
                    R"("other_config":["map",[["a","1"],["b","2"]]]}},)"
                    R"("Interface":{"i1":{"name":"tap1"}}})") +
         log_record(
             R"({"Bridge":{"b1":{"ports":["uuid","p2"]}},"Port":{"p2":{"name":"tap2",)"
             R"("interfaces":["uuid","i2"]},)"
             R"("p1":{"tag":7,"other_config":["map",[["a","1"],["b","3"],["c","4"]]]}},)"
             R"("Interface":{"i2":{"name":"tap2"},"i1":{"ofport":4}},"_is_diff":true,"_comment":"x"})");
}

TEST(OvsdbLog, ReplaysDifferences) {
  const std::string log = small_log() + log_record(R"({"_date":3,"Manager":{"m":{"target":"x"}}})");
  Reading reading(log);
  const OvsDatabase database = read_ovs_database(reading.text, reading.log);
  EXPECT_EQ(reading.first_message(), "");
  const auto& ports = database.bridges.at(0).ports;
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_EQ(ports[0].tag, 7);
  EXPECT_EQ(ports[0].other_config, (StringMap{{"b", "3"}, {"c", "4"}}));
  EXPECT_EQ(ports[0].interfaces.at(0).ofport, 4);
  EXPECT_EQ(reading.of(LineState::Modelled), 2u);
  EXPECT_TRUE(reading.counted());
}

TEST(OvsdbLog, ReplaysDeletions) {
  const std::string log =
      small_log() +
      log_record(R"({"_is_diff":true,"Bridge":{"b1":{"ports":["uuid","p1"]}},"Port":{"p1":null},)"
                 R"("Interface":{"i1":null}})") +
      log_record(R"({"Port":{"p2":{"tag":["set",[]],"trunks":["set",[1,2]]}}})") +
      log_record(R"({"Port":{"p2":{"trunks":3}}})");
  Reading reading(log);
  const OvsDatabase database = read_ovs_database(reading.text, reading.log);
  EXPECT_EQ(reading.first_message(), "");
  ASSERT_EQ(database.bridges.at(0).ports.size(), 1u);
  EXPECT_EQ(database.bridges[0].ports[0].trunks, (std::vector<std::uint16_t>{3}));
}

TEST(OvsdbLog, EndsAreReported) {
  struct Case {
    std::string_view tail, message;
  };
  const Case cases[] = {
      {"OVSDB JSON 100 0123\n{\"Port\":{\"p1\":{\"tag\":9", "expected a whole record, found '9'"},
      {"OVSDB JSON 100 0123\n", "expected a record after its header, found 'OVSDB JSON 100 0123'"},
      {"OVSDB JSO", "expected a record header 'OVSDB JSON LENGTH SHA1', found 'OVSDB JSO'"},
      {std::string_view("\0\0\0\0", 4),
       "expected a record header 'OVSDB JSON LENGTH SHA1', found '\\x00\\x00\\x00\\x00'"},
      {"OVSDB CLUSTER 100 0123\n{}\n", "expected a standalone database, found a clustered one"},
  };
  for (const Case& c : cases) {
    const std::string log = small_log() + std::string(c.tail);
    Reading reading(log);
    const OvsDatabase database = read_ovs_database(reading.text, reading.log);
    EXPECT_EQ(database.bridges.at(0).ports.at(0).tag, 7) << c.tail;
    EXPECT_EQ(reading.first_message(), c.message);
    EXPECT_TRUE(reading.counted()) << c.tail;
    EXPECT_TRUE(reading.points_inside()) << c.tail;
  }
}

TEST(OvsdbLog, LengthsThatCleaningLeftWrongDoNotMatter) {
  const std::string log =
      "OVSDB JSON 10 0\n{\"tables\":{}}\nOVSDB JSON 999 0\n{\"Bridge\":{\"b1\":{\"name\":\"br-int\"}}}\n";
  Reading reading(log);
  EXPECT_EQ(read_ovs_database(reading.text, reading.log).bridges.at(0).name, "br-int");
  EXPECT_TRUE(reading.diagnostics.empty());
}

constexpr std::string_view kShow = R"show(141ad2ab-3aa3-4e90-a852-0abe66481d3e
    Manager "ptcp:6640:127.0.0.1"
        is_connected: true
    Bridge br-tun
        Controller "tcp:127.0.0.1:6633"
            is_connected: true
        fail_mode: secure
        Port "vxlan-ac1f000c"
            Interface "vxlan-ac1f000c"
                type: vxlan
                options: {df_default="true", in_key=flow, remote_ip="172.31.0.12"}
    Bridge "br 2"
        datapath_type: netdev
        Port "bond0"
            trunks: [1, 2]
            Interface "eth0"
                error: "could not open network device eth0 (No such device)"
            Interface "eth1"
        Port tap1
            tag: 4095
            Interface tap1
    ovs_version: "2.9.0"
)show";

TEST(VsctlShow, Tree) {
  Reading reading(kShow);
  const OvsDatabase database = read_ovs_vsctl_show(reading.text, reading.log);
  EXPECT_EQ(reading.first_message(), "");
  EXPECT_EQ(database.ovs_version, "2.9.0");
  ASSERT_EQ(database.bridges.size(), 2u);
  EXPECT_TRUE(database.bridges[0].has_controller);
  EXPECT_EQ(database.bridges[0].ports.at(0).interfaces.at(0).options.at("remote_ip"), "172.31.0.12");
  EXPECT_EQ(database.bridges[1].name, "br 2");
  EXPECT_EQ(database.bridges[1].ports.at(0).trunks, (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(database.bridges[1].ports.at(0).interfaces.at(0).error,
            "could not open network device eth0 (No such device)");
  EXPECT_EQ(database.bridges[1].ports.at(1).tag, 4095);
  EXPECT_EQ(reading.of(LineState::Ignored), 4u);
  EXPECT_TRUE(reading.counted());
}

TEST(VsctlShow, Faults) {
  struct Case {
    std::string_view text, message;
  };
  const Case cases[] = {
      {"Port tap1\n", "expected a bridge before its port, found 'Port tap1'"},
      {"Bridge b\nInterface tap1\n", "expected a port before its interface, found 'Interface tap1'"},
      {"Bridge \"b", "expected a name, found 'Bridge \"b'"},
      {"ovs-vsctl:unix", "expected 'Bridge', 'Port', 'Interface' or 'column: value', found 'ovs-vsctl:unix'"},
      {"Bridge b\nPort p\nInterface i\noptions: {a=", "expected a whole value, found 'options: {a='"},
  };
  for (const Case& c : cases) {
    Reading reading(c.text);
    read_ovs_vsctl_show(reading.text, reading.log);
    EXPECT_EQ(reading.first_message(), c.message);
    EXPECT_EQ(reading.of(LineState::Unrecognised), 1u);
    EXPECT_TRUE(reading.counted());
  }
}

TEST(VsctlShow, IsCompletedFromRows) {
  Reading show(kShow),
      list("_uuid : i9\nname : tap1\nofport : 12\nexternal_ids : {iface-id=x}\ntype : internal\n");
  OvsDatabase database = read_ovs_vsctl_show(show.text, show.log);
  complete_from_ovs_rows(database, read_ovs_rows(list.text, "interface", list.log));
  const OvsInterface& tap = database.bridges[1].ports[1].interfaces[0];
  EXPECT_EQ(tap.ofport, 12);
  EXPECT_EQ(tap.type, "internal");
  EXPECT_EQ(database.bridges[1].ports[1].tag, 4095);
}

TEST(OvsdbReaders, AreTotal) {
  const auto rows = [](Reading& r) { read_ovs_database(r.text, r.log); };
  const std::string log = small_log();
  for (const std::string_view text :
       {std::string_view(kBridgeJson), kPortJson, kInterfaceJson, kListDump, std::string_view(log)}) {
    expect_total(text, rows);
  }
  expect_total(kShow, [](Reading& r) { read_ovs_vsctl_show(r.text, r.log); });
}

// --- shared data ----------------------------------------------------------------------------------------

class OvsdbShared : public testing::Test {
 protected:
  void SetUp() override {
    if (shared_data().empty()) GTEST_SKIP() << "DVRTRACE_SHARED is not set";
  }

  // Reads one file, and checks that all of it was understood.
  template <class Read>
  auto read(const std::filesystem::path& path, Read read) {
    const std::string bytes = bytes_of(path);
    Reading reading(bytes, path.native());
    auto value = read(reading);
    EXPECT_TRUE(reading.counted()) << path;
    EXPECT_EQ(reading.of(LineState::Unrecognised), 0u) << path << ": " << reading.first_message();
    return value;
  }

  OvsDatabase joined(const std::filesystem::path& folder, std::string_view command) {
    OvsRows rows;
    for (const char* table : {"Open_vSwitch", "Bridge", "Port", "Interface"}) {
      rows.add(read(folder / fmt::format("{}{}", command, table),
                    [&](Reading& r) { return read_ovs_rows(r.text, table, r.log); }));
    }
    Diagnostics diagnostics;
    OvsDatabase database = join_ovs_rows(rows, diagnostics);
    EXPECT_TRUE(diagnostics.empty()) << folder << diagnostics.all().front().message;
    return database;
  }
};

TEST_F(OvsdbShared, AllFormsOfAHostAgree) {
  const auto whole = [](Reading& r) { return read_ovs_database(r.text, r.log); };
  for (const auto& host : lab_hosts()) {
    const auto folder = host / "sos_commands/openvswitch";
    if (!std::filesystem::exists(folder / "ovs-vsctl_show")) continue;
    const OvsDatabase json = joined(folder, "ovs-vsctl_-f_json_list_");
    EXPECT_FALSE(json.bridges.empty()) << host;
    const auto all = described(json, Detail::All);
    EXPECT_EQ(all, described(joined(folder, "ovs-vsctl_-t_5_list_"), Detail::All)) << host;
    EXPECT_EQ(all, described(joined(folder, "ovs-vsctl_list_"), Detail::All)) << host;
    for (const char* dump : {"ovsdb-client_-f_json_dump", "ovsdb-client_-f_list_dump", "ovsdb-client_dump"}) {
      EXPECT_EQ(all, described(read(folder / dump, whole), Detail::All)) << host << dump;
    }
    EXPECT_EQ(described(json, Detail::Log),
              described(read(host / "etc/openvswitch/conf.db", whole), Detail::Log))
        << host;
    const auto show = [](Reading& r) { return read_ovs_vsctl_show(r.text, r.log); };
    EXPECT_EQ(described(json, Detail::Show), described(read(folder / "ovs-vsctl_show", show), Detail::Show))
        << host;
  }
}

TEST_F(OvsdbShared, PublicFilesAreUnderstood) {
  const auto root = shared_data() / "public";
  for (const auto& path : files_named(root, "ovs-vsctl")) {
    const std::string name = path.filename().string();
    if (name.ends_with("show")) read(path, [](Reading& r) { return read_ovs_vsctl_show(r.text, r.log); });
    if (name.find("_list_") == std::string::npos) continue;
    read(path, [](Reading& r) { return read_ovs_rows(r.text, "", r.log); });
  }
}

TEST_F(OvsdbShared, RecordedCasesAgreeWithTheirShow) {
  for (const auto& path : files_named(shared_data() / "ovs-cases/cases", "ovsdb.json")) {
    const OvsDatabase json = read(path, [](Reading& r) { return read_ovs_database(r.text, r.log); });
    const OvsDatabase show = read(path.parent_path() / "vsctl-show.txt",
                                  [](Reading& r) { return read_ovs_vsctl_show(r.text, r.log); });
    EXPECT_EQ(described(json, Detail::Show), described(show, Detail::Show)) << path;
  }
}

TEST_F(OvsdbShared, ReadersAreTotalOverLabFiles) {
  const auto folder = shared_data() / "lab/ovsfw/hosts/cmp1";
  for (const char* name : {"ovsdb-client_-f_json_dump", "ovsdb-client_-f_list_dump", "ovsdb-client_dump"}) {
    expect_total(bytes_of(folder / "sos_commands/openvswitch" / name),
                 [](Reading& r) { read_ovs_database(r.text, r.log); });
  }
  expect_total(bytes_of(folder / "etc/openvswitch/conf.db"),
               [](Reading& r) { read_ovs_database(r.text, r.log); });
}

}  // namespace
}  // namespace dvrtrace
