#include "src/base/source.h"

#include <gtest/gtest.h>

#include "src/base/diagnostics.h"

namespace dvrtrace {
namespace {

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> out;
  for (const Span span : lines_of(text)) out.emplace_back(text.substr(span.begin, span.end - span.begin));
  return out;
}

TEST(Lines, CountsAndCuts) {
  struct Case { std::string text; std::vector<std::string> lines; };
  const Case cases[] = {{"", {}}, {"\n", {""}}, {"a", {"a"}}, {"a\n", {"a"}}, {"a\r\nb", {"a", "b"}}, {"\n\na", {"", "", "a"}}, {"a\n\n", {"a", ""}}};
  for (const Case& test : cases) {
    EXPECT_EQ(lines(test.text), test.lines) << test.text;
    EXPECT_EQ(lines_of(test.text).count(), test.lines.size()) << test.text;
  }
}

TEST(Sources, LocatesByLineAndColumn) {
  Sources sources;
  const SourceId id = sources.add("cmp1/ip_rule", "first\nsecond line\r\nthird");
  const Provenance at{id, {6 + 7, 6 + 11}};
  EXPECT_EQ(sources.bytes(at), "line");
  EXPECT_EQ(sources.line(at), "second line");
  const Location where = sources.locate(at);
  EXPECT_EQ(where.file, "cmp1/ip_rule");
  EXPECT_EQ(where.line, 2u);
  EXPECT_EQ(where.column, 8u);
  EXPECT_EQ(sources.bytes({id, {0, 4000}}), "");
  EXPECT_EQ(sources.line({id, {4000, 4001}}), "");
}

TEST(Sources, KeepsOfAForgottenTextWhatItIsToldTo) {
  Sources sources;
  const SourceId id = sources.add("cmp1/ip_rule", "first\nsecond line\r\nthird");
  const Provenance kept{id, {6 + 7, 6 + 11}}, whole_line{id, {0, 5}}, gone{id, {19, 24}};
  sources.forget(id, {whole_line, kept, kept, {SourceId{77}, {0, 1}}});
  EXPECT_EQ(sources.name(id), "cmp1/ip_rule");
  EXPECT_EQ(sources.bytes(kept), "line");
  EXPECT_EQ(sources.line(kept), "second line");
  EXPECT_EQ(sources.locate(kept).line, 2u);
  EXPECT_EQ(sources.locate(kept).column, 8u);
  EXPECT_EQ(sources.bytes(whole_line), "first");
  EXPECT_EQ(sources.text(id).bytes, "");
  EXPECT_EQ(sources.line(gone), "");
  EXPECT_EQ(sources.locate(gone).file, "cmp1/ip_rule");
  EXPECT_EQ(sources.locate(gone).line, 0u);
}

TEST(Diagnostics, RendersWithACaretAndKeepsControlCharactersHarmless) {
  Sources sources;
  const SourceId id = sources.add("br-int\x1b[31m", " actions=movee:\x1b[2J");
  Diagnostic diagnostic{Severity::Error, {id, {9, 14}}, "unknown action 'movee'", "the table is incomplete"};
  EXPECT_EQ(render(diagnostic, sources),
            "br-int\\x1b[31m:1:10: error: unknown action 'movee'\n"
            "   actions=movee:\\x1b[2J\n"
            "           ^~~~~\n"
            "  hint: the table is incomplete\n");
}

TEST(Diagnostics, OfOneTextOnlySoMany) {
  Diagnostics diagnostics;
  for (int i = 0; i < 1000; ++i) diagnostics.error({SourceId{3}, {}}, "bad");
  EXPECT_EQ(diagnostics.all().size(), Diagnostics::kMaxPerSource);
  EXPECT_EQ(diagnostics.suppressed(SourceId{3}), 1000 - Diagnostics::kMaxPerSource);
}

}  // namespace
}  // namespace dvrtrace
