// The database's own file, conf.db: records "OVSDB JSON LENGTH SHA1" and, in the next line, JSON.
//
// The first record is the schema, each of the others a transaction: {"Table":{"UUID":{columns}|null}}.
// Replaying them in order gives the rows. From Open vSwitch 2.15 on a transaction says
// "_is_diff":true, and then sets and maps are what changed in them: what was there goes away, what
// was not comes in.
//
// LENGTH and SHA1 are not relied on: `sos clean` changes addresses inside the records and leaves
// both as they were. A record is its line.
#include <algorithm>
#include <unordered_map>

#include "collectors/line_marks.h"
#include "collectors/ovsdb_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

void toggle_atoms(OvsCell& cell, const OvsCell& change) {
  if (cell.atoms.empty()) return void(cell = change);
  for (const std::string& atom : change.atoms) {
    const auto at = std::find(cell.atoms.begin(), cell.atoms.end(), atom);
    if (at == cell.atoms.end()) {
      cell.atoms.push_back(atom);
    } else {
      cell.atoms.erase(at);
    }
  }
}

// A pair with a new key comes in, with a known key and another value replaces it, and one that is
// there goes away.
void toggle_pairs(OvsCell& cell, const OvsCell& change) {
  for (std::size_t i = 0; i + 1 < change.atoms.size(); i += 2) {
    std::size_t at = 0;
    while (at < cell.atoms.size() && cell.atoms[at] != change.atoms[i]) at += 2;
    if (at >= cell.atoms.size()) {
      cell.atoms.insert(cell.atoms.end(), {change.atoms[i], change.atoms[i + 1]});
    } else if (cell.atoms[at + 1] != change.atoms[i + 1]) {
      cell.atoms[at + 1] = change.atoms[i + 1];
    } else {
      const auto pair = cell.atoms.begin() + static_cast<std::ptrdiff_t>(at);
      cell.atoms.erase(pair, pair + 2);
    }
  }
}

// The order in which the database keeps and prints a set.
bool atom_before(const std::string& a, const std::string& b) {
  const auto x = number(a), y = number(b);  // a set has atoms of one kind
  return x && y ? *x < *y : a < b;
}

void sort_sets(OvsRow& row) {
  for (auto& [column, cell] : row.cells) {
    if (column->shape == OvsShape::Set) std::sort(cell.atoms.begin(), cell.atoms.end(), atom_before);
  }
}

class LogReader {
 public:
  LogReader(const SourceText& text, ReadLog& log) : text_(text), log_(log) {}

  OvsRows read() {
    for (const Span line : lines_of(text_.bytes)) log_.lines.count(read_line(line));
    if (stated_length_) reject(header_, "a record after its header");
    return rows();
  }

 private:
  LineState read_line(Span line) {
    const std::string_view text = text_.at(line);
    if (text.starts_with("OVSDB CLUSTER ")) return report_cluster(line);
    if (clustered_) return LineState::Unmodelled;
    if (text.starts_with("OVSDB ")) return read_header(line);
    if (!stated_length_) return reject(line, "a record header 'OVSDB JSON LENGTH SHA1'");
    const std::uint64_t length = *stated_length_;
    stated_length_.reset();
    if (!schema_read_) {
      schema_read_ = true;
      return LineState::Ignored;
    }
    return read_transaction(line, length);
  }

  LineState read_header(Span line) {
    const auto words = words_of(text_.at(line));
    const auto length = words.size() == 4 && words[1] == "JSON" ? number(words[2]) : std::nullopt;
    if (stated_length_) reject(line, "the record that the header before it announces");
    stated_length_ = length;
    header_ = line;
    return length ? LineState::Ignored : reject(line, "a record header 'OVSDB JSON LENGTH SHA1'");
  }

