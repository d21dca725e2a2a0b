#include "tracer/check/compare_iptables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "src/base/text.h"
#include "tracer/check/rows.h"
#include "tracer/check/rule_text.h"

namespace dvrtrace::check {
namespace {

using kernel::Chain;
using kernel::Iptables;
using kernel::IptablesRule;
using kernel::IptablesTable;
using RuleRow = Sourced<IptablesRule>;

// Chains of services beside the L3 agent's own work, whose objects are not read: port forwarding, firewalls, metering.
bool is_of_service(std::string_view chain) {
  constexpr std::string_view kParts[] = {"-fip-pf", "-pf-", "-fwaas", "-iv4",
                                         "-ov4",    "-iv6", "-ov6",   "neutron-meter"};
  return std::ranges::any_of(
      kParts, [&](std::string_view part) { return chain.find(part) != std::string_view::npos; });
}

bool leads_to_service(const IptablesRule& rule) {
  const auto* jump = std::get_if<kernel::Jump>(&rule.target);
  return jump != nullptr && is_of_service(jump->chain);
}

// "-A chain ...", without the counters before it and the chain.
std::string text_of(const RuleRow& rule, const Sources& sources) {
  std::string_view line = trim(sources.bytes(rule.at));
  if (line.starts_with('[')) take_word(line), line = trim(line);
  return std::string(line);
}

class Tables {
 public:
  Tables(const Part<Iptables>& found, const Part<Iptables>& expected, const std::string& netns,
         const Sources& sources, Extent extent, Comparison& comparison)
      : found_(found),
        expected_(expected),
        netns_(netns),
        sources_(sources),
        extent_(extent),
        comparison_(comparison) {}

  void compare() {
    for (const IptablesTable& expected : expected_.value.tables) {
      const IptablesTable* found = found_.value.find(expected.name);
      if (found != nullptr || !whole()) compare(found, &expected);
    }
    if (whole()) return;
    for (const IptablesTable& found : found_.value.tables) {
      if (expected_.value.find(found.name) == nullptr) compare(&found, nullptr);
    }
  }

 private:
  bool whole() const { return extent_ == Extent::Whole; }

  void compare(const IptablesTable* found, const IptablesTable* expected) {
    const std::string& table = found != nullptr ? found->name : expected->name;
    if (expected != nullptr) {
      for (const Chain& chain : expected->chains)
        compare(table, found == nullptr ? nullptr : found->find(chain.name), &chain);
    }
    if (found == nullptr) return;
    for (const Chain& chain : found->chains) {
      const bool known = expected != nullptr && expected->find(chain.name) != nullptr;
      if (known || !is_neutrons(chain)) continue;
      if (whole() || !is_of_service(chain.name)) compare(table, &chain, nullptr);
    }
  }

  // Others than Neutron have rules in the root namespace.
  bool is_neutrons(const Chain& chain) const {
    return whole() || !netns_.empty() || chain.name.starts_with("neutron-");
  }

  struct Rules {
    Rows rows;
    std::vector<const RuleRow*> rules;  // of each row
  };
  Rules rules_of(const Chain* chain) const {
    Rules all;
    if (chain == nullptr) return all;
    for (const RuleRow& rule : chain->rules) {
      if (!whole() && leads_to_service(rule.value)) continue;
      all.rows.push_back({meaning_of(rule.value), {}, text_of(rule, sources_), rule.at});
      all.rules.push_back(&rule);
    }
    return all;
  }

  void compare(const std::string& table, const Chain* found, const Chain* expected) {
    const Chain& chain = expected != nullptr ? *expected : *found;
    Setting setting{ObjectKind::IptablesRule, netns_, found_.value.family == Family::V4 ? "4" : "6"};
    setting.whole = found_.complete();
    setting.expected_whole = expected_.complete();
    setting.foreign = !is_neutrons(chain);
    const std::size_t first = comparison_.differences.size();
    if (!setting.foreign && found != nullptr && expected != nullptr &&
        found->policy_accept == expected->policy_accept && found->rules == expected->rules) {
      count_equal(*found);
      return;
    }
    const Rules rules = rules_of(found), expected_rules = rules_of(expected);
    compare_rows(rules.rows, expected_rules.rows, setting, comparison_);
    if (found != nullptr && expected != nullptr) {
      // Others may let nothing through by default: Neutron's own chains accept what is bridged before that.
      if (!setting.foreign) compare_policy(*found, *expected, setting);
      if (setting.foreign && chain.name == "FORWARD") find_barriers(rules, expected_rules, setting);
      compare_order(rules, expected_rules, setting);
    }
    for (std::size_t i = first; i < comparison_.differences.size(); ++i) {
      comparison_.differences[i].table = table;
      comparison_.differences[i].chain = chain.name;
    }
  }

