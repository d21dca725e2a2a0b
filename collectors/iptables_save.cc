#include "collectors/iptables_save.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/iptables_rule.h"
#include "collectors/iptables_words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using iptables::Fault;

class SaveReader {
 public:
  SaveReader(const SourceText& text, Family family, ReadLog& log) : text_(text), log_(log) {
    result_.family = family;
  }

  kernel::Iptables read_dump();
  kernel::Iptables read_spec(std::string_view name);

 private:
  using State = tl::expected<LineState, Fault>;

  State read_dump_line(std::string_view line);
  State read_spec_line(std::string_view line);
  State open_table(std::string_view line);
  State close_table(std::string_view line);
  State declare(std::string_view line);
  State counted_rule(std::string_view line);
  State set_policy(std::string_view words, std::string_view line);
  State new_chain(std::string_view words, std::string_view line);
  State rule(std::string_view words, kernel::IptablesRule counted);

  void finish(const State& state);
  void broken_off();
  kernel::IptablesTable* table() { return open_ ? &result_.tables[*open_] : nullptr; }
  void open(std::string_view name);
  kernel::Chain& add_chain(std::string_view name, std::optional<bool> policy, std::string_view line);
  kernel::Chain& chain_of_rule(std::string_view name);
  kernel::Chain* find_chain(std::string_view name);
  Provenance at(std::string_view word) const { return text_.provenance(iptables::span_of(text_, word)); }

  const SourceText& text_;
  ReadLog& log_;
  kernel::Iptables result_;
  std::optional<std::size_t> open_;  // the table that lines go to
  Span line_;
  std::string_view opened_;     // the line that opened it
  std::size_t last_chain_ = 0;  // the rules of a chain stand together
};

kernel::Iptables SaveReader::read_dump() {
  for (const Span line : lines_of(text_.bytes)) {
    line_ = line;
    finish(read_dump_line(trim(text_.at(line))));
  }
  if (open_) broken_off();
  return std::move(result_);
}

kernel::Iptables SaveReader::read_spec(std::string_view name) {
  open(name);
  for (const Span line : lines_of(text_.bytes)) {
    line_ = line;
    finish(read_spec_line(trim(text_.at(line))));
  }
  if (table()->chains.empty() && table()->complete) result_.tables.clear();
  return std::move(result_);
}

void SaveReader::finish(const State& state) {
  log_.lines.count(state.value_or(LineState::Unrecognised));
  if (state) return;
  const std::string hint = table() == nullptr
                               ? "the line belongs to no table and is left out"
                               : fmt::format(
                                     "table {} is incomplete; a packet that this line might decide ends "
                                     "\"unknown\"",
                                     table()->name);
  iptables::report(text_, line_, state.error(), hint, log_);
  if (table() != nullptr) table()->complete = false;
}

SaveReader::State SaveReader::read_dump_line(std::string_view line) {
  if (line.empty()) return LineState::Ignored;
  if (iptables::is_remark(line)) return iptables::read_remark(text_, line, result_, log_);
  if (line.starts_with('*')) return open_table(line);
  if (line == "COMMIT") return close_table(line);
  if (table() == nullptr) return iptables::fault(line, "'*' and the name of a table");
  if (line.starts_with(':')) return declare(line);
  return counted_rule(line);
}

SaveReader::State SaveReader::read_spec_line(std::string_view line) {
  if (line.empty()) return LineState::Ignored;
  if (iptables::is_remark(line)) return iptables::read_remark(text_, line, result_, log_);
  std::string_view words = line;
  const std::string_view command = take_word(words);
  if (command == "-P" || command == "--policy") return set_policy(words, line);
  if (command == "-N" || command == "--new-chain") return new_chain(words, line);
  if (command == "-A" || command == "--append") return rule(words, {});
  return iptables::fault(command, "-P, -N or -A");
}

SaveReader::State SaveReader::open_table(std::string_view line) {
  if (open_) broken_off();
  const std::string_view name = trim(line.substr(1));
  if (name.empty()) return iptables::fault(line, "the name of a table after '*'");
  if (const kernel::IptablesTable* before = result_.find(name); before != nullptr && before->complete) {
    log_.diagnostics.warning(at(line), fmt::format("table {} opens a second time", printable(name)),
                             "lookups use the first one");
  }
  open(name);
  opened_ = line;
  return LineState::Modelled;
}

void SaveReader::open(std::string_view name) {
  open_ = result_.tables.size();
  last_chain_ = 0;
  result_.tables.push_back({std::string(name), {}, true});
}

SaveReader::State SaveReader::close_table(std::string_view line) {
  if (!open_) return iptables::fault(line, "'*' and the name of a table");
  open_.reset();
  return LineState::Ignored;
}

