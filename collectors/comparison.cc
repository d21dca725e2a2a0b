#include "collectors/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "src/base/overloaded.h"
#include "src/openflow/field.h"

namespace dvrtrace {

namespace {

using openflow::Action;
using openflow::Actions;

std::string text_of(const ComparedRow& row) {
  return row.says.empty() ? row.subject : fmt::format("{} {}", row.subject, row.says);
}

std::tuple<std::string_view, std::string_view> order(const ComparedRow& row) {
  return {row.subject, row.says};
}

const ComparedRow* find_subject(const ComparedRows& sorted, std::string_view subject) {
  const auto found = std::ranges::lower_bound(sorted, subject, {}, &ComparedRow::subject);
  return found == sorted.end() || found->subject != subject ? nullptr : &*found;
}

// OpenFlow 1.0 has no push_vlan, goto_table or apply of a VLAN with its CFI bit; what the switch does
// is the same.
Actions normalised(const Actions& written) {
  using namespace openflow;
  std::vector<Action> actions;
  for (const Action& action : written) {
    const auto* set = std::get_if<SetField>(&action.variant());
    if (std::holds_alternative<PushVlan>(action.variant())) continue;
    if (const auto* go = std::get_if<GotoTable>(&action.variant()))
      actions.push_back(Resubmit{{}, go->table, false});
    else if (set != nullptr && set->field == FieldId::VlanVid)
      actions.push_back(SetVlanVid{static_cast<std::uint16_t>(set->value.low & 0xfff)});
    else
      actions.push_back(action);
  }
  return {actions.begin(), actions.end()};
}

class Difference {
 public:
  Difference(const ComparedDump& used, const ComparedDump& other) : used_(used), other_(other) {}

  // A row that only `mine`, one of the two, has. Rows come in the order of their subjects.
  void add(const ComparedRow& row, const ComparedDump& mine) {
    const ComparedDump& against = &mine == &used_ ? other_ : used_;
    const ComparedRow* changed = find_subject(against.rows, row.subject);
    if (changed == nullptr && !against.whole) return;
    if (subjects_ > 0 && row.subject == last_) return;
    last_ = row.subject;
    if (subjects_++ == 0) describe(&mine == &used_ ? &row : changed, &mine == &used_ ? changed : &row);
  }

  void report(Diagnostics& diagnostics) const {
    if (subjects_ == 0) return;
    std::string message = message_;
    if (subjects_ > 1) message += fmt::format(", and {} more differences", subjects_ - 1);
    diagnostics.warning(
        at_, std::move(message),
        fmt::format("{} is used; the two may have been saved at different moments", used_.file));
  }

 private:
  void describe(const ComparedRow* used, const ComparedRow* other) {
    at_ = other != nullptr ? other->at : used->at;
    const std::string expected = used != nullptr ? fmt::format("'{}'", text_of(*used)) : "nothing";
    const std::string found = other != nullptr ? fmt::format("'{}'", text_of(*other)) : "nothing";
    message_ = fmt::format("{}: expected {} as in {}, found {}", other_.file, expected, used_.file, found);
  }

