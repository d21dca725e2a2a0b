// Actions in one form, whichever way they were written.
//
// The agent floods to a set of tunnels and gives an address a set of conjunctions; which stands first is chance. A dump by
// OpenFlow 1.3 says goto_table and set_field where one by OpenFlow 1.0 says resubmit and mod_vlan_vid.
#pragma once

#include <algorithm>
#include <vector>

#include "src/openflow/action.h"

namespace dvrtrace::reference {

namespace canonical {

template <class T, class Less>
void sort_runs(std::vector<openflow::Action>& actions, Less less) {
  const auto is = [](const openflow::Action& action) { return std::holds_alternative<T>(action.variant()); };
  for (auto begin = actions.begin(); begin != actions.end();) {
    begin = std::find_if(begin, actions.end(), is);
    const auto end = std::find_if_not(begin, actions.end(), is);
    std::sort(begin, end, [&](const auto& a, const auto& b) { return less(std::get<T>(a.variant()), std::get<T>(b.variant())); });
    begin = end;
  }
}

// As OpenFlow 1.0 has it: a tag's number is set whether or not there is a tag already.
inline openflow::Action as_openflow10(const openflow::Action& action) {
  if (const auto* next = std::get_if<openflow::GotoTable>(&action.variant())) return openflow::Resubmit{std::nullopt, next->table, false};
  const auto* set = std::get_if<openflow::SetField>(&action.variant());
  const bool vlan = set != nullptr && (set->field == openflow::FieldId::VlanVid || set->field == openflow::FieldId::DlVlan);
  if (vlan && (set->mask.low & 0xfff) == 0xfff) return openflow::SetVlanVid{static_cast<std::uint16_t>(set->value.low & 0xfff)};
  return action;
}

}  // namespace canonical

inline openflow::Actions canonical_actions(const openflow::Actions& written) {
  using openflow::Conjunction;
  using openflow::Output;
  std::vector<openflow::Action> actions;
  actions.reserve(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    const bool pushes = std::holds_alternative<openflow::PushVlan>(written[i].variant());
    const openflow::Action next = pushes && i + 1 < written.size() ? canonical::as_openflow10(written[i + 1]) : openflow::Action{};
    // The push goes with the number that is set right after it.
    if (pushes && std::holds_alternative<openflow::SetVlanVid>(next.variant())) continue;
    actions.push_back(canonical::as_openflow10(written[i]));
  }
  canonical::sort_runs<Output>(actions, [](const Output& a, const Output& b) { return a.port < b.port; });
  canonical::sort_runs<Conjunction>(actions, [](const Conjunction& a, const Conjunction& b) { return a.id < b.id; });
  return {actions.begin(), actions.end()};
}

}  // namespace dvrtrace::reference
