// OvsRows: rows of the tables of Open vSwitch's database, in whatever form they were saved.
//
// ovs-vsctl, ovsdb-client and the database's own file print the same rows in six ways. Each reader
// gives rows of text cells; ovsdb.h joins them into an OvsDatabase. Only the tables and columns
// that bear on forwarding are kept.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/json_reader.h"
#include "src/base/diagnostics.h"
#include "src/base/source.h"

namespace dvrtrace {

enum class OvsTable { OpenVswitch, Bridge, Port, Interface, Mirror, FlowTable, Datapath };
inline constexpr std::size_t kOvsTables = 7;

// What a column holds. Set and Map columns change by differences in the database's log.
enum class OvsShape { Scalar, Set, Map };
struct OvsColumn {
  std::string_view name;
  OvsShape shape;
};

// "Bridge", in any case ("ovs-vsctl list bridge" is taken too). None: a table that is not kept.
std::optional<OvsTable> ovs_table_named(std::string_view name);
std::string_view name_of(OvsTable table);
// Which table has these columns. None when no kept table does.
std::optional<OvsTable> ovs_table_of(std::span<const std::string> columns);
// The column when it is kept.
const OvsColumn* find_ovs_column(OvsTable table, std::string_view name);

// A cell. A scalar is a set of one, an absent value an empty set; a map alternates keys and values.
struct OvsCell {
  std::vector<std::string> atoms;
  bool operator==(const OvsCell&) const = default;
};

struct OvsRow {
  std::string uuid;  // "" when the column was not saved
  std::vector<std::pair<const OvsColumn*, OvsCell>> cells;
  Provenance at;

  const OvsCell* find(std::string_view column) const;
  OvsCell& cell(const OvsColumn* column);
  std::string_view scalar(std::string_view column) const;  // "" when absent
};

struct OvsRows {
  std::array<std::vector<OvsRow>, kOvsTables> rows;
  std::array<bool, kOvsTables> read{};  // the table was there, if only with no rows

  std::vector<OvsRow>& of(OvsTable table) { return rows[static_cast<std::size_t>(table)]; }
  const std::vector<OvsRow>& of(OvsTable table) const { return rows[static_cast<std::size_t>(table)]; }
  bool has(OvsTable table) const { return read[static_cast<std::size_t>(table)]; }
  void set_read(OvsTable table) { read[static_cast<std::size_t>(table)] = true; }
  // Takes in the rows of another text. Where both have a row, the later one's cells count.
  void add(OvsRows later);
};

// A cell of OVSDB's JSON: 5, "x", ["set",[...]], ["map",[[k,v],...]], ["uuid","..."].
OvsCell read_json_cell(JsonReader& json);

// A cell as ovs-vsctl prints it: word, "quoted", [a, b], {k=v}. None when it breaks off.
std::optional<OvsCell> read_text_cell(std::string_view text);
// One atom from the front of `text`, which is taken off.
std::optional<std::string> take_text_atom(std::string_view& text);

// The readers of the single forms; read_ovs_rows() in ovsdb.h chooses between them.
OvsRows read_ovs_json_tables(const SourceText& text, std::optional<OvsTable> hint, ReadLog& log);
OvsRows read_ovs_text_tables(const SourceText& text, std::optional<OvsTable> hint, ReadLog& log);
OvsRows read_ovs_log(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
