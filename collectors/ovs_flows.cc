#include "collectors/ovs_flows.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <thread>

#include "src/base/text.h"
#include "src/openflow/action_reader.h"
#include "src/openflow/flow_reader.h"
#include "src/openflow/value.h"

namespace dvrtrace {
namespace {

using openflow::FlowLine;
using openflow::FlowTable;

// A flow that cannot be said in the dump's OpenFlow version ends the message there: the tool prints
// this and a hex dump, and the flows behind it are missing.
bool is_decode_error(std::string_view line) { return line.find("***decode error") != std::string_view::npos; }

bool is_hex_dump(std::string_view line) {
  const std::string_view offset = line.substr(0, line.find(' '));
  return offset.size() == 8 && line.size() > 10 && hex_number(offset) && line.find("  ") == 8;
}

// Log lines of the tools: "2026-11-21T20:53:37Z|00001|ofp_util|WARN|...".
bool is_log_line(std::string_view line) {
  return line.size() > 20 && line[4] == '-' && line[7] == '-' && line[10] == 'T' &&
         std::count(line.begin(), line.end(), '|') >= 3;
}

class FlowDumpReader {
 public:
  FlowDumpReader(const SourceText& text, ReadLog& log) : text_(text), log_(log), known_(text.bytes.size()) {}

  FlowTable read(Span part) {
    // Rows are of like length: one guess saves the moves of a growing vector.
    const std::string_view bytes = text_.at(part);
    const std::string_view sample = bytes.substr(0, 65536);
    const auto sample_lines = static_cast<std::size_t>(std::count(sample.begin(), sample.end(), '\n')) + 1;
    table_.flows.reserve(bytes.size() / (sample.size() / sample_lines + 1) + 1);
    for (const Span span : lines_of(bytes))
      log_.lines.count(line({part.begin + span.begin, part.begin + span.end}));
    return std::move(table_);
  }

 private:
  LineState line(Span span) {
    const std::string_view bytes = text_.at(span);
    FlowLine read = openflow::read_flow_line(bytes, span.begin, table_.names, known_);
    switch (read.kind) {
      case FlowLine::Kind::Noise:
      case FlowLine::Kind::Header:
        return LineState::Ignored;
      case FlowLine::Kind::Flow:
        return flow(std::move(read), span);
      case FlowLine::Kind::Bad:
        return bad(read, span);
    }
    return LineState::Unrecognised;
  }

  LineState flow(FlowLine&& read, Span span) {
    for (const std::string& field : read.ignored) {
      log_.diagnostics.warning(text_.provenance(span),
                               fmt::format("{} without the protocol that has it", field),
                               "the switch ignores the field; so does dvrtrace");
    }
    const bool whole = read.row.flow.match.unmodelled.empty();
    read.row.at = text_.provenance(span);
    table_.flows.push_back(std::move(read.row));
    return whole ? LineState::Modelled : LineState::Unmodelled;
  }

  LineState bad(const FlowLine& read, Span span) {
    const std::string_view bytes = text_.at(span);
    if (is_decode_error(bytes)) {
      table_.truncated = true;
      log_.diagnostics.error(text_.provenance(span),
                             "the dump breaks off: a flow cannot be said in its OpenFlow version",
                             "flows are missing; take the dump with -O OpenFlow15 (or 13)");
      return LineState::Unrecognised;
    }
    if (table_.truncated && is_hex_dump(trim(bytes))) return LineState::Ignored;
    if (is_log_line(trim(bytes))) return LineState::Ignored;
    const Span place{span.begin + read.error.begin, span.begin + std::max(read.error.begin, read.error.end)};
    const std::string hint =
        read.table
            ? fmt::format("table {} is incomplete; a lookup that this line might win ends \"unknown\"",
                          read.table->value)
            : std::string("the dump is incomplete; a lookup that this line might win ends \"unknown\"");
    log_.diagnostics.error(text_.provenance(place), read.error.message, hint);
    table_.unread.push_back({read.table, text_.provenance(span)});
    return LineState::Unrecognised;
  }

  const SourceText& text_;
  ReadLog& log_;
  FlowTable table_;
  openflow::KnownActions known_;
};

}  // namespace

namespace {

// Below this a thread costs more than it saves.
constexpr std::size_t kBytesPerThread = 1 << 20;

// The text in parts of about one size that end with lines.
std::vector<Span> parts_of(std::string_view bytes, std::size_t parts) {
  std::vector<Span> out;
  std::size_t begin = 0;
  for (std::size_t part = 1; part <= parts && begin < bytes.size(); ++part) {
    std::size_t end = part == parts ? bytes.size() : std::max(begin, bytes.size() * part / parts);
    if (part < parts) {
      const std::size_t newline = bytes.find('\n', end);
      end = newline == std::string_view::npos ? bytes.size() : newline + 1;
    }
    out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    begin = end;
  }
  return out;
}

struct PartRead {
  Diagnostics diagnostics;
  LineCounts lines;
  FlowTable table;
};

// Appends a later part. What broke off in an earlier one says nothing of its lines.
void append(FlowTable& table, FlowTable part) {
  std::move(part.flows.begin(), part.flows.end(), std::back_inserter(table.flows));
  table.unread.insert(table.unread.end(), part.unread.begin(), part.unread.end());
  table.truncated = table.truncated || part.truncated;
}

}  // namespace

openflow::FlowTable read_flow_dump(const SourceText& text, ReadLog& log) {
  const Span whole{0, static_cast<std::uint32_t>(text.bytes.size())};
  const std::size_t threads =
      std::min<std::size_t>(std::thread::hardware_concurrency(), text.bytes.size() / kBytesPerThread);
  // Names have numbers by the order in which they are met, and a hex dump follows from the line above
  // it: such texts are read by one thread.
  const bool apart =
      text.bytes.find('"') == std::string_view::npos && text.bytes.find("***") == std::string_view::npos;
  if (threads < 2 || !apart) return FlowDumpReader(text, log).read(whole);
  std::vector<std::future<PartRead>> reading;
  for (const Span part : parts_of(text.bytes, threads)) {
    reading.push_back(std::async(std::launch::async, [&text, part] {
      PartRead out;
      ReadLog own{out.diagnostics, {}};
      out.table = FlowDumpReader(text, own).read(part);
      out.lines = own.lines;
      return out;
    }));
  }
  std::vector<PartRead> parts;
  for (std::future<PartRead>& future : reading) parts.push_back(future.get());
  const bool bare_names = std::ranges::any_of(parts, [](const PartRead& part) {
    return !part.table.names.ports().empty() || !part.table.names.tables().empty();
  });
  if (bare_names) return FlowDumpReader(text, log).read(whole);
  FlowTable table = std::move(parts.front().table);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) append(table, std::move(parts[i].table));
    log.diagnostics.merge(std::move(parts[i].diagnostics));
    log.lines += parts[i].lines;
  }
  return table;
}

