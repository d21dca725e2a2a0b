#include "src/base/text.h"

#include <gtest/gtest.h>

#include "src/base/box.h"

namespace dvrtrace {
namespace {

TEST(Text, Numbers) {
  struct Case { std::string_view text; std::optional<std::uint64_t> value; };
  const Case cases[] = {{"0", 0}, {"42", 42}, {"0x2a", 42}, {"0X2A", 42}, {"", {}}, {"0x", {}}, {"4 2", {}}, {"-1", {}}, {"18446744073709551616", {}},
                        {"18446744073709551615", 18446744073709551615ULL}};
  for (const Case& test : cases) EXPECT_EQ(number(test.text), test.value) << test.text;
  EXPECT_EQ(number<std::uint8_t>("256"), std::nullopt);
}

TEST(Text, PrintableShowsWhatATerminalWouldObey) {
  EXPECT_EQ(printable("vm\x1b]0;x\x07"), "vm\\x1b]0;x\\x07");
  EXPECT_EQ(printable("tab\tnewline\n"), "tab\\x09newline\\x0a");
  EXPECT_EQ(printable("Zürich 東京"), "Zürich 東京");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("a\xe2\x80\xae" "b"), "a\\xe2\\x80\\xae" "b");  // right-to-left override
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\xc2\\x9b" "31m");         // C1 control sequence introducer
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");            // a surrogate
}

TEST(Text, WordsAndParts) {
  std::string_view text = "  from 10.0.0.1\tlookup 16 ";
  EXPECT_EQ(words_of(text), (std::vector<std::string_view>{"from", "10.0.0.1", "lookup", "16"}));
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(take_until(text, '\t'), "  from 10.0.0.1");
  EXPECT_EQ(text, "lookup 16 ");
  EXPECT_EQ(trim(" \t x\r\n"), "x");
}

TEST(Box, CopiesAndComparesTheValue) {
  Box<std::string> a("text"), b(a);
  EXPECT_EQ(a, b);
  *b = "other";
  EXPECT_NE(a, b);
  a = b;
  EXPECT_EQ(*a, "other");
}

}  // namespace
}  // namespace dvrtrace
