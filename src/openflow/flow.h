// Flow: one row of an OpenFlow table; FlowTable: all that one dump of a bridge holds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/net/ids.h"
#include "src/openflow/action.h"
#include "src/openflow/match.h"
#include "src/openflow/names.h"
#include "src/openflow/scanner.h"

namespace dvrtrace::openflow {

inline constexpr std::uint16_t kDefaultPriority = 32768;

// What the switch counted. It is evidence, not meaning: it stays in the text, and is read when it is asked for.
struct FlowStats {
  std::uint64_t packets = 0, bytes = 0;
  std::uint64_t duration_ms = 0;
  std::optional<std::uint32_t> idle_age, hard_age;  // seconds
  bool operator==(const FlowStats&) const = default;
};

struct Group;

struct Flow {
  TableId table;
  std::uint16_t priority = kDefaultPriority;
  std::uint16_t idle_timeout = 0, hard_timeout = 0;  // seconds; 0: none
  std::uint64_t cookie = 0;
  Match match;
  Actions actions;
  bool operator==(const Flow&) const = default;
};

struct FlowRow {
  Flow flow;
  Provenance at;
  // Where the match and the actions stand in the source, to be shown as they were written.
  Span match_span, actions_span;
};

struct FlowTable {
  std::vector<FlowRow> flows;
  Names names;  // that the dump has in place of numbers
  // Rows of the dump that did not read, with their table when that could be seen. A lookup that such
  // a row might have won is not decided.
  std::vector<Sourced<std::optional<TableId>>> unread;
  bool truncated = false;  // broken off, or its beginning is lost
};

// What became of one line of a dump of flows.
struct FlowLine {
  enum class Kind { Flow, Header, Noise, Bad };
  Kind kind = Kind::Bad;
  FlowRow row;                        // Flow
  std::vector<std::string> ignored;   // fields of the match that constrain nothing there
  std::optional<TableId> table;       // Bad: as far as it could be read
  ReadError error;                    // Bad: within the line
};

// Reads one line: any dialect of `ovs-ofctl dump-flows` and `ovs-appctl bridge/dump-flows`, and the
// lines that `add-flows` takes. `base` is the line's offset in its source.
FlowLine read_flow_line(std::string_view line, std::uint32_t base, Names& names);

// Of a line that read as a flow; none in a --no-stats dump.
std::optional<FlowStats> read_flow_stats(std::string_view line);

// The flow as `ovs-ofctl --no-stats dump-flows` prints it, and `add-flows` takes it.
std::string to_string(const Flow& flow);

// Put by a learn() action, and so coming and going with the traffic: a hard or idle timeout says so.
inline bool learned(const Flow& flow) { return flow.hard_timeout != 0 || flow.idle_timeout != 0; }

using PortNumber = std::function<std::optional<Ofport>(std::string_view)>;
using TableNumber = std::function<std::optional<TableId>(std::string_view)>;

// Replaces the stand-ins of port names by what `number` says; ports that it does not know become
// kPortNone and their names are returned.
std::vector<std::string> resolve_ports(FlowTable& table, const PortNumber& number);
void resolve_ports(Group& group, const Names& names, const PortNumber& number);
// The same for tables' names; the stand-ins of those that it does not know stay.
std::vector<std::string> resolve_tables(FlowTable& table, const TableNumber& number);

}  // namespace dvrtrace::openflow