// ":PREROUTING ACCEPT [12:3456]", ":neutron-filter-top - [0:0]"
SaveReader::State SaveReader::declare(std::string_view line) {
  std::string_view words = line.substr(1);
  const std::string_view name = take_word(words), policy = take_word(words);
  if (name.empty()) return iptables::fault(line, "the name of a chain after ':'");
  if (policy == "-") {
    add_chain(name, std::nullopt, line);
  } else if (policy == "ACCEPT" || policy == "DROP") {
    add_chain(name, policy == "ACCEPT", line);
  } else {
    return iptables::fault(policy, "ACCEPT, DROP or '-'");
  }
  return LineState::Modelled;
}

// "-A CHAIN ...", with -c "[12:3456] -A CHAIN ..."
SaveReader::State SaveReader::counted_rule(std::string_view line) {
  kernel::IptablesRule counted;
  std::string_view words = line;
  std::string_view command = take_word(words);
  if (command.starts_with('[')) {
    std::string_view counters = command.substr(1);
    counted.packets = number(take_until(counters, ':'));
    counted.bytes = number(take_until(counters, ']'));
    if (!counted.packets || !counted.bytes || !counters.empty()) {
      return iptables::fault(command, "counters as [packets:bytes]");
    }
    command = take_word(words);
  }
  if (command != "-A") return iptables::fault(command, "-A, ':' and a chain, or COMMIT");
  return rule(words, std::move(counted));
}

SaveReader::State SaveReader::set_policy(std::string_view words, std::string_view line) {
  const std::string_view name = take_word(words), policy = take_word(words);
  if (name.empty()) return iptables::fault(name, "the name of a chain");
  if (policy != "ACCEPT" && policy != "DROP") return iptables::fault(policy, "ACCEPT or DROP");
  add_chain(name, policy == "ACCEPT", line);
  return LineState::Modelled;
}

SaveReader::State SaveReader::new_chain(std::string_view words, std::string_view line) {
  const std::string_view name = take_word(words);
  if (name.empty()) return iptables::fault(name, "the name of a chain");
  add_chain(name, std::nullopt, line);
  return LineState::Modelled;
}

SaveReader::State SaveReader::rule(std::string_view words, kernel::IptablesRule counted) {
  const std::string_view name = take_word(words);
  if (name.empty()) return iptables::fault(name, "the name of a chain");
  auto rule = iptables::read_rule(words, result_.family);
  if (!rule) return tl::unexpected<Fault>(std::move(rule.error()));
  if (counted.packets) {
    rule->packets = counted.packets;
    rule->bytes = counted.bytes;
  }
  const LineState state = iptables::state_of(*rule);
  chain_of_rule(name).rules.push_back({std::move(*rule), text_.provenance(line_)});
  return state;
}

kernel::Chain* SaveReader::find_chain(std::string_view name) {
  std::vector<kernel::Chain>& chains = table()->chains;
  if (last_chain_ < chains.size() && chains[last_chain_].name == name) return &chains[last_chain_];
  const auto found = std::ranges::find(chains, name, &kernel::Chain::name);
  if (found == chains.end()) return nullptr;
  last_chain_ = static_cast<std::size_t>(found - chains.begin());
  return &*found;
}

kernel::Chain& SaveReader::add_chain(std::string_view name, std::optional<bool> policy,
                                     std::string_view line) {
  if (kernel::Chain* chain = find_chain(name)) {
    chain->policy_accept = policy;
    return *chain;
  }
  return table()->chains.emplace_back(kernel::Chain{std::string(name), policy, at(line), {}});
}

// Both dumps declare every chain before its rules; where the declaration is lost, others may be.
kernel::Chain& SaveReader::chain_of_rule(std::string_view name) {
  if (kernel::Chain* chain = find_chain(name)) return *chain;
  log_.diagnostics.warning(at(name), fmt::format("chain {} was not declared", printable(name)),
                           fmt::format("earlier lines are missing; table {} is incomplete", table()->name));
  table()->complete = false;
  return add_chain(name, std::nullopt, name);
}

void SaveReader::broken_off() {
  table()->complete = false;
  open_.reset();
  log_.diagnostics.error(
      at(opened_), fmt::format("table {} has no COMMIT", printable(opened_.substr(1))),
      "the dump breaks off; rules may be missing, and what they would decide ends \"unknown\"");
}

}  // namespace

kernel::Iptables read_iptables_save(const SourceText& text, Family family, ReadLog& log) {
  return SaveReader(text, family, log).read_dump();
}

kernel::Iptables read_iptables_spec(const SourceText& text, Family family, std::string_view table,
                                    ReadLog& log) {
  return SaveReader(text, family, log).read_spec(table);
}

}  // namespace dvrtrace
