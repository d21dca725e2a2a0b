#include "tracer/reference/iptables_writer.h"

#include <algorithm>
#include <span>

namespace dvrtrace::reference {
namespace {

// The built-in chains of each table, and those from which an agent goes to a chain of its own.
struct BuiltIn {
  std::string_view table;
  std::vector<std::string_view> chains, wrapped4, wrapped6;
};

const std::vector<BuiltIn>& built_in() {
  static const std::vector<BuiltIn> tables = {
      {"raw", {"PREROUTING", "OUTPUT"}, {"PREROUTING", "OUTPUT"}, {"PREROUTING", "OUTPUT"}},
      {"mangle",
       {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
       {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"},
       {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}},
      {"nat",
       {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"},
       {"PREROUTING", "OUTPUT", "POSTROUTING"},
       {"PREROUTING"}},
      {"filter",
       {"INPUT", "FORWARD", "OUTPUT"},
       {"INPUT", "FORWARD", "OUTPUT"},
       {"INPUT", "FORWARD", "OUTPUT"}}};
  return tables;
}

constexpr std::string_view kRule = "IPT-SKELETON";

}  // namespace

IptablesWriter::Table& IptablesWriter::table(std::string_view name) {
  const auto found = std::ranges::find(tables_, name, &Table::name);
  if (found != tables_.end()) return *found;
  tables_.push_back({std::string(name), {}});
  for (const BuiltIn& known : built_in()) {
    if (known.table != name) continue;
    for (const std::string_view chain : known.chains)
      tables_.back().chains.push_back({std::string(chain), true, {}});
  }
  return tables_.back();
}

IptablesWriter::Chain& IptablesWriter::chain(std::string_view table_name, std::string_view name) {
  std::vector<Chain>& chains = table(table_name).chains;
  const auto found = std::ranges::find(chains, name, &Chain::name);
  if (found != chains.end()) return *found;
  chains.push_back({std::string(name), false, {}});
  return chains.back();
}

void IptablesWriter::add_chain(std::string_view table_name, std::string_view name) {
  chain(table_name, wrapped(name));
}

Writer::Added IptablesWriter::add_text(std::string_view rule, std::string_view table_name,
                                       std::string_view name, std::string text) {
  std::vector<Line>& rules = chain(table_name, name).rules;
  rules.push_back({fmt::format("-A {} {}", name, text), rule, Need::Required, {}, 0});
  return Writer::Added(rules.back());
}

void IptablesWriter::add_skeleton(std::string_view name, bool optional) {
  const bool v4 = family_ == Family::V4;
  const bool filter = name == "filter", nat = name == "nat" && v4;
  for (const BuiltIn& known : built_in()) {
    if (known.table != name) continue;
    if (filter) {
      for (const std::string_view from : {"FORWARD", "OUTPUT"}) {
        add_text(kRule, name, from, "-j neutron-filter-top").optional(optional);
      }
    }
    for (const std::string_view from : v4 ? known.wrapped4 : known.wrapped6) {
      add_text(kRule, name, from, "-j " + wrapped(from)).optional(optional);
      add_chain(name, from);
    }
  }
  if (filter) {
    add_text(kRule, name, "neutron-filter-top", "-j " + wrapped("local")).optional(optional);
    add_chain(name, "local");
  }
  if (name == "mangle" && v4) {
    jump(kRule, name, "PREROUTING", "mark").optional(optional);
    add_chain(name, "mark");
  }
  if (!nat) return;
  add_text(kRule, name, "POSTROUTING", "-j neutron-postrouting-bottom").optional(optional);
  add_text(
      kRule, name, "neutron-postrouting-bottom",
      fmt::format("-m comment --comment \"Perform source NAT on outgoing traffic.\" -j {}", wrapped("snat")))
      .optional(optional);
  jump(kRule, name, "snat", "float-snat").optional(optional);
  add_chain(name, "float-snat");
}

void IptablesWriter::remove(std::string_view table_name, std::string_view name, std::string_view to) {
  const std::string rule = fmt::format("-A {} -j {}", wrapped(name), wrapped(to));
  std::erase_if(chain(table_name, wrapped(name)).rules, [&](const Line& line) { return line.text == rule; });
}

void IptablesWriter::write(Writer& dump) const {
  for (const Table& table : tables_) {
    dump.header("*" + table.name);
    for (const Chain& chain : table.chains) {
      dump.header(fmt::format(":{} {} [0:0]", chain.name, chain.built_in ? "ACCEPT" : "-"));
    }
    for (const Chain& chain : table.chains) {
      for (const Line& line : chain.rules) dump.add_line(line);
    }
    dump.header("COMMIT");
  }
}

}  // namespace dvrtrace::reference
