#include "src/openflow/flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <unordered_map>

#include "src/base/overloaded.h"
#include "src/base/text.h"
#include "src/openflow/action_reader.h"
#include "src/openflow/flow_reader.h"
#include "src/openflow/group.h"
#include "src/openflow/match_reader.h"

namespace dvrtrace::openflow {
namespace {

// The words before the match that are about the row and not about packets.
enum class Word : std::uint8_t {
  Cookie,
  Duration,
  Table,
  Packets,
  Bytes,
  IdleTimeout,
  HardTimeout,
  IdleAge,
  HardAge,
  Priority,
  Skip
};
struct HeadWord {
  std::string_view name;
  Word word;
};
// By length: every key of every row is looked up here first, and most are a match's.
constexpr HeadWord kHead5[] = {{"table", Word::Table}};
constexpr HeadWord kHead6[] = {{"cookie", Word::Cookie}};
constexpr HeadWord kHead7[] = {{"n_bytes", Word::Bytes}};
constexpr HeadWord kHead8[] = {{"priority", Word::Priority}, {"duration", Word::Duration},
                               {"idle_age", Word::IdleAge},  {"hard_age", Word::HardAge},
                               {"table_id", Word::Table},    {"out_port", Word::Skip}};
constexpr HeadWord kHead9[] = {{"n_packets", Word::Packets}};
constexpr HeadWord kHeadLong[] = {{"idle_timeout", Word::IdleTimeout}, {"hard_timeout", Word::HardTimeout},
                                  {"importance", Word::Skip},          {"send_flow_rem", Word::Skip},
                                  {"check_overlap", Word::Skip},       {"reset_counts", Word::Skip},
                                  {"no_packet_counts", Word::Skip},    {"no_byte_counts", Word::Skip},
                                  {"n_offload_packets", Word::Skip},   {"n_offload_bytes", Word::Skip}};

const HeadWord* find_head(std::string_view key) {
  std::span<const HeadWord> words;
  switch (key.size()) {
    case 5:
      words = kHead5;
      break;
    case 6:
      words = kHead6;
      break;
    case 7:
      words = kHead7;
      break;
    case 8:
      words = kHead8;
      break;
    case 9:
      words = kHead9;
      break;
    default:
      if (key.size() < 10) return nullptr;
      words = kHeadLong;
  }
  for (const HeadWord& word : words) {
    if (word.name == key) return &word;
  }
  return nullptr;
}

// What ovs-ofctl prints before a match, in its order, each with its '=': what comes next is mostly known.
struct NextWord {
  std::string_view text;
  HeadWord word;
};
constexpr NextWord kNextWords[] = {{"cookie=", {"cookie", Word::Cookie}},
                                   {"duration=", {"duration", Word::Duration}},
                                   {"table=", {"table", Word::Table}},
                                   {"n_packets=", {"n_packets", Word::Packets}},
                                   {"n_bytes=", {"n_bytes", Word::Bytes}},
                                   {"idle_timeout=", {"idle_timeout", Word::IdleTimeout}},
                                   {"hard_timeout=", {"hard_timeout", Word::HardTimeout}},
                                   {"idle_age=", {"idle_age", Word::IdleAge}},
                                   {"hard_age=", {"hard_age", Word::HardAge}},
                                   {"priority=", {"priority", Word::Priority}}};

// Whether `text` begins with a word of the list: by six letters at once, which no two of them share.
bool begins_with(std::string_view text, std::string_view word) {
  constexpr std::size_t kShortest = 6;
  return text.size() >= word.size() && std::memcmp(text.data(), word.data(), kShortest) == 0 &&
         text.substr(kShortest, word.size() - kShortest) == word.substr(kShortest);
}

class LineReader {
 public:
  LineReader(std::string_view line, std::uint32_t base, Names& names, KnownActions* known)
      : scanner_(line), base_(base), names_(names), known_(known), match_(names) {}

  FlowLine read() {
    FlowLine out;
    take_add_flows_word();
    head(out);
    if (scanner_.failed()) return bad(std::move(out));
    out.row.flow.match = match_.finish(&out.ignored);
    const std::uint32_t begin = scanner_.offset();
    const std::string_view text = trim(scanner_.rest());
    std::optional<ReadError> error;
    out.row.flow.actions = read_actions(text, names_, error, known_);
    const std::uint32_t at =
        begin + static_cast<std::uint32_t>(text.empty() ? 0 : text.data() - scanner_.rest().data());
    if (error) {
      scanner_.fail(at + error->begin, at + error->end, error->message);
      return bad(std::move(out));
    }
    if (text.empty()) {  // half a line: a whole one says "drop"
      scanner_.fail(begin, begin, "expected actions, found the end of the line");
      return bad(std::move(out));
    }
    out.row.actions_span = {base_ + at, base_ + at + static_cast<std::uint32_t>(text.size())};
    out.kind = FlowLine::Kind::Flow;
    return out;
  }

