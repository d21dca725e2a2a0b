#include "collectors/dump_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "collectors/ovsdb_rows.h"
#include "collectors/saved_name.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

using Words = std::vector<std::string_view>;

// Commands by which a file's name may begin. Most tell nothing of where packets go.
// clang-format off
constexpr std::array<std::string_view, 48> kCommands = {
    "ip", "bridge", "brctl", "sysctl", "conntrack", "ipset", "iptables", "ip6tables", "iptables-save",
    "ip6tables-save", "arp", "route", "netstat", "nft", "ovs-ofctl", "ovs-vsctl", "ovs-appctl", "ovs-dpctl",
    "ovsdb-client", "ovsdb-tool", "ovs-pcap", "virsh", "hostname", "date", "cat", "ethtool", "ss", "tc",
    "uname", "uptime", "ps", "ls", "journalctl", "lldptool", "nmcli", "biosdevname", "plotnetcfg",
    "dpdk-devbind.py", "dpdk", "driverctl", "hostid", "hostnamectl", "hwclock", "lspci", "systemctl",
    "networkctl", "resolvectl", "wg"};
// clang-format on

constexpr std::array<std::string_view, 8> kFoldersOfDumps = {
    "openvswitch",       "networking", "conntrack", "firewall_tables",
    "openstack_neutron", "neutron",    "ovn_host",  "ipset"};

template <class List>
bool among(const List& list, std::string_view word) {
  return std::ranges::find(list, word) != std::ranges::end(list);
}

// Most words are told from commands by how long they are and what they begin with.
constexpr auto kCommandBeginnings = [] {
  std::array<std::uint32_t, 32> beginnings{};
  for (const std::string_view command : kCommands) beginnings[command.size()] |= 1U << (command[0] & 31);
  return beginnings;
}();

bool is_command(std::string_view word) {
  if (word.empty() || word.size() >= kCommandBeginnings.size()) return false;
  return (kCommandBeginnings[word.size()] >> (word[0] & 31) & 1) != 0 && among(kCommands, word);
}

// The first word of a command line that stands at `at`; "" when none starts there.
std::string_view command_at(std::string_view name, std::size_t at) {
  if (at != 0 && name[at - 1] != '.' && name[at - 1] != '_') return {};
  const std::string_view rest = name.substr(at);
  const std::string_view word = rest.substr(0, rest.find('_'));
  return is_command(word) ? word : std::string_view{};
}

// sos cuts "docker exec X ovs-ofctl ..." and snaps write "openstack-hypervisor.ovs-ofctl ...".
std::size_t find_command(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!command_at(name, at).empty()) return at;
    at = name.find_first_of("._", at);  // the next word, if any, is behind one of these
    if (at == std::string_view::npos) break;
  }
  return std::string_view::npos;
}

bool is_namespace(std::string_view name) {
  return name.starts_with("qrouter-") || name.starts_with("fip-") || name.starts_with("snat-") ||
         name.starts_with("qdhcp-");
}

std::string joined(const Words& words, std::size_t from, char separator) {
  return fmt::format(
      "{}", fmt::join(words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())), words.end(),
                      std::string(1, separator)));
}

