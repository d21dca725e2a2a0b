#include "tui/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace dvrtrace::tui {
namespace {

struct Range {
  char32_t first, last;
};

// Marks that join, separate or reorder what stands around them, and what terminals do not agree upon.
constexpr std::array kWithoutCells{
    Range{0x0000, 0x001f},   Range{0x007f, 0x009f}, Range{0x00ad, 0x00ad},   Range{0x0300, 0x036f},
    Range{0x0483, 0x0489},   Range{0x0591, 0x05c7}, Range{0x0600, 0x0605},   Range{0x0610, 0x061c},
    Range{0x064b, 0x065f},   Range{0x0670, 0x0670}, Range{0x06d6, 0x06ed},   Range{0x070f, 0x0711},
    Range{0x0730, 0x074a},   Range{0x07a6, 0x07b0}, Range{0x0900, 0x0903},   Range{0x093a, 0x094f},
    Range{0x0e31, 0x0e31},   Range{0x0e34, 0x0e3a}, Range{0x0e47, 0x0e4e},   Range{0x115f, 0x1160},
    Range{0x17b4, 0x17d3},   Range{0x180b, 0x180f}, Range{0x1ab0, 0x1aff},   Range{0x1dc0, 0x1dff},
    Range{0x200b, 0x200f},   Range{0x2028, 0x202e}, Range{0x2060, 0x206f},   Range{0x20d0, 0x20ff},
    Range{0x3099, 0x309a},   Range{0xd800, 0xf8ff}, Range{0xfe00, 0xfe0f},   Range{0xfe20, 0xfe2f},
    Range{0xfeff, 0xfeff},   Range{0xfff0, 0xffff}, Range{0x1f1e6, 0x1f1ff}, Range{0x1f3fb, 0x1f3ff},
    Range{0xe0000, 0x10ffff}};

constexpr std::array kWide{
    Range{0x1100, 0x115e},   Range{0x231a, 0x231b},   Range{0x2329, 0x232a},  Range{0x23e9, 0x23ec},
    Range{0x2e80, 0x303e},   Range{0x3041, 0x33ff},   Range{0x3400, 0x4dbf},  Range{0x4e00, 0x9fff},
    Range{0xa000, 0xa4cf},   Range{0xa960, 0xa97f},   Range{0xac00, 0xd7a3},  Range{0xf900, 0xfaff},
    Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},  Range{0x1f300, 0x1f64f},
    Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff}, Range{0x20000, 0x3fffd}};

template <std::size_t Size>
constexpr bool in(const std::array<Range, Size>& ranges, char32_t code_point) {
  return std::ranges::any_of(ranges,
                             [&](const Range& r) { return code_point >= r.first && code_point <= r.last; });
}

std::string_view ellipsis(bool unicode) { return unicode ? "…" : "~"; }

}  // namespace

std::size_t cells_of(char32_t code_point) {
  if (code_point >= 0x20 && code_point < 0x7f) return 1;
  if (in(kWithoutCells, code_point)) return 0;
  return in(kWide, code_point) ? 2 : 1;
}

char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  char32_t value = length <= 1 ? first : first & (0x7fu >> length);
  bool whole = length != 0 && length <= text.size();
  for (std::size_t i = 1; whole && i < length; ++i) {
    whole = (byte(i) & 0xc0) == 0x80;
    value = value << 6 | (byte(i) & 0x3f);
  }
  text.remove_prefix(whole ? length : 1);
  return whole ? value : first;
}

std::string utf8(char32_t c) {
  const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)),
          byte(0x80 | (c & 0x3f))};
}

std::string harmless(std::string_view text, bool unicode) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) return std::string(text);
  const std::string shown = printable(text);
  std::string out;
  for (std::string_view rest = shown; !rest.empty();) {
    const char32_t c = take_code_point(rest);
    if (c < 0x7f || (unicode && cells_of(c) > 0))
      out += utf8(c);
    else
      out += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(c));
  }
  return out;
}