  // What the words before the match count, if they do.
  std::optional<FlowStats> stats() {
    Flow flow;
    const NextWord* next = std::begin(kNextWords);
    for (scanner_.skip_separators(); !scanner_.done(); scanner_.skip_separators()) {
      if (!next_word(next, flow)) {
        const std::string_view key = scanner_.word();
        const HeadWord* word = find_head(key);
        if (word == nullptr || !head_word(*word, key, flow)) break;
      }
    }
    return has_stats_ ? std::optional(stats_) : std::nullopt;
  }

 private:
  FlowLine bad(FlowLine out) {
    out.kind = FlowLine::Kind::Bad;
    out.error = *scanner_.error();
    if (table_read_) out.table = out.row.flow.table;
    return out;
  }

  // Lines for `ovs-ofctl --bundle add-flows` may say what to do with the flow.
  void take_add_flows_word() {
    scanner_.skip_separators();
    scanner_.take("add ");
  }

  // Everything up to and with "actions=".
  void head(FlowLine& out) {
    bool in_match = false;
    const NextWord* next = std::begin(kNextWords);
    for (scanner_.skip_separators(); !scanner_.done(); scanner_.skip_separators()) {
      if (next_word(next, out.row.flow)) {
        if (scanner_.failed()) return;
        continue;
      }
      const std::uint32_t begin = scanner_.offset();
      const std::string_view key = scanner_.word();
      if (key == "actions" || key == "action") {
        if (scanner_.take('=')) {
          table_read_ = true;
          return;
        }
      }
      if (key.empty()) return fail_here(begin);
      if (const HeadWord* word = find_head(key)) {
        if (!head_word(*word, key, out.row.flow)) return;
        if (scanner_.failed()) return;
        continue;
      }
      if (!match_.part(key, scanner_)) {
        scanner_.fail_at(key, fmt::format("expected a match field or actions=, found {}", quote(key)));
        return;
      }
      if (scanner_.failed()) return;
      const std::uint32_t end = scanner_.offset();
      if (!in_match) out.row.match_span = {base_ + begin, base_ + end};
      out.row.match_span.end = base_ + end;
      in_match = true;
    }
    table_read_ = false;
    scanner_.fail(scanner_.offset(), scanner_.offset(), "expected actions=, found the end of the line");
  }

  // Takes the first word from `next` on that stands here, if one does, and leaves `next` behind it.
  bool next_word(const NextWord*& next, Flow& flow) {
    while (next != std::end(kNextWords) && !begins_with(scanner_.rest(), next->text)) ++next;
    if (next == std::end(kNextWords)) return false;
    scanner_.move_to(scanner_.offset() + static_cast<std::uint32_t>(next->word.name.size()));
    head_word(next->word, next->word.name, flow);  // a failure ends the line
    ++next;
    return true;
  }

  void fail_here(std::uint32_t begin) {
    scanner_.fail(begin, begin + 1,
                  fmt::format("expected a match field or actions=, found {}", quote(scanner_.rest())));
  }

  bool head_word(const HeadWord& word, std::string_view key, Flow& flow) {
    if (!scanner_.take('=')) {
      if (word.word == Word::Skip) return true;
      scanner_.fail_at(key, fmt::format("expected '=' after {}", quote(key)));
      return false;
    }
    if (word.word == Word::Duration) return duration();
    const std::uint32_t begin = scanner_.offset();
    const auto value = scanner_.number();
    if (!value) return word.word == Word::Table ? table_name(begin, flow) : not_a_number(begin, key);
    const auto fits = [&](std::uint64_t most) {
      if (*value <= most) return true;
      scanner_.fail(begin, scanner_.offset(), fmt::format("{} is at most {}", key, most));
      return false;
    };
    switch (word.word) {
      case Word::Cookie:
        flow.cookie = *value;
        if (scanner_.take('/')) scanner_.number();
        return true;
      case Word::Table:
        if (!fits(0xfe)) return false;
        flow.table = TableId{static_cast<std::uint8_t>(*value)};
        table_read_ = true;
        return true;
      case Word::Priority:
        if (!fits(0xffff)) return false;
        flow.priority = static_cast<std::uint16_t>(*value);
        return true;
      case Word::IdleTimeout:
        if (!fits(0xffff)) return false;
        flow.idle_timeout = static_cast<std::uint16_t>(*value);
        return true;
      case Word::HardTimeout:
        if (!fits(0xffff)) return false;
        flow.hard_timeout = static_cast<std::uint16_t>(*value);
        return true;
      case Word::Packets:
        stats_.packets = *value;
        has_stats_ = true;
        return true;
      case Word::Bytes:
        stats_.bytes = *value;
        return true;
      case Word::IdleAge:
        stats_.idle_age = static_cast<std::uint32_t>(*value);
        return true;
      case Word::HardAge:
        stats_.hard_age = static_cast<std::uint32_t>(*value);
        return true;
      case Word::Duration:
      case Word::Skip:
        return true;
    }
    return true;
  }

