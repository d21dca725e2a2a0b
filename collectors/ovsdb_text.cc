// The tables of `ovs-vsctl list T`, `ovsdb-client -f list dump` and `ovsdb-client dump`: blocks of
// "column : value", or a header line over dashes that say where the columns stand. Tables of the
// last two are captioned "T table".
#include <algorithm>

#include "collectors/line_marks.h"
#include "collectors/ovs_lines.h"
#include "collectors/ovsdb_rows.h"
#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_column_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
}

bool is_rule(std::string_view line) { return line.starts_with('-') && line.find_first_not_of("- ") == npos; }

class TextTables {
 public:
  TextTables(const SourceText& text, std::optional<OvsTable> hint, ReadLog& log)
      : text_(text), table_(hint), log_(log), known_(hint.has_value()) {
    for (const Span line : lines_of(text.bytes)) lines_.push_back(line);
  }

  OvsRows read() {
    if (known_) rows_.set_read(*table_);
    for (next_ = 0; next_ < lines_.size();) {
      const std::string_view line = text_.at(lines_[next_]);
      if (trim(line).empty() || is_ovs_log_line(line)) {
        end_block();
        ignore();
      } else if (is_caption(line)) {
        end_block();
        start_table(ovs_table_named(line.substr(0, line.find(" table"))));
        ignore();
      } else if (next_ + 1 < lines_.size() && is_rule(text_.at(lines_[next_ + 1]))) {
        end_block();
        read_columns();
      } else {
        read_pair();
      }
    }
    end_block();
    return std::move(rows_);
  }

 private:
  static bool is_caption(std::string_view line) {
    return line.ends_with(" table") && is_column_name(line.substr(0, line.size() - 6));
  }

  void start_table(std::optional<OvsTable> table) {
    table_ = table;
    known_ = true;
    if (table) rows_.set_read(*table);
  }

  void finish_line(LineState state) {
    log_.lines.count(state);
    ++next_;
  }
  void ignore() { finish_line(LineState::Ignored); }

  void reject(Span span, std::string_view wanted) {
    finish_line(report_fault(text_, span, wanted, "the switch's configuration lacks what stands here", log_));
  }

  // --- "column : value" ---

  struct Pair {
    std::string_view column, value;
  };
  static std::optional<Pair> split_pair(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == npos) return std::nullopt;
    const Pair pair{trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
    if (!is_column_name(pair.column)) return std::nullopt;
    return pair;
  }

  void read_pair() {
    const Span line = lines_[next_];
    const auto pair = split_pair(text_.at(line));
    if (!pair) return reject(line, "a line 'column : value'");
    if (!known_) start_table(ovs_table_of(columns_of_block()));
    if (!table_) return ignore();
    if (pair->column == "_uuid" && open_) end_block();
    if (!open_) row_ = {};
    open_ = true;
    row_.at = text_.provenance(span_between(row_.at.known() ? row_.at.span.begin : line.begin, line.end));
    if (pair->column == "_uuid") {
      row_.uuid = pair->value;
      return finish_line(LineState::Modelled);
    }
    const OvsColumn* column = find_ovs_column(*table_, pair->column);
    if (column == nullptr) return ignore();
    auto cell = read_text_cell(pair->value);
    if (!cell) return reject(span_of(text_, pair->value), "a whole value");
    row_.cells.emplace_back(column, std::move(*cell));
    finish_line(LineState::Modelled);
  }

  void end_block() {
    if (open_ && table_) rows_.of(*table_).push_back(std::move(row_));
    open_ = false;
  }

  std::vector<std::string> columns_of_block() const {
    std::vector<std::string> columns;
    for (std::size_t i = next_; i < lines_.size(); ++i) {
      const auto pair = split_pair(text_.at(lines_[i]));
      if (!pair) break;
      columns.emplace_back(pair->column);
    }
    return columns;
  }

  // --- header, dashes, rows ---

  struct Place {
    std::string name;
    std::size_t begin = 0, end = 0;
  };

  std::vector<Place> places() const {
    const std::string_view header = text_.at(lines_[next_]), rule = text_.at(lines_[next_ + 1]);
    std::vector<Place> places;
    for (std::size_t at = rule.find('-'); at != npos; at = rule.find('-', places.back().end)) {
      const std::size_t end = std::min(rule.find(' ', at), rule.size());
      const std::size_t begin = std::min(at, header.size());
      places.push_back({std::string(trim(header.substr(begin, end - begin))), at, end});
    }
    places.back().end = npos;
    return places;
  }

  void read_columns() {
    const std::vector<Place> columns = places();
    if (!known_) start_table(table_with(columns));
    ignore();
    ignore();
    for (; next_ < lines_.size() && !trim(text_.at(lines_[next_])).empty();) {
      if (table_) {
        read_row(columns);
      } else {
        ignore();
      }
    }
  }

  static std::optional<OvsTable> table_with(const std::vector<Place>& columns) {
    std::vector<std::string> names;
    for (const Place& column : columns) names.push_back(column.name);
    return ovs_table_of(names);
  }

  void read_row(const std::vector<Place>& columns) {
    const Span span = lines_[next_];
    const std::string_view line = text_.at(span);
    OvsRow row;
    row.at = text_.provenance(span);
    bool whole = true;
    for (const Place& place : columns) {
      if (place.begin >= line.size()) {
        whole = false;
        break;
      }
      const std::string_view value = trim(line.substr(place.begin, place.end - place.begin));
      const OvsColumn* column = find_ovs_column(*table_, place.name);
      if (place.name == "_uuid") row.uuid = value;
      if (column == nullptr) continue;
      auto cell = read_text_cell(value);
      whole = whole && cell;
      if (cell) row.cells.emplace_back(column, std::move(*cell));
    }
    rows_.of(*table_).push_back(std::move(row));
    if (!whole) return reject(span, "a row as wide as its header");
    finish_line(LineState::Modelled);
  }

  const SourceText& text_;
  std::optional<OvsTable> table_;
  ReadLog& log_;
  bool known_;  // which table it is has been settled, if only as one that is not kept
  std::vector<Span> lines_;
  std::size_t next_ = 0;
  OvsRow row_;
  bool open_ = false;
  OvsRows rows_;
};

}  // namespace

OvsRows read_ovs_text_tables(const SourceText& text, std::optional<OvsTable> hint, ReadLog& log) {
  return TextTables(text, hint, log).read();
}

}  // namespace dvrtrace