  const ComparedDump& used_;
  const ComparedDump& other_;
  std::size_t subjects_ = 0;
  std::string_view last_;
  Provenance at_;
  std::string message_;
};

std::string_view name_of(kernel::RouteType type) {
  constexpr std::string_view kNames[] = {"",           "local ",    "broadcast ",
                                         "multicast ", "anycast ",  "unreachable ",
                                         "blackhole ", "prohibit ", "throw "};
  return kNames[static_cast<std::size_t>(type)];
}

std::string nexthops_of(const kernel::Route& route) {
  std::string text;
  for (const kernel::Nexthop& hop : route.nexthops) {
    if (hop.via) text += fmt::format("via {} ", to_string(*hop.via));
    text += fmt::format("dev {} ", hop.device);
  }
  return text;
}

std::string text_of(const std::optional<Prefix>& prefix) { return prefix ? to_string(*prefix) : "all"; }

std::string_view name_of(const kernel::Target& target) {
  using namespace kernel;
  return std::visit(overloaded{
                        [](const NoTarget&) { return std::string_view(""); },
                        [](const Accept&) { return std::string_view("ACCEPT"); },
                        [](const Drop&) { return std::string_view("DROP"); },
                        [](const Reject&) { return std::string_view("REJECT"); },
                        [](const Return&) { return std::string_view("RETURN"); },
                        [](const Jump& jump) { return std::string_view(jump.chain); },
                        [](const NatTo& nat) { return std::string_view(nat.destination ? "DNAT" : "SNAT"); },
                        [](const Redirect&) { return std::string_view("REDIRECT"); },
                        [](const Masquerade&) { return std::string_view("MASQUERADE"); },
                        [](const Netmap&) { return std::string_view("NETMAP"); },
                        [](const SetMark&) { return std::string_view("MARK"); },
                        [](const ConnMark&) { return std::string_view("CONNMARK"); },
                        [](const Ct&) { return std::string_view("CT"); },
                        [](const Harmless&) { return std::string_view("goes on"); },
                        [](const UnmodelledTarget&) { return std::string_view("unmodelled"); },
                    },
                    target);
}

std::string nat_of(const kernel::Target& target) {
  const auto* nat = std::get_if<kernel::NatTo>(&target);
  return nat != nullptr && nat->first ? " " + to_string(*nat->first) : "";
}

std::string addresses_of(const kernel::IptablesRule& rule) {
  std::string text;
  for (const kernel::Match& match : rule.matches) {
    const auto* address = std::get_if<kernel::AddressMatch>(&match);
    if (address == nullptr) continue;
    text += fmt::format("{}{} {} ", address->inverted ? "! " : "", address->source ? "-s" : "-d",
                        to_string(address->prefix));
  }
  return text;
}

}  // namespace

void report_contradiction(ComparedDump used, ComparedDump other, Diagnostics& diagnostics) {
  std::ranges::sort(used.rows, {}, order);
  std::ranges::sort(other.rows, {}, order);
  Difference difference(used, other);
  auto theirs = other.rows.begin();
  for (const ComparedRow& row : used.rows) {
    for (; theirs != other.rows.end() && order(*theirs) < order(row); ++theirs)
      difference.add(*theirs, other);
    if (theirs != other.rows.end() && order(*theirs) == order(row))
      ++theirs;
    else
      difference.add(row, used);
  }
  for (; theirs != other.rows.end(); ++theirs) difference.add(*theirs, other);
  difference.report(diagnostics);
}

ComparedRows compared(const openflow::FlowTable& table) {
  ComparedRows rows;
  rows.reserve(table.flows.size());
  for (const openflow::FlowRow& row : table.flows) {
    if (learned(row.flow)) continue;
    rows.push_back({fmt::format("table={},priority={},{}", row.flow.table.value, row.flow.priority,
                                to_string(row.flow.match)),
                    to_string(normalised(row.flow.actions)), row.at});
  }
  return rows;
}

ComparedRows compared(const BridgeFeatures& features) {
  ComparedRows rows;
  for (const Sourced<PortDesc>& port : features.ports) {
    rows.push_back({fmt::format("port {}", port.value.number.value), port.value.name, port.at});
  }
  return rows;
}

ComparedRows compared(const OvsDatabase& database) {
  ComparedRows rows;
  for (const OvsBridge& bridge : database.bridges) {
    for (const OvsPort& port : bridge.ports) {
      rows.push_back(
          {fmt::format("port {} tag", port.name), port.tag ? fmt::format("{}", *port.tag) : "none", port.at});
      for (const OvsInterface& interface : port.interfaces) {
        if (!interface.ofport) continue;
        rows.push_back({fmt::format("interface {} ofport", interface.name),
                        fmt::format("{}", *interface.ofport), interface.at});
      }
    }
  }
  return rows;
}

ComparedRows compared(const OvsRows& tables) {
  ComparedRows rows;
  const auto add = [&](OvsTable table, std::string_view kind, std::string_view column) {
    for (const OvsRow& row : tables.of(table)) {
      if (row.find(column) == nullptr || row.scalar("name").empty()) continue;
      const std::string_view value = row.scalar(column);
      rows.push_back({fmt::format("{} {} {}", kind, row.scalar("name"), column),
                      std::string(value.empty() ? "none" : value), row.at});
    }
  };
  add(OvsTable::Port, "port", "tag");
  add(OvsTable::Interface, "interface", "ofport");
  return rows;
}

ComparedRows compared(const std::vector<Sourced<kernel::Link>>& links) {
  ComparedRows rows;
  for (const Sourced<kernel::Link>& link : links) {
    if (link.value.mac)
      rows.push_back({fmt::format("dev {}", link.value.name), to_string(*link.value.mac), link.at});
    for (const Sourced<kernel::Address>& address : link.value.addresses) {
      rows.push_back(
          {fmt::format("dev {} {}/{}", link.value.name, to_string(address.value.ip), address.value.length),
           {},
           address.at});
    }
  }
  return rows;
}

ComparedRows compared(const std::vector<Sourced<kernel::PolicyRule>>& rules) {
  ComparedRows rows;
  for (const Sourced<kernel::PolicyRule>& rule : rules) {
    const kernel::PolicyRule& value = rule.value;
    std::string subject = fmt::format("{}: {}from {} to {}", value.priority, value.inverted ? "not " : "",
                                      text_of(value.from), text_of(value.to));
    if (!value.iif.empty()) subject += " iif " + value.iif;
    if (value.fwmark) subject += fmt::format(" fwmark {:#x}", *value.fwmark);
    rows.push_back({std::move(subject),
                    value.action == kernel::PolicyRule::Action::Lookup ? fmt::format("lookup {}", value.table)
                                                                       : "another action",
                    rule.at});
  }
  return rows;
}

ComparedRows compared(const std::vector<Sourced<kernel::Route>>& routes) {
  ComparedRows rows;
  for (const Sourced<kernel::Route>& route : routes) {
    const kernel::Route& value = route.value;
    rows.push_back({fmt::format("{}{} table {}", name_of(value.type), to_string(value.destination),
                                kernel::route_table_name(value.table)),
                    nexthops_of(value), route.at});
  }
  return rows;
}

ComparedRows compared(const std::vector<Sourced<kernel::Neighbour>>& neighbours) {
  ComparedRows rows;
  for (const Sourced<kernel::Neighbour>& neighbour : neighbours) {
    const kernel::Neighbour& value = neighbour.value;
    if (value.state != kernel::NeighbourState::Permanent || !value.mac || value.proxy) continue;
    rows.push_back({fmt::format("{} dev {}", to_string(value.ip), value.device),
                    fmt::format("lladdr {}", to_string(*value.mac)), neighbour.at});
  }
  return rows;
}

ComparedRows compared(const kernel::Iptables& iptables) {
  ComparedRows rows;
  for (const kernel::IptablesTable& table : iptables.tables) {
    for (const kernel::Chain& chain : table.chains) {
      std::size_t number = 0;
      for (const Sourced<kernel::IptablesRule>& rule : chain.rules) {
        rows.push_back({fmt::format("{} {} rule {}", table.name, chain.name, ++number),
                        fmt::format("{}-j {}{}", addresses_of(rule.value), name_of(rule.value.target),
                                    nat_of(rule.value.target)),
                        rule.at});
      }
    }
  }
  return rows;
}

ComparedRows compared(const std::vector<std::string>& names) {
  ComparedRows rows;
  for (const std::string& name : names) rows.push_back({name, {}, {}});
  return rows;
}

}  // namespace dvrtrace