  bool not_a_number(std::uint32_t begin, std::string_view key) {
    const std::string_view found = scanner_.value();
    scanner_.fail(begin, begin + static_cast<std::uint32_t>(found.size()),
                  fmt::format("expected a number for {}, found {}", key, quote(found)));
    return false;
  }

  bool table_name(std::uint32_t begin, Flow& flow) {
    const auto quoted = scanner_.quoted();
    const std::string_view bare = quoted ? std::string_view{} : scanner_.word();
    if (!quoted && bare.empty()) return not_a_number(begin, "table");
    flow.table = names_.table(quoted ? std::string_view(*quoted) : bare);
    return table_read_ = true;
  }

  // "12.345s" or "12s".
  bool duration() {
    const std::uint32_t begin = scanner_.offset();
    const auto seconds = scanner_.number();
    if (!seconds) return not_a_number(begin, "duration");
    std::uint64_t ms = 0;
    if (scanner_.take('.')) {
      std::uint64_t scale = 100;
      for (; is_digit(scanner_.peek()); scanner_.advance(), scale /= 10)
        ms += static_cast<std::uint64_t>(scanner_.peek() - '0') * scale;
    }
    scanner_.take('s');
    stats_.duration_ms = *seconds * 1000 + ms;
    has_stats_ = true;
    return true;
  }

  Scanner scanner_;
  std::uint32_t base_;
  Names& names_;
  KnownActions* known_;
  MatchReader match_;
  FlowStats stats_;
  bool has_stats_ = false, table_read_ = false;
};

// What stands between the rows: reply headers, and what collectors and shells leave.
bool is_header(std::string_view line) {
  return line.starts_with("NXST_FLOW reply") || line.starts_with("OFPST_FLOW reply") ||
         line.starts_with("OFPST_FLOW (") || line.starts_with("OFPMP_FLOW");
}

bool is_noise(std::string_view line) { return line.empty() || line.front() == '#'; }

}  // namespace

namespace {

FlowLine read_line(std::string_view line, std::uint32_t base, Names& names, KnownActions* known) {
  const std::string_view trimmed = trim(line);
  if (!is_noise(trimmed) && !is_header(trimmed)) return LineReader(line, base, names, known).read();
  FlowLine out;
  out.kind = is_noise(trimmed) ? FlowLine::Kind::Noise : FlowLine::Kind::Header;
  return out;
}

}  // namespace

FlowLine read_flow_line(std::string_view line, std::uint32_t base, Names& names) {
  return read_line(line, base, names, nullptr);
}

FlowLine read_flow_line(std::string_view line, std::uint32_t base, Names& names, KnownActions& known) {
  return read_line(line, base, names, &known);
}

std::optional<FlowStats> read_flow_stats(std::string_view line) {
  Names names;
  return LineReader(line, 0, names, nullptr).stats();
}

std::string to_string(const Flow& flow) {
  std::string out;
  if (flow.cookie != 0) out += fmt::format("cookie={:#x}, ", flow.cookie);
  if (flow.table.value != 0) out += fmt::format("table={}, ", flow.table.value);
  if (flow.idle_timeout != 0) out += fmt::format("idle_timeout={}, ", flow.idle_timeout);
  if (flow.hard_timeout != 0) out += fmt::format("hard_timeout={}, ", flow.hard_timeout);
  const std::string match = to_string(flow.match);
  if (flow.priority != kDefaultPriority)
    out += fmt::format("priority={}{}", flow.priority, match.empty() ? "" : ",");
  out += match;
  if (!out.empty() && out.back() != ' ') out += ' ';
  return out + "actions=" + to_string(flow.actions);
}

namespace {

// Lists of actions in which something is changed: rows that shared a list share the changed one.
class ChangedLists {
 public:
  template <class Change>
  void change(Actions& actions, Change change) {
    if (actions.empty()) return;
    auto& [before, after] = known_[actions.identity()];
    if (after.empty()) {
      before = after = actions;
      for (Action& action : after.own()) change(action);
    }
    actions = after;
  }

