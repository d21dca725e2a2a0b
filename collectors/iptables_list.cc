#include "collectors/iptables_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "collectors/iptables_phrases.h"
#include "collectors/iptables_words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

using iptables::Fault;

// Which columns the listing has; by default those of -nvL.
struct Columns {
  bool number = false, counters = true, devices = true;
};

// "target prot opt source destination" and what -v and --line-numbers add.
std::optional<Columns> read_columns(std::string_view line) {
  Columns columns{false, false, false};
  bool target = false, protocol = false;
  for (const std::string_view word : words_of(line)) {
    if (word == "num")
      columns.number = true;
    else if (word == "pkts")
      columns.counters = true;
    else if (word == "in")
      columns.devices = true;
    else if (word == "target")
      target = true;
    else if (word == "prot")
      protocol = true;
    else if (word != "bytes" && word != "opt" && word != "out" && word != "source" && word != "destination")
      return std::nullopt;
  }
  if (!target || !protocol) return std::nullopt;
  return columns;
}

// "1234", "12K", "3M": iptables divides by 1000.
std::optional<std::uint64_t> read_counter(std::string_view word) {
  constexpr std::string_view kSuffixes = "KMGTP";
  std::uint64_t unit = 1;
  if (const std::size_t at = word.empty() ? word.npos : kSuffixes.find(word.back()); at != word.npos) {
    for (std::size_t i = 0; i <= at; ++i) unit *= 1000;
    word.remove_suffix(1);
  }
  const auto count = number(word);
  if (!count || *count > UINT64_MAX / unit) return std::nullopt;
  return *count * unit;
}

bool is_opt(std::string_view word) { return word == "--" || word == "-f" || word == "!f" || word == "!-"; }

bool is_protocol(std::string_view word) {
  consume(word, "!");
  return iptables::protocol_number(word).has_value();
}

// The words of a row after the counters. `target` and `opt` are "" where the column is blank.
struct Row {
  std::string_view target, protocol, opt, in = "*", out = "*", source, destination, tail;
};

// A blank column leaves no word. The target is blank in a rule that only counts, opt in all that
// ip6tables printed before 1.8.9.
tl::expected<Row, Fault> split_row(std::string_view words, Family family, const Columns& columns) {
  std::string_view ahead = words;
  const std::string_view first = take_word(ahead), second = take_word(ahead), third = take_word(ahead);
  const bool opt_third = is_opt(third), opt_second = is_opt(second);
  const bool blank_opt = family == Family::V6 && !opt_third && !opt_second;
  const bool has_target = opt_third || (blank_opt && is_protocol(second));
  if (!opt_third && !opt_second && !(blank_opt && (has_target || is_protocol(first)))) {
    return iptables::fault(first, "a target, a protocol and options");
  }
  Row row;
  if (has_target) row.target = take_word(words);
  row.protocol = take_word(words);
  if (!blank_opt) row.opt = take_word(words);
  if (columns.devices) {
    row.in = take_word(words);
    row.out = take_word(words);
  }
  row.source = take_word(words);
  row.destination = take_word(words);
  if (row.destination.empty()) return iptables::fault(row.destination, "a source and a destination");
  row.tail = words;
  return row;
}

void add_address(std::string_view word, bool source, Family family, kernel::IptablesRule& rule) {
  const bool inverted = consume(word, "!");
  auto match = iptables::address_match(word, source, inverted, family);
  if (match) rule.matches.push_back(std::move(*match));
}

void add_device(std::string_view word, bool in, kernel::IptablesRule& rule) {
  const bool inverted = consume(word, "!");
  if (word == "*" || word == "any") return;  // "any" without -n
  rule.matches.push_back(kernel::DeviceMatch{in, inverted, std::string(word)});
}

void add_protocol(std::string_view word, kernel::IptablesRule& rule) {
  const bool inverted = consume(word, "!");
  const auto protocol = iptables::protocol_number(word);
  if (!protocol) {
    rule.matches.push_back(kernel::UnmodelledMatch{fmt::format("{}-p {}", inverted ? "! " : "", word)});
  } else if (*protocol != 0) {
    rule.matches.push_back(kernel::ProtocolMatch{inverted, *protocol});
  }
}

// In the order of iptables-save.
void add_columns(const Row& row, Family family, kernel::IptablesRule& rule) {
  add_address(row.source, true, family, rule);
  add_address(row.destination, false, family, rule);
  add_device(row.in, true, rule);
  add_device(row.out, false, rule);
  add_protocol(row.protocol, rule);
  if (row.opt == "-f" || row.opt == "!f") rule.matches.push_back(kernel::FragmentMatch{row.opt == "!f"});
}

class ListReader {
 public:
  ListReader(const SourceText& text, Family family, ReadLog& log) : text_(text), log_(log) {
    result_.family = family;
  }
  kernel::Iptables read(std::string_view table);

 private:
  using State = tl::expected<LineState, Fault>;