bool contains(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Takes the options in front of a subcommand: those of `valued` have a value in the next word.
template <class List, class Use>
std::size_t skip_options(const Words& words, std::size_t at, const List& valued, Use use) {
  while (at < words.size() && words[at].starts_with('-')) {
    const std::string_view option = words[at++];
    std::string_view value;
    if (among(valued, option) && at < words.size()) value = words[at++];
    use(option, value);
  }
  return at;
}

// How much is preferred that speaks OpenFlow's version `word`; plain is like OpenFlow 1.0.
int rank_of_openflow(std::string_view word) {
  constexpr std::array<std::string_view, 5> kVersions = {"OpenFlow15", "OpenFlow14", "OpenFlow13",
                                                         "OpenFlow12", "OpenFlow11"};
  return static_cast<int>(std::ranges::find(kVersions, word) - kVersions.begin()) * 10;
}
constexpr int kPlainOpenflow = 50;

class CommandReader {
 public:
  CommandReader(Words words, DumpName& name) : words_(std::move(words)), name_(name) {}

  void read() {
    const std::string_view command = words_.front();
    if (command == "ip") return read_ip();
    if (command == "iptables-save" || command == "ip6tables-save") return read_save();
    if (command == "iptables" || command == "ip6tables") return read_iptables();
    if (command == "ovs-ofctl") return read_ofctl();
    if (command == "ovs-vsctl") return read_vsctl();
    if (command == "ovs-appctl") return read_appctl();
    if (command == "ovsdb-client") return read_ovsdb_client();
    if (command == "bridge") return read_bridge();
    if (command == "brctl") return read_brctl();
    if (command == "conntrack") return read_conntrack();
    if (command == "ipset") return read_ipset();
    if (command == "sysctl") return read_sysctl();
    if (command == "route" || command == "netstat") return read_route(command);
    if (command == "arp") return is(FileKind::Neighbours, 8, FileForm::ArpN);
    if (command == "virsh") return read_virsh();
    if (command == "hostname" && words_.size() == 1) return is(FileKind::Hostname);
    if (command == "date" && words_.size() == 1) return is(FileKind::Date);
    if (command == "cat") return read_cat();
    is(FileKind::Ignored);
  }

 private:
  void is(FileKind kind, int rank = 0, FileForm form = FileForm::Text) {
    name_.kind = kind;
    name_.rank = rank;
    name_.form = form;
  }
  std::string_view word(std::size_t at) const { return at < words_.size() ? words_[at] : std::string_view{}; }
  void restrict_to(std::string part) {
    name_.partial = name_.partial || !part.empty();
    name_.part = std::move(part);
  }

  // --- iproute2 ---

  void read_ip() {
    constexpr std::array<std::string_view, 2> kValued = {"-f", "-family"};
    at_ = skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view value) {
      if (option == "-4" || value == "inet") name_.family = Family::V4;
      if (option == "-6" || value == "inet6") name_.family = Family::V6;
      if (option == "-j" || option == "-json") name_.form = FileForm::Json;
      if (option == "-d" || option == "-details") detailed_ = true;
      if (option == "-o" || option == "-oneline") name_.brief = true;
      if (option == "-s" || option == "-statistics") statistics_ = true;
    });
    const std::string_view object = word(at_++);
    if (object == "netns") return read_netns();
    // What people shorten: `ip a`, `ip r`, `ip nei`.
    if (object.empty() || among(std::array<std::string_view, 3>{"show", "list", "lst"}, object)) return;
    if (const std::string_view verb = word(at_);
        verb == "show" || verb == "list" || verb == "ls" || verb == "lst")
      ++at_;
    if (is_short_for(object, "address")) return read_links(FileKind::Links);
    if (is_short_for(object, "link")) return read_links(FileKind::LinkDetails);
    if (object.size() > 1 && is_short_for(object, "rule")) return read_rules();
    if (is_short_for(object, "route")) return read_routes();
    if (is_short_for(object, "neighbour") || object == "neighbor") return read_neighbours();
    is(FileKind::Ignored);  // maddr, mroute, tuntap, macsec
  }

  static bool is_short_for(std::string_view word, std::string_view whole) {
    return !word.empty() && whole.starts_with(word);
  }
  bool json() const { return name_.form == FileForm::Json; }

  void read_netns() {
    const bool names = words_.size() == at_ || (words_.size() == at_ + 1 && word(at_) == "list");
    is(names ? FileKind::NamespaceNames : FileKind::Ignored);
  }

  void read_links(FileKind kind) {
    // `ip -o link` says as much as `ip link`; `ip -o addr` does not.
    name_.brief = name_.brief && kind == FileKind::Links && !json();
    is(kind, (json() ? 4 : 0) + (detailed_ ? 0 : 2) + (name_.brief ? 8 : 0), name_.form);
    name_.detailed = detailed_;
    name_.partial = name_.family.has_value();
    restrict_to(joined(words_, at_, ' '));
  }

  void read_rules() {
    is(FileKind::Rules, json() ? 2 : 0, name_.form);
    if (!name_.family) name_.family = Family::V4;
    restrict_to(joined(words_, at_, ' '));
  }

  void read_routes() {
    is(FileKind::Routes, (json() ? 2 : 0) + (name_.family ? 0 : 1), name_.form);
    if (word(at_) == "get" || word(at_) == "cache") return is(FileKind::Ignored);
    if (word(at_) == "table") {
      const std::string_view table = word(++at_);
      ++at_;
      if (table != "all" && table != "0") {
        name_.table = kernel::parse_route_table(table);
        if (!name_.table) return is(FileKind::Unknown);
      }
    } else {
      name_.table = kernel::kTableMain;
    }
    // A listing of one table is of one family; only `table all` has both.
    if (name_.table && !name_.family) name_.family = Family::V4;
    std::string part = joined(words_, at_, ' ');
    if (name_.table) part = trim(fmt::format("{} {}", kernel::route_table_name(*name_.table), part));
    restrict_to(std::move(part));
  }

  void read_neighbours() {
    std::string rest = joined(words_, at_, ' ');
    const bool all = rest == "nud all";
    is(FileKind::Neighbours, json() ? (all ? 1 : 4) : all ? 0 : statistics_ ? 2 : 3, name_.form);
    if (all) rest.clear();
    name_.partial = name_.family.has_value();
    restrict_to(std::move(rest));
  }

  void read_bridge() {
    constexpr std::array<std::string_view, 0> kValued = {};
    at_ = skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view) {
      if (option == "-j" || option == "-json") name_.form = FileForm::Json;
      if (option == "-d" || option == "-details") detailed_ = true;
    });
    const std::string_view object = word(at_++);
    if (const std::string_view verb = word(at_); verb == "show" || verb == "list") ++at_;
    const int rank = (detailed_ ? 0 : 2) + (json() ? 0 : 1);
    if (object == "link") {
      is(FileKind::LinuxBridgePorts, rank, name_.form);
    } else if (object == "fdb") {
      is(FileKind::LinuxBridgeFdb, rank, name_.form);
    } else {
      return is(FileKind::Ignored);  // vlan, mdb
    }
    restrict_to(joined(words_, at_, ' '));
  }

  void read_brctl() {
    if (word(1) == "show") {
      is(FileKind::LinuxBridgePorts, 8, FileForm::BrctlShow);
      restrict_to(joined(words_, 2, ' '));
    } else if (word(1) == "showmacs") {
      is(FileKind::LinuxBridgeFdb, 8, FileForm::BrctlMacs);
      restrict_to(joined(words_, 2, '_'));
    } else {
      is(FileKind::Ignored);
    }
  }

  // --- netfilter ---

  void read_family() { name_.family = words_.front().starts_with("ip6") ? Family::V6 : Family::V4; }

  void read_save() {
    read_family();
    is(FileKind::Iptables, contains(words_, "-c") ? 0 : 1, FileForm::Save);
    constexpr std::array<std::string_view, 1> kValued = {"-t"};
    skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view value) {
      if (option == "-t") restrict_to(std::string(value));
    });
  }

  void read_iptables() {
    read_family();
    constexpr std::array<std::string_view, 1> kValued = {"-t"};
    std::string table = "filter";
    bool list = false, spec = false;
    at_ = skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view value) {
      if (option == "-t") table = value;
      spec = spec || option == "-S" || option == "--list-rules";
      list = list || option == "--list" ||
             (!option.starts_with("--") && option.find('L') != std::string_view::npos);
    });
    if (!list && !spec) return is(FileKind::Ignored);
    // Of one chain alone nothing follows for a packet that meets the others as well.
    if (at_ < words_.size() && !word(at_).starts_with('-')) return is(FileKind::Ignored);
    is(FileKind::Iptables, spec ? 2 : 3, spec ? FileForm::Spec : FileForm::List);
    restrict_to(std::move(table));
  }

  void read_ipset() {
    if (contains(words_, "-t") || contains(words_, "-n")) return is(FileKind::Ignored);
    if (contains(words_, "save")) return is(FileKind::Ipsets, 0);
    if (!contains(words_, "list") && !contains(words_, "-L")) return is(FileKind::Ignored);
    is(FileKind::Ipsets, 1);
    if (words_.size() > 2) restrict_to(joined(words_, 2, '_'));
  }

  void read_conntrack() {
    if (!contains(words_, "-L") || contains(words_, "expect")) return is(FileKind::Ignored);
    is(FileKind::Conntrack, contains(words_, "extended") ? 0 : 1);
    if (contains(words_, "ipv6")) name_.family = Family::V6;
    name_.partial = name_.family.has_value();
  }

  // --- the rest of Linux ---

  void read_sysctl() {
    is(FileKind::Sysctls);
    if (word(1) != "-a") restrict_to(words_.size() == 1 ? "some" : joined(words_, 1, '_'));
  }

  void read_route(std::string_view command) {
    const bool is_table = command == "route" || contains(words_, "-rn") || contains(words_, "-nr");
    if (!is_table) return is(FileKind::Ignored);
    is(FileKind::Routes, 8, FileForm::RouteN);
    name_.table = kernel::kTableMain;
    name_.family = contains(words_, "-6") || contains(words_, "inet6") ? Family::V6 : Family::V4;
    restrict_to(kernel::route_table_name(kernel::kTableMain));
  }

  void read_virsh() {
    const auto dump = std::ranges::find(words_, "dumpxml");
    if (dump == words_.end()) return is(FileKind::Ignored);
    is(FileKind::Domain, 1);
    name_.part = joined(words_, static_cast<std::size_t>(dump - words_.begin()) + 1, '_');
  }

  void read_cat() {
    const std::string_view file = words_.back();
    is(file == "fip-priorities" || file == "fip-linklocal-networks" ? FileKind::AgentState
                                                                    : FileKind::Ignored);
    name_.part = fmt::format("var/lib/neutron/{}", file);
  }

  // --- Open vSwitch ---

  void read_ofctl() {
    constexpr std::array<std::string_view, 4> kValued = {"-O", "-t", "--timeout", "-F"};
    int version = kPlainOpenflow, names = 1;
    at_ = skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view value) {
      if (option == "-O") version = rank_of_openflow(value);
      if (option == "--no-names") names -= 1;
      if (option == "--names") names += 1;
      if (option == "--no-stats") names += 3;
    });
    const std::string_view command = word(at_++);
    if (command == "dump-flows") {
      is(FileKind::Flows, version + names);
    } else if (command == "dump-groups") {
      is(FileKind::Groups, version + names);
    } else if (command == "show") {
      is(FileKind::BridgePorts, version + names);
    } else if (command == "dump-ports-desc") {
      is(FileKind::BridgePorts, 100 + version + names);
    } else {
      return is(FileKind::Ignored);
    }
    read_bridge_name();
  }

  // What follows the bridge restricts the dump: "br-int table=20", "br-int_names_grep".
  void read_bridge_name() {
    const std::string rest = joined(words_, at_, '_');
    std::size_t end =
        rest.find_first_of("=,") == std::string::npos ? std::string::npos : rest.find_first_of("_,");
    for (const std::string_view mark : {"_table_", "_cookie_", "_names", "_grep"})
      end = std::min(end, rest.find(mark));
    if (rest.empty()) return is(FileKind::Ignored);
    name_.bridge = rest.substr(0, end);
    if (end != std::string::npos) restrict_to(rest.substr(end + 1));
  }

  void read_vsctl() {
    constexpr std::array<std::string_view, 7> kValued = {"-t", "-T",     "-f",       "--format",
                                                         "-d", "--data", "--timeout"};
    at_ = skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view value) {
      if (value == "json" || option == "--format=json") name_.form = FileForm::Json;
    });
    if (word(at_ - 1).starts_with("--columns")) {  // sos makes words of the list's commas
      name_.partial = true;
      while (at_ < words_.size() && word(at_) != "list") ++at_;
    }
    const std::string_view command = word(at_++);
    if (command == "show") return is(FileKind::OvsShow);
    if (command == "list-br") return is(FileKind::BridgeNames);
    if (command != "list") return is(FileKind::Ignored);
    read_table();
  }

  void read_table() {
    // Only Open_vSwitch among the tables has a '_' in its name.
    const bool open_vswitch = to_lower(word(at_)) == "open" && to_lower(word(at_ + 1)) == "vswitch";
    const auto table = ovs_table_named(open_vswitch ? "Open_vSwitch" : word(at_));
    if (!table) return is(FileKind::Ignored);
    at_ += open_vswitch ? 2 : 1;
    is(FileKind::OvsRows, name_.form == FileForm::Json ? 0 : 4, name_.form);
    name_.part = name_of(*table);
    name_.partial = name_.partial || at_ < words_.size();  // one record, some columns
  }

  void read_ovsdb_client() {
    constexpr std::array<std::string_view, 4> kValued = {"-f", "--format", "-t", "--timeout"};
    std::string_view format;
    at_ = skip_options(words_, 1, kValued, [&](std::string_view option, std::string_view value) {
      if (option == "-f" || option == "--format") format = value;
    });
    const std::string rest = joined(words_, at_ + 1, '_');
    if (word(at_) != "dump" || rest.find("ovn") != std::string::npos) return is(FileKind::Ignored);
    is(FileKind::OvsRows, format == "json" ? 2 : format == "list" ? 4 : 6, FileForm::Dump);
  }

  void read_appctl() {
    constexpr std::array<std::string_view, 4> kValued = {"-t", "--target", "-T", "--timeout"};
    at_ = skip_options(words_, 1, kValued, [](std::string_view, std::string_view) {});
    const std::string_view command = word(at_++);
    if (command == "dpif.show") return is(FileKind::DpifShow);
    if (command == "bond.show") return is(FileKind::BondShow);
    if (command == "dpctl.dump-conntrack") {
      is(FileKind::DatapathConntrack, contains(words_, "-m") ? 0 : 1);
      return;
    }
    if (command == "fdb.show") {
      is(FileKind::Fdb);
    } else if (command == "bridge.dump-flows") {
      is(FileKind::Flows, 900, FileForm::Hidden);
    } else {
      return is(FileKind::Ignored);
    }
    while (word(at_).starts_with("--")) ++at_;
    read_bridge_name();
  }

  Words words_;
  DumpName& name_;
  std::size_t at_ = 0;
  bool detailed_ = false, statistics_ = false;
};