 private:
  // By identity, which `before` keeps from being given to another list.
  struct Known {
    Actions before, after;
  };
  std::unordered_map<const void*, Known> known_;
};

class PortResolver {
 public:
  PortResolver(const Names& names, const PortNumber& number) {
    for (const std::string& name : names.ports()) {
      const auto port = number(name);
      numbers_.push_back(port.value_or(kPortNone));
      if (!port) unknown.push_back(name);
    }
  }

  void resolve(Flow& flow) {
    const FieldInfo& field = info(FieldId::InPort);
    for (MatchWord& word : flow.match.words.own()) {
      if (word.index != field.word || (word.mask >> field.shift & ones64(field.bits)) == 0) continue;
      Ofport port{static_cast<std::uint32_t>(word.value >> field.shift & ones64(field.bits))};
      resolve(port);
      word.value = (word.value & ~(ones64(field.bits) << field.shift)) | std::uint64_t{port.value}
                                                                             << field.shift;
    }
    resolve(flow.actions);
  }

  void resolve(Group& group) {
    for (Bucket& bucket : group.buckets) {
      if (bucket.watch_port) resolve(*bucket.watch_port);
      resolve(bucket.actions);
    }
  }

  void resolve(Actions& actions) {
    lists_.change(actions, [&](Action& action) { resolve(action); });
  }

  std::vector<std::string> unknown;

 private:
  void resolve(Action& action) {
    std::visit(overloaded{[&](Output& a) { resolve(a.port); }, [&](OutputTruncated& a) { resolve(a.port); },
                          [&](Enqueue& a) { resolve(a.port); },
                          [&](Resubmit& a) {
                            if (a.in_port) resolve(*a.in_port);
                          },
                          [&](SetField& a) {
                            Ofport port{static_cast<std::uint32_t>(a.value.low)};
                            if (a.field != FieldId::InPort) return;
                            resolve(port);
                            a.value.low = port.value;
                          },
                          [&](Bundle& a) {
                            for (Ofport& port : a.spec->members) resolve(port);
                          },
                          [&](Clone& a) { resolve(a.actions); }, [&](WriteActions& a) { resolve(a.actions); },
                          [](auto&) {}},  // the others name no port
               action.variant());
  }

  void resolve(Ofport& port) const {
    if (port.value >= kNamedPort && port.value - kNamedPort < numbers_.size())
      port = numbers_[port.value - kNamedPort];
  }
  std::vector<Ofport> numbers_;
  ChangedLists lists_;
};

}  // namespace

std::vector<std::string> resolve_ports(FlowTable& table, const PortNumber& number) {
  if (table.names.ports().empty()) return {};
  PortResolver resolver(table.names, number);
  for (FlowRow& row : table.flows) resolver.resolve(row.flow);
  return std::move(resolver.unknown);
}

void resolve_ports(Group& group, const Names& names, const PortNumber& number) {
  if (!names.ports().empty()) PortResolver(names, number).resolve(group);
}

namespace {

class TableResolver {
 public:
  void replace(TableId stand_in, TableId number) { numbers_[stand_in.value] = number; }

  void resolve(Flow& flow) {
    resolve(flow.table);
    resolve(flow.actions);
  }

  void resolve(Actions& actions) {
    lists_.change(actions, [&](Action& action) { resolve(action); });
  }

  void resolve(TableId& table) {
    if (const auto& number = numbers_[table.value]) table = *number;
  }
  void resolve(std::optional<TableId>& table) {
    if (table) resolve(*table);
  }

 private:
  void resolve(Action& action) {
    std::visit(overloaded{[&](Resubmit& a) { resolve(a.table); }, [&](GotoTable& a) { resolve(a.table); },
                          [&](Ct& a) { resolve(a.spec->table); }, [&](Learn& a) { resolve(a.spec->table); },
                          [&](Clone& a) { resolve(a.actions); }, [&](WriteActions& a) { resolve(a.actions); },
                          [](auto&) {}},  // the others name no table
               action.variant());
  }

  std::array<std::optional<TableId>, 256> numbers_;
  ChangedLists lists_;
};

}  // namespace

std::vector<std::string> resolve_tables(FlowTable& table, const TableNumber& number) {
  std::vector<std::string> unknown;
  const std::vector<std::string>& names = table.names.tables();
  if (names.empty()) return unknown;
  TableResolver resolver;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto known = number(names[i]))
      resolver.replace(Names::stand_in(i), *known);
    else
      unknown.push_back(names[i]);
  }
  for (FlowRow& row : table.flows) resolver.resolve(row.flow);
  for (auto& bad : table.unread) resolver.resolve(bad.value);
  return unknown;
}

}  // namespace dvrtrace::openflow