  // Chains that say the same in the same order need no closer look: they are nearly all.
  void count_equal(const Chain& chain) {
    const auto compared = static_cast<std::size_t>(std::ranges::count_if(
        chain.rules, [&](const RuleRow& rule) { return whole() || !leads_to_service(rule.value); }));
    comparison_.of(ObjectKind::IptablesRule).expected += compared;
    comparison_.of(ObjectKind::IptablesRule).found += compared;
  }

  // Rules of others, before the jump to Neutron's chains, that stop packets whatever device they come by.
  void find_barriers(const Rules& found, const Rules& expected, const Setting& setting) {
    std::size_t jumps = 0;
    for (std::size_t i = 0; i < found.rows.size() && jumps < expected.rows.size(); ++i) {
      if (std::ranges::find(expected.rows, found.rows[i].about, &Row::about) != expected.rows.end()) ++jumps;
      const IptablesRule& rule = found.rules[i]->value;
      const bool stops = std::holds_alternative<kernel::Drop>(rule.target) ||
                         std::holds_alternative<kernel::Reject>(rule.target);
      const bool by_device = std::ranges::any_of(rule.matches, [](const kernel::Match& match) {
        return std::holds_alternative<kernel::DeviceMatch>(match);
      });
      if (!stops || by_device) continue;
      Setting own = setting;
      own.foreign = false;
      compare_rows({found.rows[i]}, {}, own, comparison_);
    }
  }

  void compare_policy(const Chain& found, const Chain& expected, const Setting& setting) {
    if (!found.policy_accept || !expected.policy_accept || found.policy_accept == expected.policy_accept)
      return;
    const auto text = [](const Chain& chain) {
      return fmt::format(":{} {}", chain.name, *chain.policy_accept ? "ACCEPT" : "DROP");
    };
    add(setting, text(found), text(expected), found.at, expected.at, false);
  }

  // The first two rules that both chains have and whose order differs and matters.
  void compare_order(const Rules& found, const Rules& expected, const Setting& setting) {
    std::multimap<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < expected.rows.size(); ++i) places.emplace(expected.rows[i].about, i);
    std::vector<std::pair<std::size_t, std::size_t>> both;  // place in `found`, place in `expected`
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      const auto place = places.find(found.rows[i].about);
      if (place == places.end()) continue;
      both.emplace_back(i, place->second);
      places.erase(place);
    }
    for (std::size_t later = 1; later < both.size(); ++later) {
      for (std::size_t earlier = 0; earlier < later; ++earlier) {
        if (both[earlier].second < both[later].second) continue;
        const std::size_t first = both[earlier].first, second = both[later].first;
        if (!order_matters(found.rules[first]->value, found.rules[second]->value)) continue;
        add(setting, found.rows[second].text + " after " + found.rows[first].text,
            found.rows[second].text + " before " + found.rows[first].text, found.rows[second].at,
            expected.rows[both[later].second].at, true);
        return;
      }
    }
  }

  void add(const Setting& setting, std::string found, std::string expected, Provenance found_at,
           Provenance expected_at, bool order) {
    Difference difference;
    difference.kind = setting.kind;
    difference.deviation = Deviation::Different;
    difference.netns = setting.netns;
    difference.family = setting.family;
    difference.object = expected;
    difference.expected = std::move(expected);
    difference.found = std::move(found);
    difference.expected_at = expected_at;
    difference.found_at = found_at;
    difference.order = order;
    comparison_.differences.push_back(std::move(difference));
  }

  const Part<Iptables>& found_;
  const Part<Iptables>& expected_;
  const std::string& netns_;
  const Sources& sources_;
  Extent extent_;
  Comparison& comparison_;
};

}  // namespace

void compare_iptables(const Part<Iptables>& found, const Part<Iptables>& expected, const std::string& netns,
                      const Sources& sources, Extent extent, Comparison& comparison) {
  if (!found.present() || !expected.present()) return;
  Tables(found, expected, netns, sources, extent, comparison).compare();
}

}  // namespace dvrtrace::check