// "ip netns exec NS COMMAND": gives NS and leaves the words of COMMAND.
std::string take_namespace(Words& words) {
  if (words.size() < 5 || words[0] != "ip" || words[1] != "netns" || words[2] != "exec") return {};
  std::size_t end = 4;
  while (end < words.size() && !is_command(words[end])) ++end;
  if (end == words.size()) end = 4;
  std::string netns(words[3]);
  for (std::size_t at = 4; at < end; ++at) netns.append("_").append(words[at]);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(end));
  return netns;
}

// "br-int.example" and the ".1" that sos gives to a second file of the same name.
bool take_suffix(std::string_view& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.remove_suffix(suffix.size());
  return true;
}

void classify_command(std::string_view file, DumpName& name) {
  const bool example = take_suffix(file, ".example");
  take_suffix(file, ".damaged");
  const std::size_t at = find_command(file);
  if (at == std::string_view::npos) return;
  const std::string_view before = file.substr(0, at == 0 ? 0 : at - 1);
  Words words = split(file.substr(at), '_');
  name.netns = is_namespace(before) ? std::string(before) : take_namespace(words);
  CommandReader(std::move(words), name).read();
  if (example) {
    name.partial = true;
    name.rank += 1000;
  }
}

bool has_folder(std::string_view path, std::string_view folder) {
  const std::size_t at = path.find(folder);
  return at != std::string_view::npos && (at == 0 || path[at - 1] == '/');
}

