// Canvas: a rectangle of cells that the viewer is drawn into. Tests read it, a terminal shows it, text()
// prints it; nothing in here knows of a terminal.
//
// What is put on a canvas may hold any bytes: what is not a character that takes cells of its own comes out
// as \x1b or \u{202e}.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "src/report/page.h"

namespace dvrtrace::tui {

// How a cell is dressed besides its paint.
enum class Accent : unsigned char {
  None,
  Chosen,  // what the keys act on
  Found,   // what a search found
  Bar,     // title lines, between the parts
};

struct Cell {
  char32_t glyph = U' ';  // 0: the right half of a wide character
  Paint paint = Paint::Plain;
  Accent accent = Accent::None;
  bool operator==(const Cell&) const = default;
};

// Cells that a code point takes: 1 or 2, and 0 for one that has none of its own (controls, marks that join
// what stands before them, marks that reorder text).
std::size_t cells_of(char32_t code_point);
// Cells that a text takes which went through harmless().
std::size_t cells_of(std::string_view text);

// The text with everything that has no cells of its own written out; with `unicode` false all that is not
// ASCII.
std::string harmless(std::string_view text, bool unicode);

// The code point at the front of `text`, taken off it; a byte that is not UTF-8 gives itself.
char32_t take_code_point(std::string_view& text);
std::string utf8(char32_t code_point);

// At most `cells` of the text, its front or its end; what was cut shows as one ellipsis.
std::string cut(std::string_view text, std::size_t cells, bool unicode);
std::string cut_front(std::string_view text, std::size_t cells, bool unicode);

// Rows broken where they are wider than `cells`, harmless: nothing of them is lost.
std::vector<Pieces> fitted(const std::vector<Pieces>& rows, std::size_t cells, bool unicode);

class Canvas {
 public:
  Canvas(std::size_t columns, std::size_t rows, bool unicode)
      : columns_(columns), rows_(rows), unicode_(unicode), cells_(columns * rows) {}

  std::size_t columns() const { return columns_; }
  std::size_t rows() const { return rows_; }
  bool unicode() const { return unicode_; }
  const Cell& at(std::size_t row, std::size_t column) const { return cells_[row * columns_ + column]; }

  // Puts what fits in front of column `end`; gives the column behind it. Rows and columns beyond the canvas
  // are passed over.
  std::size_t put(std::size_t row, std::size_t column, std::size_t end, std::string_view text,
                  Paint paint = Paint::Plain, Accent accent = Accent::None);
  std::size_t put(std::size_t row, std::size_t column, std::size_t end, const Pieces& pieces,
                  Accent accent = Accent::None);
  void put(std::size_t row, std::size_t column, const Cell& cell);
  void fill(std::size_t row, std::size_t begin, std::size_t end, const Cell& cell);
  // Dresses cells that are there already.
  void accent(std::size_t row, std::size_t begin, std::size_t end, Accent accent);

  // A line for each row, without the blanks at its end.
  std::string text() const;

 private:
  std::size_t columns_, rows_;
  bool unicode_;
  std::vector<Cell> cells_;
};

}  // namespace dvrtrace::tui
