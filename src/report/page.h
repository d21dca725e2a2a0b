// Page: lines of painted text, wrapped to a width. Lines break at spaces and after commas; a word is never
// cut, so a name that is longer than the line sticks out. Between words that belong together stands a
// kGlue, which comes out as a space.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/report/style.h"

namespace dvrtrace {

inline constexpr std::string_view kGlue = "\u00a0";

struct Piece {
  Paint paint = Paint::Plain;
  std::string text;
};
using Pieces = std::vector<Piece>;

class Page {
 public:
  explicit Page(const Style& style) : style_(style) {}

  // A line that begins at column `indent`; what does not fit goes on at column `hanging`.
  void line(std::size_t indent, const Pieces& pieces, std::size_t hanging);
  void line(std::size_t indent, const Pieces& pieces) { line(indent, pieces, indent + 4); }
  void line(std::size_t indent, std::string text) { line(indent, Pieces{{Paint::Plain, std::move(text)}}); }
  void unwrapped(std::size_t indent, const Piece& piece);
  void blank();
  const Style& style() const { return style_; }
  std::string text() const;                              // in the codes of a terminal, where the style has colour
  const std::vector<Pieces>& rows() const { return rows_; }  // the same without codes, line by line

 private:
  Style style_;
  std::vector<Pieces> rows_;
};

// Columns that a text takes: code points of UTF-8.
std::size_t columns(std::string_view text);

}  // namespace dvrtrace