// Files that are copied under their own paths, whatever container's or snap's folder is above.
void classify_copy(std::string_view path, DumpName& name) {
  name.kind = FileKind::Ignored;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  if (path == "etc/hostname") {
    name.kind = FileKind::Hostname;
    name.rank = 1;
  } else if (file == "conf.db" && has_folder(path, "openvswitch/")) {
    name.kind = FileKind::OvsRows;
    name.form = FileForm::Dump;
    name.rank = 3;
  } else if (file.ends_with(".xml") && has_folder(path, "libvirt/qemu/") && !has_folder(path, "networks/")) {
    name.kind = FileKind::Domain;
    name.rank = path.find("run/") != std::string_view::npos ? 0 : 2;
    name.part = file.substr(0, file.size() - 4);
  } else if (has_folder(path, "lib/neutron/") &&
             (file == "state" || file == "fip-priorities" || file == "fip-linklocal-networks")) {
    name.kind = FileKind::AgentState;
    name.part = path.substr(path.find("lib/neutron/"));
    name.part.insert(0, "var/");
  } else {
    // What is read later wins: the file of one agent over the one that all share.
    constexpr std::array<std::string_view, 5> kConfigs = {
        "neutron.conf", "ml2_conf.ini", "openvswitch_agent.ini", "dhcp_agent.ini", "l3_agent.ini"};
    const auto found = std::ranges::find(kConfigs, file);
    if (found == kConfigs.end() || !has_folder(path, "etc/")) return;
    name.kind = FileKind::AgentConfig;
    name.rank = static_cast<int>(found - kConfigs.begin());
  }
}

