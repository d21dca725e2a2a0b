#include "src/report/table.h"

#include <algorithm>

#include "src/report/page.h"

namespace dvrtrace {

std::string print_table(const Table& table, std::size_t indent, const Style& style) {
  std::vector<std::size_t> width(table.heads.size());
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < width.size(); ++i) width[i] = std::max(width[i], columns(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells, Paint paint) {
    std::string text;
    for (std::size_t i = 0; i < width.size(); ++i) {
      if (width[i] == 0) continue;
      const std::size_t wide = std::max(width[i], columns(table.heads[i]));
      text += cells[i] + std::string(wide - columns(cells[i]) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return std::string(indent, ' ') + painted(style, paint, text) + "\n";
  };
  std::string out = line(table.heads, Paint::Faint);
  for (const auto& row : table.rows) out += line(row, Paint::Plain);
  return out;
}

}  // namespace dvrtrace
