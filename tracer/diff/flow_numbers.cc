#include "tracer/diff/flow_numbers.h"

#include <algorithm>
#include <vector>

#include "src/base/overloaded.h"

namespace dvrtrace::diff {
namespace {

using openflow::Action;
using openflow::Actions;
using openflow::Bits128;
using openflow::FieldId;
using openflow::Match;

constexpr std::uint64_t kVid = 0xfff;

bool is_vlan(FieldId field) {
  return field == FieldId::VlanTci || field == FieldId::DlVlan || field == FieldId::VlanVid;
}

std::uint32_t exchanged(const FlowNumbers::Exchange& exchange, std::uint32_t number) {
  return exchange ? exchange(number) : number;
}

class Exchanger {
 public:
  explicit Exchanger(const FlowNumbers& numbers) : numbers_(numbers) {}

  void match(Match& match) const {
    field(match, FieldId::InPort, numbers_.port);
    if (numbers_.vlan && (match.mask_of(FieldId::DlVlan).low & kVid) == kVid) {
      const auto vid = static_cast<std::uint32_t>(match.value_of(FieldId::DlVlan).low & kVid);
      if (vid != 0) match.add(FieldId::DlVlan, Bits128{0, numbers_.vlan(vid)}, Bits128{0, kVid});
    }
    field(match, FieldId::ConjId, numbers_.conjunction);
    if (!numbers_.registers) return;
    field(match, FieldId::Reg5, numbers_.port);
    field(match, FieldId::Reg6, numbers_.local);
    field(match, FieldId::CtZone, numbers_.local);
  }

  void actions(Actions& all) const {
    for (Action& action : all.own()) {
      std::visit(
          overloaded{
              [&](openflow::Output& a) { port(a.port); }, [&](openflow::OutputTruncated& a) { port(a.port); },
              [&](openflow::Enqueue& a) { port(a.port); },
              [&](openflow::Resubmit& a) {
                if (a.in_port) port(*a.in_port);
              },
              [&](openflow::Bundle& a) {
                for (Ofport& member : a.spec->members) port(member);
              },
              [&](openflow::ToGroup& a) { a.group = exchanged(numbers_.group, a.group); },
              [&](openflow::SetVlanVid& a) {
                a.vid = static_cast<std::uint16_t>(exchanged(a.vid == 0 ? nullptr : numbers_.vlan, a.vid));
              },
              [&](openflow::SetField& a) { set(a.field, a.value, a.mask); },
              [&](openflow::Conjunction& a) { a.id = exchanged(numbers_.conjunction, a.id); },
              [&](openflow::Ct& a) { connection(*a.spec); }, [&](openflow::Learn& a) { learn(*a.spec); },
              [&](openflow::Clone& a) { actions(a.actions); },
              [&](openflow::WriteActions& a) { actions(a.actions); },
              [](auto&) {}},  // the others hold no number that is given out
          action.variant());
    }
  }

  void port(Ofport& port) const { port.value = exchanged(numbers_.port, port.value); }

 private:
  void field(Match& match, FieldId id, const FlowNumbers::Exchange& exchange) const {
    if (!exchange) return;
    const auto number = number_in(match, id);
    if (number && *number != 0) match.add(id, std::uint64_t{exchange(*number)});
  }

  void set(FieldId id, Bits128& value, const Bits128& mask) const {
    const std::uint64_t all = openflow::ones64(openflow::info(id).bits);
    const auto low = static_cast<std::uint32_t>(value.low);
    if (is_vlan(id)) {
      const auto vid = static_cast<std::uint32_t>(value.low & kVid);
      if ((mask.low & kVid) == kVid && vid != 0)
        value.low = (value.low & ~kVid) | exchanged(numbers_.vlan, vid);
    } else if (id == FieldId::InPort || (numbers_.registers && id == FieldId::Reg5)) {
      if (mask.low == all && low != 0) value.low = exchanged(numbers_.port, low);
    } else if (numbers_.registers && id == FieldId::Reg6) {
      if (mask.low == all && low != 0) value.low = exchanged(numbers_.local, low);
    }
  }

  void connection(openflow::CtSpec& spec) const {
    if (numbers_.registers && !spec.zone_from && spec.zone != 0)
      spec.zone = static_cast<std::uint16_t>(exchanged(numbers_.local, spec.zone));
    actions(spec.exec);
  }

  void learn(openflow::LearnSpec& spec) const {
    if (numbers_.learnt_cookie) spec.cookie = *numbers_.learnt_cookie;
    for (openflow::LearnItem& item : spec.items) {
      const openflow::FieldInfo& info = openflow::info(item.to.field);
      const bool whole = item.to.offset == 0 &&
                         (item.to.bits == info.bits || (is_vlan(item.to.field) && item.to.bits >= 12));
      if (!item.from && item.kind != openflow::LearnItem::Kind::Output && whole)
        set(item.to.field, item.value, openflow::ones128(info.bits));
    }
  }

  const FlowNumbers& numbers_;
};

}  // namespace

void renumber(Match& match, const FlowNumbers& numbers) { Exchanger(numbers).match(match); }
void renumber(Actions& actions, const FlowNumbers& numbers) { Exchanger(numbers).actions(actions); }

void renumber(openflow::Group& group, const FlowNumbers& numbers) {
  const Exchanger exchanger(numbers);
  group.id = exchanged(numbers.group, group.id);
  for (openflow::Bucket& bucket : group.buckets) {
    if (bucket.watch_port) exchanger.port(*bucket.watch_port);
    if (bucket.watch_group) *bucket.watch_group = exchanged(numbers.group, *bucket.watch_group);
    exchanger.actions(bucket.actions);
  }
}

std::optional<std::uint32_t> number_in(const Match& match, FieldId field) {
  const std::uint64_t all = openflow::ones64(openflow::info(field).bits);
  if (match.mask_of(field).low != all) return std::nullopt;
  return static_cast<std::uint32_t>(match.value_of(field).low);
}

Match without(const Match& match, FieldId field) {
  const openflow::FieldInfo& info = openflow::info(field);
  const std::uint64_t bits = openflow::ones64(info.bits) << info.shift;
  std::vector<openflow::MatchWord> left;
  for (openflow::MatchWord word : match.words) {
    if (word.index == info.word) {
      word.mask &= ~bits;
      word.value &= ~bits;
    }
    if (word.mask != 0) left.push_back(word);
  }
  return {{left.begin(), left.end()}, match.unmodelled};
}

std::optional<std::uint32_t> vlan_set(const Actions& actions) {
  std::optional<std::uint32_t> vlan;
  for (const Action& action : actions) {
    if (const auto* set = std::get_if<openflow::SetVlanVid>(&action.variant())) vlan = set->vid;
    const auto* set = std::get_if<openflow::SetField>(&action.variant());
    if (set != nullptr && is_vlan(set->field) && (set->mask.low & kVid) == kVid)
      vlan = static_cast<std::uint32_t>(set->value.low & kVid);
  }
  return vlan;
}

std::optional<std::uint64_t> key_set(const Actions& actions) {
  std::optional<std::uint64_t> key;
  for (const Action& action : actions) {
    const auto* set = std::get_if<openflow::SetField>(&action.variant());
    if (set != nullptr && set->field == FieldId::TunId) key = set->value.low;
  }
  return key;
}

}  // namespace dvrtrace::diff