std::string_view first_part(std::string_view path) { return path.substr(0, path.find('/')); }

// A file in sos_commands/, or in a flat folder.
void classify_dump(std::string_view path, DumpName& name) {
  const std::string_view folder =
      path.find('/') == std::string_view::npos ? std::string_view{} : first_part(path);
  if (folder.empty() && classify_saved(path, name)) return;
  classify_command(path.substr(path.rfind('/') + 1), name);
  if (const std::size_t at = path.find("namespaces/"); at != std::string_view::npos && name.netns.empty()) {
    name.netns = first_part(path.substr(at + 11));
  }
  if (name.kind == FileKind::Unknown && !folder.empty() && !among(kFoldersOfDumps, folder))
    name.kind = FileKind::Ignored;
}

}  // namespace

DumpName classify(std::string_view path) {
  DumpName name;
  std::string_view rest = path;
  if (path == "commands.json" || path == "sos_reports/manifest.json") {
    name.kind = FileKind::ReturnCodes;
  } else if (consume(rest, "sos_commands/") || path.find('/') == std::string_view::npos) {
    classify_dump(rest, name);
    const bool about = path == "version.txt" || path == "environment" || path.ends_with(".md");
    if (name.kind == FileKind::Unknown && about) name.kind = FileKind::Ignored;
  } else {
    classify_copy(path, name);
  }
  name.bridge = printable(name.bridge);
  name.netns = printable(name.netns);
  return name;
}