  LineState read_transaction(Span line, std::uint64_t length) {
    JsonReader whole(text_.bytes.substr(0, line.end), line.begin);
    whole.skip();
    if (whole.failed() || whole.at() < line.end) {
      if (line.end - line.begin < length) return reject(rest_of_line(line, whole.at()), "a whole record");
      return reject(line, "a transaction as JSON");
    }
    return replay(line) ? LineState::Modelled : LineState::Ignored;
  }

  // "_is_diff" may stand anywhere among the tables, so these are replayed when it is known.
  bool replay(Span line) {
    JsonReader json(text_.bytes.substr(0, line.end), line.begin);
    if (!json.enter('{')) return false;
    bool is_diff = false;
    std::vector<std::pair<OvsTable, std::size_t>> changes;
    while (json.next('}')) {
      const std::string key = json.key();
      const auto table = ovs_table_named(key);
      if (table) changes.emplace_back(*table, json.at());
      const std::string_view value = json.skip();
      if (key == "_is_diff") is_diff = value == "true";
    }
    for (const auto& [table, at] : changes) {
      JsonReader rows(text_.bytes.substr(0, line.end), at);
      replay_table(table, rows, is_diff);
    }
    return !changes.empty();
  }

  void replay_table(OvsTable table, JsonReader& json, bool is_diff) {
    if (!json.enter('{')) return;
    Rows& rows = tables_[static_cast<std::size_t>(table)];
    while (json.next('}')) {
      const std::string uuid = json.key();
      const std::size_t begin = json.at();
      if (!json.enter('{')) {  // null
        rows.erase(uuid);
        json.skip();
        continue;
      }
      OvsRow& row = rows[uuid];
      row.uuid = uuid;
      while (json.next('}')) replay_cell(table, row, json, is_diff);
      row.at = text_.provenance(span_between(begin, json.at()));
    }
  }

  static void replay_cell(OvsTable table, OvsRow& row, JsonReader& json, bool is_diff) {
    const OvsColumn* column = find_ovs_column(table, json.key());
    if (column == nullptr) return void(json.skip());
    OvsCell change = read_json_cell(json);
    OvsCell& cell = row.cell(column);
    if (!is_diff || column->shape == OvsShape::Scalar) {
      cell = std::move(change);
    } else if (column->shape == OvsShape::Set) {
      toggle_atoms(cell, change);
    } else {
      toggle_pairs(cell, change);
    }
  }

  LineState report_cluster(Span line) {
    clustered_ = true;
    log_.diagnostics.error(text_.provenance(line), "expected a standalone database, found a clustered one",
                           "this database is not read; a dump made by ovsdb-client would be");
    return LineState::Unmodelled;
  }

  LineState reject(Span span, std::string_view wanted) {
    return report_fault(text_, span, wanted,
                        "the switch's configuration may lack what was last changed in it", log_);
  }

  Span rest_of_line(Span line, std::size_t at) const {
    return {std::min(static_cast<std::uint32_t>(at), line.end > line.begin ? line.end - 1 : line.end),
            line.end};
  }

  // In the order of the uuids, so that the same database always reads the same.
  OvsRows rows() {
    OvsRows all;
    for (std::size_t i = 0; i < kOvsTables; ++i) {
      all.read[i] = schema_read_;
      for (auto& [uuid, row] : tables_[i]) {
        sort_sets(row);
        all.rows[i].push_back(std::move(row));
      }
      std::sort(all.rows[i].begin(), all.rows[i].end(),
                [](const OvsRow& a, const OvsRow& b) { return a.uuid < b.uuid; });
    }
    return all;
  }

  using Rows = std::unordered_map<std::string, OvsRow>;
  const SourceText& text_;
  ReadLog& log_;
  std::optional<std::uint64_t> stated_length_;  // of the record that the next line holds
  Span header_;                                 // which says so
  bool schema_read_ = false, clustered_ = false;
  std::array<Rows, kOvsTables> tables_;
};

}  // namespace

OvsRows read_ovs_log(const SourceText& text, ReadLog& log) { return LogReader(text, log).read(); }

}  // namespace dvrtrace
