#include "tui/canvas.h"

#include <gtest/gtest.h>

namespace dvrtrace::tui {
namespace {

TEST(Canvas, ShowsAnyBytesHarmless) {
  const struct {
    std::string_view text, unicode, ascii;
  } cases[] = {
      {"br-int", "br-int", "br-int"},
      {"\x1b[2J", "\\x1b[2J", "\\x1b[2J"},
      {"a\nb\r", "a\\x0ab\\x0d", "a\\x0ab\\x0d"},
      {"\xff\xfe", "\\xff\\xfe", "\\xff\\xfe"},
      {"gr\xc3\xbc\xc3\x9f", "grüß", "gr\\u{fc}\\u{df}"},
      {"e\xcc\x81", "e\\u{301}", "e\\u{301}"},                          // a mark that joins
      {"vm\xe2\x80\x8b", "vm\\u{200b}", "vm\\u{200b}"},                 // a blank without width
      {"\xe2\x80\xaegnp", "\\xe2\\x80\\xaegnp", "\\xe2\\x80\\xaegnp"},  // turns what follows around
      {"\xc2\x9b"
       "0m",
       "\\xc2\\x9b0m", "\\xc2\\x9b0m"},                  // CSI in one byte
      {"\xf3\xa0\x81\x81", "\\u{e0041}", "\\u{e0041}"},  // a tag that nobody sees
  };
  for (const auto& each : cases) {
    EXPECT_EQ(harmless(each.text, true), each.unicode);
    EXPECT_EQ(harmless(each.text, false), each.ascii);
    Canvas canvas(60, 1, false);
    canvas.put(0, 0, 60, each.text);
    EXPECT_EQ(canvas.text(), std::string(each.ascii) + "\n");
    for (std::size_t column = 0; column < 60; ++column) {
      EXPECT_GE(canvas.at(0, column).glyph, U' ');
      EXPECT_LT(canvas.at(0, column).glyph, U'\x7f');
    }
  }
}

TEST(Canvas, EveryByteAndEveryPairOfThemHasItsCells) {
  for (unsigned i = 0; i < 0x10000; ++i) {
    const std::string text{static_cast<char>(i >> 8), static_cast<char>(i & 0xff)};
    const std::string shown = harmless(text, true);
    for (std::string_view rest = shown; !rest.empty();) ASSERT_GT(cells_of(take_code_point(rest)), 0U) << i;
  }
}

TEST(Canvas, WideCharactersTakeTwoCellsAndAreNotCutInHalf) {
  Canvas canvas(5, 2, true);
  EXPECT_EQ(canvas.put(0, 0, 5, "虚拟机"), 4U);
  EXPECT_EQ(canvas.at(0, 1).glyph, U'\0');
  EXPECT_EQ(canvas.text(), "虚拟\n\n");
  EXPECT_EQ(cells_of("虚a"), 3U);
}

TEST(Canvas, PassesOverWhatIsBeyondIt) {
  Canvas canvas(3, 1, true);
  canvas.put(5, 0, 3, "abc");
  canvas.put(0, 7, 9, "abc");
  canvas.put(0, 1, 99, "abc");
  canvas.accent(9, 0, 99, Accent::Chosen);
  canvas.accent(0, 2, 99, Accent::Chosen);
  EXPECT_EQ(canvas.text(), " ab\n");
  EXPECT_EQ(canvas.at(0, 2).accent, Accent::Chosen);
}

TEST(Canvas, CutsAtTheEndOrAtTheFrontAndSaysSo) {
  EXPECT_EQ(cut("qrouter-13c6", 12, true), "qrouter-13c6");
  EXPECT_EQ(cut("qrouter-13c6", 8, true), "qrouter…");
  EXPECT_EQ(cut("qrouter-13c6", 8, false), "qrouter~");
  EXPECT_EQ(cut_front("hosts/cmp1/flows:13", 9, true), "…flows:13");
  EXPECT_EQ(cut("abc", 0, true), "");
  EXPECT_EQ(cut_front("abc", 0, true), "");
}

TEST(Canvas, FittedRowsLoseNothing) {
  const std::vector<Pieces> rows{{{Paint::Strong, "abcdef"}, {Paint::Plain, "gh虚i"}}, {}};
  const std::vector<Pieces> fit = fitted(rows, 4, true);
  ASSERT_EQ(fit.size(), 4U);  // the last is empty, as it was
  std::string all;
  for (const Pieces& row : fit) {
    std::size_t cells = 0;
    for (const Piece& piece : row) {
      cells += cells_of(piece.text);
      all += piece.text;
    }
    EXPECT_LE(cells, 4U);
  }
  EXPECT_EQ(all, "abcdefgh虚i");
}

}  // namespace
}  // namespace dvrtrace::tui