std::string command_of(std::string_view path) {
  std::string_view file = path.substr(path.rfind('/') + 1);
  const bool is_copy = path.find('/') != std::string_view::npos && !path.starts_with("sos_commands/");
  if (is_copy) return fmt::format("cat /{}", path);
  const std::size_t at = find_command(file);
  if (at == std::string_view::npos) return {};
  const std::string_view before = file.substr(0, at == 0 ? 0 : at - 1);
  std::string command(file.substr(at));
  std::ranges::replace(command, '_', ' ');
  if (command.starts_with("ovs-appctl")) std::ranges::replace(command, '.', '/');  // fdb/show
  return is_namespace(before) ? fmt::format("ip netns exec {} {}", before, command) : command;
}

bool may_be_empty(const DumpName& name) {
  switch (name.kind) {
    case FileKind::Routes:
    case FileKind::Neighbours:
    case FileKind::Iptables:
      return name.form != FileForm::Spec && name.form != FileForm::List;
    case FileKind::Ipsets:
    case FileKind::Conntrack:
    case FileKind::DatapathConntrack:
    case FileKind::LinuxBridgePorts:
    case FileKind::LinuxBridgeFdb:
    case FileKind::NamespaceNames:
      return true;
    // `ovs-vsctl list` prints nothing for a table without rows, and every host with Open vSwitch has
    // a row of Open_vSwitch.
    case FileKind::OvsRows:
      return name.form == FileForm::Text && name.part != "Open_vSwitch";
    case FileKind::Flows:  // without statistics there is no header, so that an empty table prints nothing
      return name.rank == kSavedRank;
    default:
      return false;
  }
}

std::string mangled(std::string_view name) {
  std::string file;
  bool in_run = false;
  for (const char c : name) {
    const bool kept = is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '/';
    if (kept)
      file += c == '/' ? '.' : c;
    else if (!in_run)
      file += '_';
    in_run = !kept;
  }
  return file;
}

}  // namespace dvrtrace
