#include "src/report/inventory_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "src/report/page.h"
#include "src/report/table.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

constexpr std::size_t kShown = 10;  // of what may be very many

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + printable(text);
  return all;
}

void section(std::string& out, std::string_view title, const Table& table, const Style& style) {
  if (table.rows.empty()) return;
  out += "\n" + painted(style, Paint::Strong, title) + "\n" + print_table(table, 2, style);
}

Table hosts_table(const Inventory& inventory) {
  Table table{
      {"host", "role", "L3 agent", "firewall", "OVS", "bridges", "namespaces", "VMs", "collected", "input"},
      {}};
  for (const HostItem& h : inventory.hosts) {
    table.rows.push_back({printable(h.name), joined(h.roles), printable(h.agent_mode),
                          printable(h.firewall_driver), printable(h.ovs_version),
                          std::to_string(h.bridges.size()), std::to_string(h.namespaces.size()),
                          std::to_string(h.vms), printable(h.collected_at), joined(h.inputs)});
  }
  return table;
}

std::string segment_text(const NetworkItem& n) {
  if (!n.segmentation_id) return printable(n.physical_network);
  if (n.type == "vlan")
    return fmt::format("VLAN {} on {}", *n.segmentation_id, printable(n.physical_network));
  return fmt::format("VNI {} ({:#x})", *n.segmentation_id, *n.segmentation_id);
}

Table networks_table(const Inventory& inventory) {
  Table table{{"network", "type", "segment", "subnets", "local VLANs", "id"}, {}};
  for (const NetworkItem& n : inventory.networks) {
    std::string vlans;
    for (const auto& [host, vlan] : n.local_vlans)
      vlans += fmt::format("{}{} {}", vlans.empty() ? "" : ", ", printable(host), vlan);
    table.rows.push_back({printable(n.name), printable(n.type) + (n.external ? ", external" : ""),
                          segment_text(n), joined(n.subnets), vlans, printable(n.id)});
  }
  return table;
}

Table routers_table(const Inventory& inventory) {
  Table table{{"router", "kind", "on", "SNAT on", "id"}, {}};
  for (const RouterItem& r : inventory.routers) {
    table.rows.push_back(
        {printable(r.name), printable(r.kind), joined(r.hosts), joined(r.snat_hosts), printable(r.id)});
  }
  return table;
}

Table vms_table(const Inventory& inventory) {
  Table table{{"VM", "host", "network", "address", "MAC", "device", "port"}, {}};
  for (const VmItem& vm : inventory.vms) {
    table.rows.push_back({printable(vm.name), printable(vm.host), printable(vm.network), joined(vm.ips),
                          vm.mac ? to_string(*vm.mac) : "", printable(vm.device), printable(vm.port)});
  }
  return table;
}

Table floating_ips_table(const Inventory& inventory) {
  Table table{{"floating IP", "VM", "fixed IP", "router", "served on"}, {}};
  for (const FloatingIpItem& f : inventory.floating_ips) {
    table.rows.push_back({to_string(f.ip), printable(f.vm), f.fixed ? to_string(*f.fixed) : "",
                          printable(f.router), joined(f.hosts)});
  }
  return table;
}

// One row for a command, however many hosts and namespaces lack it.
Table missing_table(const Inventory& inventory) {
  struct Row {
    std::string command, state;
    std::vector<std::string> hosts;
    std::string netns, cost;
    std::size_t places = 0;
  };
  std::vector<Row> rows;
  for (const MissingDump& m : inventory.missing) {
    const std::string state = m.truncated ? "breaks off" : m.failure;
    auto found =
        std::ranges::find_if(rows, [&](const Row& r) { return r.command == m.command && r.state == state; });
    if (found == rows.end()) {
      rows.push_back({m.command, state, {}, m.netns, m.cost, 0});
      found = rows.end() - 1;
    }
    if (std::ranges::find(found->hosts, m.host) == found->hosts.end()) found->hosts.push_back(m.host);
    ++found->places;
  }
  Table table{{"command", "hosts", "in", "instead", "not known without it"}, {}};
  for (const Row& row : rows) {
    const bool everywhere_one = row.places == row.hosts.size();
    table.rows.push_back({printable(row.command), joined(row.hosts),
                          everywhere_one ? printable(row.netns) : counted(row.places, "namespace"),
                          printable(row.state), row.cost});
  }
  return table;
}

