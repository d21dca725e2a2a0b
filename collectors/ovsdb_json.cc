// The tables of `ovs-vsctl -f json list T` and `ovsdb-client -f json dump`:
// {"caption":"T table","data":[[cell,...],...],"headings":["name",...]}, one object a table.
#include "collectors/ovsdb_rows.h"

#include <algorithm>
#include <cstdint>

#include "collectors/line_marks.h"
#include "collectors/ovs_lines.h"
#include "collectors/words.h"

namespace dvrtrace {

namespace {

class JsonTables {
 public:
  JsonTables(const SourceText& text, std::optional<OvsTable> hint, ReadLog& log)
      : text_(text), hint_(hint), log_(log), json_(text.bytes) {}

  OvsRows read() {
    while (json_.failed() || json_.at() < text_.bytes.size()) {
      if (json_.enter('{')) {
        read_table();
      } else {
        skip_line();
      }
    }
    marks_.count(text_, log_.lines);
    return std::move(rows_);
  }

 private:
  // The headings come after the data, so the data is passed over first and read then.
  struct Table {
    bool captioned = false;
    std::optional<OvsTable> table;
    std::vector<std::string> headings;
    std::optional<std::size_t> data;
  };

  void read_table() {
    Table table;
    while (json_.next('}')) {
      const std::string key = json_.key();
      if (key == "caption") {
        table.table = table_of_caption(json_.text());
        table.captioned = true;
      } else if (key == "headings") {
        read_headings(table.headings);
      } else {
        if (key == "data") table.data = json_.at();
        json_.skip();
      }
    }
    read_data(table);
  }

  void read_headings(std::vector<std::string>& headings) {
    if (!json_.enter('[')) return void(json_.skip());
    while (json_.next(']')) headings.push_back(json_.text());
  }

  static std::optional<OvsTable> table_of_caption(std::string_view caption) {
    return ovs_table_named(caption.substr(0, caption.find(" table")));
  }

  void read_data(Table& table) {
    if (!table.captioned) table.table = hint_ ? hint_ : ovs_table_of(table.headings);
    if (!table.table || !table.data || table.headings.empty()) return;
    rows_.set_read(*table.table);
    std::vector<const OvsColumn*> columns;
    std::size_t uuid = table.headings.size();
    for (std::size_t i = 0; i < table.headings.size(); ++i) {
      columns.push_back(find_ovs_column(*table.table, table.headings[i]));
      if (table.headings[i] == "_uuid") uuid = i;
    }
    JsonReader data(text_.bytes, *table.data);
    if (!data.enter('[')) return;
    while (data.next(']')) {
      const std::size_t begin = data.at();
      OvsRow row = read_row(data, columns, uuid);
      const Span span = span_between(begin, data.at());
      row.at = text_.provenance(span);
      if (data.failed()) return;  // the walk over the whole table reports it
      marks_.mark(span, LineState::Modelled);
      rows_.of(*table.table).push_back(std::move(row));
    }
  }

  static OvsRow read_row(JsonReader& data, const std::vector<const OvsColumn*>& columns, std::size_t uuid) {
    OvsRow row;
    if (!data.enter('[')) return void(data.skip()), row;
    for (std::size_t i = 0; data.next(']'); ++i) {
      const OvsColumn* column = i < columns.size() ? columns[i] : nullptr;
      if (i == uuid) {
        OvsCell cell = read_json_cell(data);
        if (!cell.atoms.empty()) row.uuid = std::move(cell.atoms.front());
      } else if (column != nullptr) {
        row.cells.emplace_back(column, read_json_cell(data));
      } else {
        data.skip();
      }
    }
    return row;
  }

  // ovsdb-client prints a table a line, so a broken one does not cost the next.
  void skip_line() {
    Span span = rest_of(text_, json_.at());
    span.end = span.begin + static_cast<std::uint32_t>(line_length(text_.at(span)));
    json_ = JsonReader(text_.bytes, span.end);
    if (is_ovs_log_line(text_.at(span))) return;
    constexpr std::string_view kHint =
        "the table that stands here is missing from the switch's configuration";
    marks_.mark(span, report_fault(text_, span, "a table as JSON", kHint, log_));
  }

  static std::size_t line_length(std::string_view rest) { return std::min(rest.find('\n'), rest.size()); }

  const SourceText& text_;
  std::optional<OvsTable> hint_;
  ReadLog& log_;
  JsonReader json_;
  LineMarks marks_;
  OvsRows rows_;
};

}  // namespace

OvsRows read_ovs_json_tables(const SourceText& text, std::optional<OvsTable> hint, ReadLog& log) {
  return JsonTables(text, hint, log).read();
}

}  // namespace dvrtrace