  State read_line(std::string_view line);
  State chain(std::string_view line);
  State rule(std::string_view line);
  void add_chain(std::string_view name, std::string_view line);
  std::optional<Fault> counters(std::string_view& words, kernel::IptablesRule& rule) const;
  void finish(const State& state);
  void check_columns(Span line);
  void check_chains();
  kernel::IptablesTable& table() { return result_.tables.front(); }

  const SourceText& text_;
  ReadLog& log_;
  kernel::Iptables result_;
  Columns columns_;
  Span line_;
  bool said_no_devices_ = false;
};

kernel::Iptables ListReader::read(std::string_view name) {
  result_.tables.push_back({std::string(name), {}, true});
  for (const Span line : lines_of(text_.bytes)) {
    line_ = line;
    finish(read_line(trim(text_.at(line))));
  }
  check_chains();
  if (table().chains.empty() && table().complete) result_.tables.clear();
  return std::move(result_);
}

void ListReader::finish(const State& state) {
  log_.lines.count(state.value_or(LineState::Unrecognised));
  if (state) return;
  iptables::report(
      text_, line_, state.error(),
      fmt::format("table {} is incomplete; a packet that this line might decide ends \"unknown\"",
                  table().name),
      log_);
  table().complete = false;
}

ListReader::State ListReader::read_line(std::string_view line) {
  if (line.empty()) return LineState::Ignored;
  if (iptables::is_remark(line)) return iptables::read_remark(text_, line, result_, log_);
  if (line.starts_with("Chain ")) return chain(line);
  if (const auto columns = read_columns(line)) {
    columns_ = *columns;
    check_columns(line_);
    return LineState::Ignored;
  }
  return rule(line);
}

// "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)", "Chain neutron-filter-top (2 references)"
ListReader::State ListReader::chain(std::string_view line) {
  std::string_view words = line;
  take_word(words);
  const std::string_view name = take_word(words), kind = take_word(words), policy = take_word(words);
  add_chain(name, line);
  if (kind == "(policy") {
    const std::string_view verdict = policy.substr(0, policy.find(')'));
    if (verdict != "ACCEPT" && verdict != "DROP") return iptables::fault(policy, "ACCEPT or DROP");
    table().chains.back().policy_accept = verdict == "ACCEPT";
  } else if (!kind.starts_with('(')) {
    return iptables::fault(kind, "a policy or references in brackets");
  }
  return LineState::Modelled;
}

// Even when the rest of its line cannot be read: the rules that follow are not the last chain's.
void ListReader::add_chain(std::string_view name, std::string_view line) {
  if (table().find(name) != nullptr) {
    table().complete = false;
    log_.diagnostics.warning(text_.provenance(iptables::span_of(text_, line)),
                             fmt::format("chain {} is listed a second time", printable(name)),
                             fmt::format("lookups use the first one; table {} is incomplete", table().name));
  }
  table().chains.push_back({std::string(name), std::nullopt, text_.provenance(line_), {}});
}

ListReader::State ListReader::rule(std::string_view line) {
  if (table().chains.empty()) return iptables::fault(line, "a line \"Chain ...\" before the rules");
  kernel::IptablesRule rule;
  std::string_view words = line;
  if (auto bad = counters(words, rule)) return tl::unexpected<Fault>(std::move(*bad));
  const auto row = split_row(words, result_.family, columns_);
  if (!row) return tl::unexpected<Fault>(row.error());
  add_columns(*row, result_.family, rule);
  iptables::read_phrases(row->tail, row->target, result_.family, rule);
  const LineState state = iptables::state_of(rule);
  table().chains.back().rules.push_back({std::move(rule), text_.provenance(line_)});
  return state;
}

std::optional<Fault> ListReader::counters(std::string_view& words, kernel::IptablesRule& rule) const {
  if (columns_.number) {
    const std::string_view word = take_word(words);
    if (!number(word)) return Fault{word, "the number of a rule"};
  }
  if (!columns_.counters) return std::nullopt;
  const std::string_view packets = take_word(words), bytes = take_word(words);
  rule.packets = read_counter(packets);
  if (!rule.packets) return Fault{packets, "a number of packets"};
  rule.bytes = read_counter(bytes);
  if (!rule.bytes) return Fault{bytes, "a number of bytes"};
  return std::nullopt;
}

void ListReader::check_columns(Span line) {
  if (columns_.devices || said_no_devices_) return;
  said_no_devices_ = true;
  table().complete = false;
  log_.diagnostics.warning(
      text_.provenance(line), "the listing has no in and out columns (-v was not given)",
      fmt::format("a rule may be bound to a device that is not shown; table {} is incomplete", table().name));
}

void ListReader::check_chains() {
  const auto& chains = table().chains;
  const auto built_in = [](const kernel::Chain& chain) { return chain.policy_accept.has_value(); };
  if (chains.empty() || std::ranges::any_of(chains, built_in)) return;
  table().complete = false;
  log_.diagnostics.note(chains.front().at, "the listing has no built-in chain",
                        fmt::format("it is of single chains; table {} is incomplete", table().name));
}

}  // namespace

kernel::Iptables read_iptables_list(const SourceText& text, Family family, std::string_view table,
                                    ReadLog& log) {
  return ListReader(text, family, log).read(table);
}

}  // namespace dvrtrace