namespace {

using openflow::Bucket;
using openflow::Group;
using openflow::GroupType;

class GroupReader {
 public:
  GroupReader(std::string_view line, openflow::Names& names) : line_(line), names_(names) {}

  std::optional<Group> read() {
    std::string_view head = trim(line_.substr(0, line_.find("bucket=")));
    std::string_view rest = line_.substr(std::min(line_.size(), line_.find("bucket=")));
    if (!read_head(head)) return std::nullopt;
    while (!rest.empty()) {
      rest.remove_prefix(7);  // "bucket="
      const std::size_t next = next_bucket(rest);
      if (!read_bucket(trim(rest.substr(0, next)))) return std::nullopt;
      rest = next == std::string_view::npos ? std::string_view{} : rest.substr(next);
    }
    return std::move(group_);
  }

 private:
  static std::size_t next_bucket(std::string_view rest) { return rest.find("bucket="); }

  bool read_head(std::string_view head) {
    openflow::Scanner parts(head);
    bool has_id = false;
    for (parts.skip_separators(); !parts.done(); parts.skip_separators()) {
      std::string_view part = parts.value();
      if (part.empty()) return false;
      if (consume(part, "group_id=")) {
        const auto id = number<std::uint32_t>(part);
        if (!id) return false;
        group_.id = *id;
        has_id = true;
      } else if (consume(part, "type=")) {
        if (!read_type(part)) return false;
      } else if (consume(part, "selection_method=")) {
        group_.selection_method = part;
      } else if (part.starts_with("fields")) {
        group_.fields = part;
      } else if (!part.starts_with("selection_method_param=") && !part.starts_with("command_bucket_id=")) {
        return false;
      }
    }
    return has_id;
  }

  bool read_type(std::string_view type) {
    if (type == "all")
      group_.type = GroupType::All;
    else if (type == "indirect")
      group_.type = GroupType::Indirect;
    else if (type == "select")
      group_.type = GroupType::Select;
    else if (type == "ff" || type == "fast_failover")
      group_.type = GroupType::FastFailover;
    else
      return false;
    return true;
  }

  // "bucket_id:0,weight:10,watch_port:1,actions=output:1," or, in old releases, the actions alone.
  bool read_bucket(std::string_view text) {
    while (!text.empty() && (text.back() == ',' || is_blank(text.back()))) text.remove_suffix(1);
    Bucket bucket;
    const std::size_t at = text.find("actions=");
    openflow::Scanner parts(text);
    for (parts.skip_separators(); !parts.done(); parts.skip_separators()) {
      if (at != std::string_view::npos && parts.offset() >= at) break;
      const std::uint32_t begin = parts.offset();
      std::string_view part = parts.value();
      if (consume(part, "bucket_id:"))
        bucket.id = number<std::uint32_t>(part);
      else if (consume(part, "weight:"))
        bucket.weight = number<std::uint32_t>(part).value_or(1);
      else if (consume(part, "watch_port:"))
        bucket.watch_port = openflow::read_port(part, names_);
      else if (consume(part, "watch_group:"))
        bucket.watch_group = number<std::uint32_t>(part);
      else if (at == std::string_view::npos) {
        parts.move_to(begin);
        break;
      } else
        return false;
    }
    const std::string_view actions = at == std::string_view::npos ? parts.rest() : text.substr(at + 8);
    std::optional<openflow::ReadError> error;
    bucket.actions = openflow::read_actions(actions, names_, error);
    group_.buckets.push_back(std::move(bucket));
    return !error;
  }

  std::string_view line_;
  openflow::Names& names_;
  Group group_;
};

}  // namespace

std::vector<Sourced<openflow::Group>> read_group_dump(const SourceText& text, openflow::Names& names,
                                                      ReadLog& log) {
  std::vector<Sourced<Group>> groups;
  for (const Span span : lines_of(text.bytes)) {
    const std::string_view line = trim(text.at(span));
    LineState state = LineState::Ignored;
    if (!line.empty() && line.find("GROUP_DESC reply") == std::string_view::npos &&
        line.find("GROUP reply") == std::string_view::npos) {
      if (auto group = GroupReader(line, names).read()) {
        groups.push_back({std::move(*group), text.provenance(span)});
        state = LineState::Modelled;
      } else {
        log.diagnostics.error(
            text.provenance(span),
            fmt::format("expected group_id=N,type=T,bucket=..., found '{}'", line.substr(0, 60)),
            "a packet sent to this group ends \"unknown\"");
        state = LineState::Unrecognised;
      }
    }
    log.lines.count(state);
  }
  return groups;
}

}  // namespace dvrtrace