Table lines_table(const Inventory& inventory) {
  Table table{{"host", "files", "failed", "lines", "modelled", "ignored", "unmodelled", "unrecognised"}, {}};
  const auto row = [&](const std::string& name, std::size_t files, std::size_t failed,
                       const LineCounts& lines) {
    table.rows.push_back(
        {name, std::to_string(files), std::to_string(failed), std::to_string(lines.total()),
         std::to_string(lines.of(LineState::Modelled)), std::to_string(lines.of(LineState::Ignored)),
         std::to_string(lines.of(LineState::Unmodelled)), std::to_string(lines.of(LineState::Unrecognised))});
  };
  std::size_t files = 0, failed = 0;
  for (const HostItem& host : inventory.hosts) {
    row(printable(host.name), host.files, host.failed_files, host.lines);
    files += host.files;
    failed += host.failed_files;
  }
  if (inventory.hosts.size() > 1) row("all", files, failed, inventory.lines);
  return table;
}

Table taken_table(const Inventory& inventory) {
  Table table{{"host", "first", "last (UTC)", "within"}, {}};
  const auto row = [&](const std::string& name, const Taken& taken) {
    table.rows.push_back(
        {name, in_utc(taken.first), in_utc(taken.last), fmt::format("{:.1f} s", taken.spread())});
  };
  for (const HostItem& host : inventory.hosts) {
    if (host.taken) row(printable(host.name), *host.taken);
  }
  if (inventory.taken && inventory.hosts.size() > 1) row("all", *inventory.taken);
  return table;
}

Table unrecognised_table(const Inventory& inventory) {
  Table table{{"lines", "file"}, {}};
  for (const HostItem& host : inventory.hosts) {
    for (const FileCount& file : host.unrecognised)
      table.rows.push_back({std::to_string(file.lines), printable(file.file)});
  }
  return table;
}

// Keeps the first rows of a long table; returns the line that says how many were left out.
std::string shorten(Table& table, bool all) {
  if (all || table.rows.size() <= kShown) return {};
  const std::size_t left = table.rows.size() - kShown;
  table.rows.resize(kShown);
  return fmt::format("  and {} more; all of them with -v\n", left);
}

std::string contradictions(const Inventory& inventory, const Sources& sources, const Style& style, bool all) {
  if (inventory.contradictions.empty()) return {};
  std::string out = "\n" + painted(style, Paint::Strong, "what was wrong in the dumps") + "\n";
  const std::size_t shown =
      all ? inventory.contradictions.size() : std::min(kShown, inventory.contradictions.size());
  for (std::size_t i = 0; i < shown; ++i) {
    out += render(inventory.contradictions[i], sources);
    if (!out.ends_with('\n')) out += '\n';
  }
  if (shown < inventory.contradictions.size()) {
    out += fmt::format("  and {} more; all of them with -v\n", inventory.contradictions.size() - shown);
  }
  return out;
}

}  // namespace

std::string print_text(const Inventory& inventory, const Sources& sources, const Style& style, bool all) {
  std::string out = fmt::format(
      "{}, {}, {}, {}, {}\n", counted(inventory.hosts.size(), "host"),
      counted(inventory.networks.size(), "network"), counted(inventory.routers.size(), "router"),
      counted(inventory.vms.size(), "VM port"), counted(inventory.floating_ips.size(), "floating IP"));
  if (!inventory.neutron)
    out += "without Neutron's objects (--neutron): names and addresses as far as the hosts say them\n";
  section(out, "hosts", hosts_table(inventory), style);
  for (const HostItem& host : inventory.hosts) {
    if (host.cleaned.empty()) continue;
    out += fmt::format("  {}: {}: {}\n", printable(host.name),
                       painted(style, Paint::Doubtful, "cleaned report"), printable(host.cleaned));
  }
  section(out, "when the dumps were taken", taken_table(inventory), style);
  section(out, "networks", networks_table(inventory), style);
  section(out, "routers", routers_table(inventory), style);
  section(out, "VMs", vms_table(inventory), style);
  section(out, "floating IPs", floating_ips_table(inventory), style);

  Table missing = missing_table(inventory);
  const std::string more_missing = shorten(missing, all);
  section(out, "missing: the commands that would give it", missing, style);
  out += more_missing;
  section(out, "how the lines were understood", lines_table(inventory), style);
  Table unrecognised = unrecognised_table(inventory);
  const std::string more_unrecognised = shorten(unrecognised, all);
  section(out, "lines not recognised", unrecognised, style);
  out += more_unrecognised;
  out += contradictions(inventory, sources, style, all);
  return out;
}

}  // namespace dvrtrace