std::size_t cells_of(std::string_view text) {
  std::size_t cells = 0;
  while (!text.empty()) cells += cells_of(take_code_point(text));
  return cells;
}

std::string cut(std::string_view text, std::size_t cells, bool unicode) {
  const std::string whole = harmless(text, unicode);
  if (cells_of(whole) <= cells) return whole;
  std::string out;
  std::size_t taken = 0;
  for (std::string_view rest = whole; !rest.empty();) {
    const char32_t c = take_code_point(rest);
    if (taken + cells_of(c) + 1 > cells) break;
    taken += cells_of(c);
    out += utf8(c);
  }
  return cells == 0 ? out : out + std::string(ellipsis(unicode));
}

std::string cut_front(std::string_view text, std::size_t cells, bool unicode) {
  const std::string whole = harmless(text, unicode);
  std::size_t left = cells_of(whole);
  if (left <= cells) return whole;
  std::string_view rest = whole;
  while (!rest.empty() && left + 1 > cells) left -= cells_of(take_code_point(rest));
  return cells == 0 ? "" : std::string(ellipsis(unicode)) + std::string(rest);
}

std::vector<Pieces> fitted(const std::vector<Pieces>& rows, std::size_t cells, bool unicode) {
  std::vector<Pieces> fit;
  for (const Pieces& row : rows) {
    fit.emplace_back();
    std::size_t column = 0;
    for (const Piece& piece : row) {
      const std::string text = harmless(piece.text, unicode);
      Piece part{piece.paint, {}};
      for (std::string_view rest = text; !rest.empty();) {
        const char32_t c = take_code_point(rest);
        if (column > 0 && column + cells_of(c) > cells) {
          if (!part.text.empty()) fit.back().push_back(std::move(part));
          part = {piece.paint, {}};
          fit.emplace_back();
          column = 0;
        }
        part.text += utf8(c);
        column += cells_of(c);
      }
      if (!part.text.empty()) fit.back().push_back(std::move(part));
    }
  }
  return fit;
}

std::size_t Canvas::put(std::size_t row, std::size_t column, std::size_t end, std::string_view text,
                        Paint paint, Accent accent) {
  if (row >= rows_) return column;
  end = std::min(end, columns_);
  const std::string shown = harmless(text, unicode_);
  for (std::string_view rest = shown; !rest.empty();) {
    const char32_t c = take_code_point(rest);
    const std::size_t width = cells_of(c);
    if (column + width > end) break;
    cells_[row * columns_ + column] = {c, paint, accent};
    if (width == 2) cells_[row * columns_ + column + 1] = {0, paint, accent};
    column += width;
  }
  return column;
}

std::size_t Canvas::put(std::size_t row, std::size_t column, std::size_t end, const Pieces& pieces,
                        Accent accent) {
  for (const Piece& piece : pieces) column = put(row, column, end, piece.text, piece.paint, accent);
  return column;
}

void Canvas::put(std::size_t row, std::size_t column, const Cell& cell) {
  if (row < rows_ && column < columns_) cells_[row * columns_ + column] = cell;
}

void Canvas::fill(std::size_t row, std::size_t begin, std::size_t end, const Cell& cell) {
  for (std::size_t column = begin; column < std::min(end, columns_); ++column) put(row, column, cell);
}

void Canvas::accent(std::size_t row, std::size_t begin, std::size_t end, Accent accent) {
  if (row >= rows_) return;
  for (std::size_t column = begin; column < std::min(end, columns_); ++column)
    cells_[row * columns_ + column].accent = accent;
}

std::string Canvas::text() const {
  std::string text;
  for (std::size_t row = 0; row < rows_; ++row) {
    std::string line;
    for (std::size_t column = 0; column < columns_; ++column) {
      if (const char32_t glyph = at(row, column).glyph; glyph != 0) line += utf8(glyph);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace dvrtrace::tui
