// Linux's side of a host: what each network namespace was asked.
#include "collectors/conntrack.h"
#include "collectors/host_reader.h"
#include "collectors/ip_link.h"
#include "collectors/ip_neigh.h"
#include "collectors/ip_route.h"
#include "collectors/ip_rule.h"
#include "collectors/ipset.h"
#include "collectors/iptables_list.h"
#include "collectors/iptables_save.h"
#include "collectors/linux_bridge.h"
#include "collectors/sysctl.h"

namespace dvrtrace {

namespace {

using kernel::Link;
using kernel::Neighbour;
using kernel::PolicyRule;
using kernel::Route;
template <class T>
using Rows = std::vector<Sourced<T>>;

std::string in_netns(const NamespaceSnapshot& netns, std::string_view command) {
  return netns.name.empty() ? std::string(command) : fmt::format("ip netns exec {} {}", netns.name, command);
}

std::string of_netns(std::string_view what, const NamespaceSnapshot& netns) {
  return netns.name.empty() ? std::string(what) : fmt::format("{} of {}", what, netns.name);
}

bool is_json(const HostFile& file) { return file.name.form == FileForm::Json; }

template <class T>
void append(Rows<T>& rows, Rows<T> more) {
  if (rows.empty())
    rows = std::move(more);
  else
    std::ranges::move(more, std::back_inserter(rows));
}

void read_links_of(const HostFile& file, const SourceText& text, Rows<Link>& links, ReadLog& log) {
  append(links, is_json(file) ? read_ip_addr_json(text, log) : read_ip_addr(text, log));
}

// Takes from `detail` what `link` does not say.
void complete(Link& link, const Link& detail) {
  if (link.peer.empty()) link.peer = detail.peer;
  if (link.kind.empty()) link.kind = detail.kind;
  if (link.master.empty()) link.master = detail.master;
  if (link.link_netns.empty()) link.link_netns = detail.link_netns;
  if (!link.link_netnsid) link.link_netnsid = detail.link_netnsid;
  if (!link.mac) link.mac = detail.mac;
  if (!link.vlan_id) link.vlan_id = detail.vlan_id;
  if (!link.vlan_filtering) link.vlan_filtering = detail.vlan_filtering;
  if (!link.bridge_ageing) link.bridge_ageing = detail.bridge_ageing;
  if (link.mtu == 0) link.mtu = detail.mtu;
  for (const std::string& unmodelled : detail.unmodelled) {
    if (std::ranges::find(link.unmodelled, unmodelled) == link.unmodelled.end())
      link.unmodelled.push_back(unmodelled);
  }
}

bool is_of(const HostFile& file, Family family) { return !file.name.family || *file.name.family == family; }

Candidates of_family(Candidates files, Family family) {
  std::erase_if(files, [&](const HostFile* file) { return !is_of(*file, family); });
  return files;
}

Rows<Route> read_routes_of(const HostFile& file, const SourceText& text, Family family, ReadLog& log) {
  if (file.name.form == FileForm::RouteN) return read_route_n(text, log);
  // A listing of both families starts with IPv4's.
  const Family first = file.name.family.value_or(Family::V4);
  const kernel::RouteTable table = file.name.table.value_or(kernel::kTableMain);
  Rows<Route> routes =
      is_json(file) ? read_ip_route_json(text, first, table, log) : read_ip_route(text, first, table, log);
  std::erase_if(routes,
                [&](const Sourced<Route>& route) { return route.value.destination.ip().family != family; });
  return routes;
}

Rows<Neighbour> read_neighbours_of(const HostFile& file, const SourceText& text, ReadLog& log) {
  if (file.name.form == FileForm::ArpN) return read_arp_n(text, log);
  return is_json(file) ? read_ip_neigh_json(text, log) : read_ip_neigh(text, log);
}

kernel::Iptables read_iptables_of(const HostFile& file, const SourceText& text, Family family, ReadLog& log) {
  if (file.name.form == FileForm::Save) return read_iptables_save(text, family, log);
  if (file.name.form == FileForm::Spec) return read_iptables_spec(text, family, file.name.part, log);
  return read_iptables_list(text, family, file.name.part, log);
}

}  // namespace

void HostReader::read_namespaces() {
  std::set<std::string> names = subjects_of(FileKind::Links, FileKind::LinuxBridgeFdb);
  names.insert(host_.namespace_names.value.begin(), host_.namespace_names.value.end());
  names.insert("");
  for (const std::string& name : names) {
    NamespaceSnapshot netns;
    netns.name = name;
    read_links(netns);
    if (depth_ != Depth::Index) {
      read_routing(netns);
      read_neighbours(netns);
      read_netfilter(netns);
      read_kernel_state(netns);
    }
    host_.namespaces.push_back(std::move(netns));
  }
}

void HostReader::read_links(NamespaceSnapshot& netns) {
  const Candidates files = files_of(FileKind::Links, netns.name);
  const Used used = read_preferred(netns.links, files, in_netns(netns, "ip -d address"),
                                   of_netns("addresses", netns), read_links_of);
  const bool detailed = !used.empty() && (*used.begin())->name.detailed;
  if (depth_ != Depth::Index && !detailed) complete_links(netns, used);
  if (!everything()) return;
  compare_rest(netns.links, files, used, read_links_of);
  compare_rest(netns.links, files_of(FileKind::LinkDetails, netns.name), used, read_links_of);
}

// What a link is besides its addresses: its kind, its bridge's settings.
void HostReader::complete_links(NamespaceSnapshot& netns, const Used& used) {
  Candidates files = files_of(FileKind::LinkDetails, netns.name);
  for (const HostFile* file : files_of(FileKind::Links, netns.name)) {
    if (file->name.detailed && !file->name.partial) files.push_back(file);
  }
  std::ranges::stable_sort(
      files, {}, [](const HostFile* file) { return std::pair(file->name.partial, file->name.rank); });
  Part<Rows<Link>> details;
  read_preferred(details, files, "", of_netns("links", netns), read_links_of);
  if (!details.present()) return;
  if (!netns.links.present()) {
    details.wanted = netns.links.wanted;
    details.presence = Presence::Truncated;  // without addresses
    netns.links = std::move(details);
    return;
  }
  const bool brief = !used.empty() && (*used.begin())->name.brief;
  for (Sourced<Link>& link : netns.links.value) {
    const auto detail = std::ranges::find_if(
        details.value, [&](const Sourced<Link>& each) { return each.value.name == link.value.name; });
    if (detail == details.value.end()) continue;
    if (brief) {
      std::swap(link, *detail);
      link.value.addresses = std::move(detail->value.addresses);
    } else {
      complete(link.value, detail->value);
    }
  }
}

void HostReader::read_routing(NamespaceSnapshot& netns) {
  const auto read = [&](Family family, std::string_view option, Part<Rows<PolicyRule>>& rules,
                        Part<Rows<Route>>& routes) {
    read_part(rules, of_family(files_of(FileKind::Rules, netns.name), family),
              in_netns(netns, fmt::format("ip {}rule", option)),
              of_netns(fmt::format("rules{}", family == Family::V6 ? " of IPv6" : ""), netns),
              [&](const HostFile& file, const SourceText& text, Rows<PolicyRule>& into, ReadLog& log) {
                append(into, is_json(file) ? read_ip_rule_json(text, family, log)
                                           : read_ip_rule(text, family, log));
              });
    Candidates files = of_family(files_of(FileKind::Routes, netns.name), family);
    read_part(routes, files, in_netns(netns, fmt::format("ip {}route show table all", option)),
              of_netns(fmt::format("routes{}", family == Family::V6 ? " of IPv6" : ""), netns),
              [&](const HostFile& file, const SourceText& text, Rows<Route>& into, ReadLog& log) {
                append(into, read_routes_of(file, text, family, log));
              });
  };
  read(Family::V4, "", netns.rules4, netns.routes4);
  read(Family::V6, "-6 ", netns.rules6, netns.routes6);
}

void HostReader::read_neighbours(NamespaceSnapshot& netns) {
  const auto read = [](const HostFile& file, const SourceText& text, Rows<Neighbour>& into, ReadLog& log) {
    append(into, read_neighbours_of(file, text, log));
  };
  Candidates files = files_of(FileKind::Neighbours, netns.name), proxies;
  std::ranges::copy_if(files, std::back_inserter(proxies),
                       [](const HostFile* file) { return file->name.part == "proxy"; });
  std::erase_if(files, [](const HostFile* file) { return file->name.part == "proxy"; });
  read_part(netns.neighbours, files, in_netns(netns, "ip neigh show nud all"), of_netns("neighbours", netns),
            read);
  // Addresses that are answered for are not among the neighbours unless they are asked for.
  for (const HostFile* file : proxies) {
    Part<Rows<Neighbour>> more;
    if (!read_into(more, *file, read)) continue;
    texts_.use(*file, of_netns("proxies", netns));
    append(netns.neighbours.value, std::move(more.value));
  }
}

void HostReader::read_netfilter(NamespaceSnapshot& netns) {
  const auto read = [&](Family family, std::string_view command, Part<kernel::Iptables>& part) {
    read_part(part, of_family(files_of(FileKind::Iptables, netns.name), family), in_netns(netns, command),
              of_netns(command, netns),
              [&](const HostFile& file, const SourceText& text, kernel::Iptables& into, ReadLog& log) {
                kernel::Iptables more = read_iptables_of(file, text, family, log);
                into.family = family;
                std::ranges::move(more.tables, std::back_inserter(into.tables));
              });
    part.value.family = family;
  };
  read(Family::V4, "iptables-save", netns.iptables4);
  read(Family::V6, "ip6tables-save", netns.iptables6);
  read_part(netns.ipsets, files_of(FileKind::Ipsets, netns.name), in_netns(netns, "ipset save"),
            of_netns("sets", netns),
            [](const HostFile&, const SourceText& text, std::vector<kernel::Ipset>& into, ReadLog& log) {
              std::ranges::move(read_ipset(text, log), std::back_inserter(into));
            });
}

void HostReader::read_kernel_state(NamespaceSnapshot& netns) {
  read_part(netns.sysctls, files_of(FileKind::Sysctls, netns.name), in_netns(netns, "sysctl -a"),
            of_netns("settings", netns),
            [](const HostFile&, const SourceText& text, kernel::Sysctls& into, ReadLog& log) {
              kernel::Sysctls more = read_sysctl(text, log);
              into.swap(more);  // the larger is not moved about
              into.merge(more);
            });
  read_part(netns.connections, files_of(FileKind::Conntrack, netns.name),
            in_netns(netns, "conntrack -L -o extended"), of_netns("connections", netns),
            [](const HostFile&, const SourceText& text, Rows<kernel::Connection>& into, ReadLog& log) {
              append(into, read_conntrack(text, log));
            });
  read_part(netns.bridge_ports, files_of(FileKind::LinuxBridgePorts, netns.name),
            in_netns(netns, "bridge -d link"), of_netns("ports of Linux bridges", netns),
            [](const HostFile& file, const SourceText& text, Rows<kernel::BridgePort>& into, ReadLog& log) {
              if (file.name.form == FileForm::BrctlShow)
                append(into, read_brctl_show(text, log));
              else
                append(into, is_json(file) ? read_bridge_link_json(text, log) : read_bridge_link(text, log));
            });
  read_part(
      netns.bridge_fdb, files_of(FileKind::LinuxBridgeFdb, netns.name), in_netns(netns, "bridge fdb show"),
      of_netns("MACs of Linux bridges", netns),
      [](const HostFile& file, const SourceText& text, Rows<kernel::BridgeFdbEntry>& into, ReadLog& log) {
        if (file.name.form == FileForm::BrctlMacs)
          append(into, read_brctl_showmacs(text, file.name.part, log));
        else
          append(into, is_json(file) ? read_bridge_fdb_json(text, log) : read_bridge_fdb(text, log));
      });
}

}  // namespace dvrtrace
