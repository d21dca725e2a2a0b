#include <gtest/gtest.h>

#include <regex>

#include "src/base/text.h"
#include "src/report/pictures/finding_html.h"
#include "src/report/pictures/html_page.h"
#include "src/report/pictures/trace_dot.h"
#include "src/report/pictures/trace_html.h"
#include "tests/report/sample.h"

namespace dvrtrace {
namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST(Html, TextIsEscapedAndHarmless) {
  const struct {
    std::string_view text, markup;
  } cases[] = {
      {"br-int", "br-int"},
      {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
      {"a&b &lt; \"c\" 'd'", "a&amp;b &amp;lt; &quot;c&quot; &#39;d&#39;"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {std::string_view("nul\0byte", 8), "nul\\x00byte"},
      {"\xff\xfe", "\\xff\\xfe"},
      {"overlong \xc0\xbc", "overlong \\xc0\\xbc"},
      {"surrogate \xed\xa0\x80", "surrogate \\xed\\xa0\\x80"},
      {"\xe2\x80\xaegnp", "\\xe2\\x80\\xaegnp"},
      {"line\nbreak\ttab", "line\\x0abreak\\x09tab"},
      {"größe → 名", "größe → 名"},
  };
  for (const auto& [text, markup] : cases) EXPECT_EQ(html_text(text).text(), markup);
}

TEST(Html, ALineOfADumpKeepsItsTabs) {
  EXPECT_EQ(html_line("0:\tfrom all\t<b>\x01").text(), "0:\tfrom all\t&lt;b&gt;\\x01");
  EXPECT_EQ(html_line("").text(), "");
}

TEST(Html, AttributesAreEscaped) {
  EXPECT_EQ(element("a", {{"href", "#x\" onclick=\"alert(1)"}, {"title", "<\n>"}}, html_text("y")).text(),
            "<a href=\"#x&quot; onclick=&quot;alert(1)\" title=\"&lt;\\x0a&gt;\">y</a>");
  EXPECT_EQ(element("br").text(), "<br>");
  EXPECT_EQ(element("rect", {{"x", "1"}}).text(), "<rect x=\"1\"></rect>\n");
}

TEST(Html, ATableHasCellsThatAreColouredAndLead) {
  const HtmlTable table{
      "pairs", {"from", "vm1"}, {{{"vm2"}, {"✗ no", Paint::Bad, "vm2-vm1", "why"}}}, "matrix"};
  EXPECT_EQ(html_table(table).text(),
            "<div class=\"scrolls\" tabindex=\"0\" role=\"group\" aria-label=\"pairs\"><table "
            "class=\"matrix\"><caption>pairs</caption>"
            "<thead><tr><th scope=\"col\">from</th><th scope=\"col\">vm1</th></tr>\n</thead>"
            "<tbody><tr><th scope=\"row\">vm2</th><td class=\"bad\" title=\"why\"><a href=\"#vm2-vm1\">✗ "
            "no</a></td></tr>\n</tbody></table></div>\n");
}

struct Evidence : testing::Test {
  Sources sources;
  SourceId add(std::string text) { return sources.add("cmp1/ip_rule", std::move(text)); }
};

TEST_F(Evidence, TheLineIsWholeAndWhatWasReadIsMarked) {
  const SourceId id = add("first\n0:\tfrom <all>\n");
  const std::string text = html_evidence({id, {9, 13}}, sources).text();
  EXPECT_TRUE(holds(text, "cmp1/ip_rule:2:4")) << text;
  EXPECT_TRUE(holds(text, "<code>0:\t<mark>from</mark> &lt;all&gt;</code>")) << text;
}

TEST_F(Evidence, ALineThatIsADatabaseShowsWhatWasReadInIt) {
  const std::string row = "[\"vxlan\",\"" + std::string(2000, 'y') + "\"]";
  const SourceId id = add(std::string(90000, 'x') + row + std::string(90000, 'z') + "\n");
  const std::string text =
      html_evidence({id, {90000, 90000 + static_cast<std::uint32_t>(row.size())}}, sources).text();
  EXPECT_TRUE(holds(text, std::string(2000, 'y')));
  EXPECT_FALSE(holds(text, "xx") || holds(text, "zz"));
  EXPECT_TRUE(holds(text, "[bytes 90000 to 92012 of a line of 182012]")) << text.substr(0, 300);
}

TEST_F(Evidence, WhatIsNotKnownIsNotShown) {
  EXPECT_TRUE(html_evidence({}, sources).empty());
  const SourceId id = sources.add("gone", SharedText());
  EXPECT_TRUE(holds(html_evidence({id, {7, 3}}, sources).text(), "gone:7:3"));
}

// --- a trace -------------------------------------------------------------------------------------------

const std::string kEvil = "\"><script>alert('1')</script>&amp;\\N\xff\x1b[2J";

Trace hostile(const sample::Cited& at) {
  Trace trace = sample::trace(at);
  trace.question.from.name = trace.question.to.network = trace.assumptions[0].text = kEvil;
  for (Hop& hop : trace.directions[0].hops) {
    hop.place.host = hop.place.name = kEvil;
    if (hop.in) hop.in->name = kEvil;
    for (Device& device : hop.out) device.name = device.netns = kEvil;
    hop.steps.insert(hop.steps.begin(), Noted{kEvil, {}});
  }
  for (Crossing& crossing : trace.directions[0].crossings)
    crossing.host = crossing.netns = crossing.device = kEvil;
  return trace;
}

Finding hostile_finding() {
  Finding finding;
  finding.code = finding.host = finding.place_kind = finding.place = finding.object_kind = finding.object =
      kEvil;
  finding.expected = finding.found = finding.cause = finding.explains = kEvil;
  finding.repair = kEvil + "\n" + kEvil;
  finding.affects = {kEvil};
  return finding;
}

// What a page is made of, without the texts in it.
std::string structure(const std::string& page) {
  static const std::regex kTag("</?[a-zA-Z!][^>]*>");
  std::string all;
  for (auto tag = std::sregex_iterator(page.begin(), page.end(), kTag); tag != std::sregex_iterator(); ++tag)
    all += tag->str() + "\n";
  return all;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

struct PageOfTrace : testing::Test {
  Sources sources;
  sample::Cited at{sources};
  Glossary names = sample::glossary();
  std::string print(const Trace& trace, std::vector<Finding> findings = {}) const {
    return print_html(trace, {sources, "dvrtrace 0", {{"cmp1", "hosts/cmp1", ""}}, {}, std::move(findings)},
                      names);
  }
};

TEST_F(PageOfTrace, AnyBytesInNamesLeaveTheStructureOfThePage) {
  Glossary evil = names;
  evil.devices[kEvil] = evil.namespaces[kEvil] = kEvil;
  const JsonContext context{sources,
                            kEvil,
                            {{kEvil, kEvil, kEvil}},
                            {{Severity::Error, at.flow(3), kEvil, kEvil}},
                            {hostile_finding()}};
  const std::string page = print_html(hostile(at), context, evil);
  EXPECT_EQ(count(page, "<script>"), 1);
  EXPECT_EQ(count(structure(page), "<script>"), 1);
  EXPECT_FALSE(holds(page, "alert('1')"));
  EXPECT_TRUE(holds(page, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;\\N\\xff\\x1b[2J"));
  EXPECT_EQ(printable(page).size(), page.size() + 3 * count(page, "\n"))
      << "bytes that are no text came through";
}

TEST_F(PageOfTrace, TheDrawingLeadsToEveryHopThatItShows) {
  const std::string page = print(sample::trace(at));
  for (const char* id : {"request-1", "request-2", "request-2.1", "request-3", "request-4", "request-5"}) {
    EXPECT_EQ(count(page, "id=\"" + std::string(id) + "\""), 1) << id;
    EXPECT_EQ(count(page, "href=\"#" + std::string(id) + "\""), 3) << id << ": once in each of the drawings";
  }
}

TEST_F(PageOfTrace, ADirectionWithoutHopsIsAPageToo) {
  Trace trace = sample::trace(at);
  trace.directions[0].hops.clear();
  trace.directions[0].crossings.clear();
  trace.directions[0].stopped_at.reset();
  EXPECT_FALSE(holds(print(trace), "<svg"));
  trace.directions.clear();
  EXPECT_TRUE(holds(print(trace), "</html>"));
}

TEST_F(PageOfTrace, WhatWouldSettleItIsNamed) {
  EXPECT_TRUE(holds(print(sample::unknown_trace(at)), "<code>ovs-ofctl dump-flows br-tun on cmp1</code>"));
}

TEST_F(PageOfTrace, WhatThePolicyLetsPassIsWhatThePageHas) {
  const std::string page = print(sample::trace(at));
  EXPECT_EQ(count(page, "<style>"), 1);
  EXPECT_FALSE(holds(page, " style=\"")) << "the policy forbids it";
  EXPECT_FALSE(std::regex_search(page, std::regex("<[^>]* on[a-z]+=\""))) << "the policy forbids it";
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href)=\"(?!#|data:,)")))
      << "it leads out of the page";
}

TEST(PageOfCheck, FaultsComeFirstAndNotesAreFolded) {
  Sources sources;
  Finding error = hostile_finding(), note;
  note.severity = Severity::Note;
  note.code = "DVR-NOTE";
  const CheckReport report{"Zed", false, {note, error}, {{"", "code", kEvil}}};
  const std::string page = print_html(report, {sources, "dvrtrace 0", {}, {}, {}});
  EXPECT_TRUE(holds(page, "1 error, 0 warnings, 1 note"));
  EXPECT_TRUE(holds(page, "Without Neutron"));
  EXPECT_LT(page.find("id=\"findings\""), page.find("DVR-NOTE"));
  EXPECT_EQ(count(page, "<script>"), 1);
}

// --- for Graphviz ----------------------------------------------------------------------------------------

TEST(Dot, AnyBytesInNamesStayInTheirStrings) {
  Sources sources;
  const sample::Cited at(sources);
  const std::string dot = print_dot(hostile(at), {}, {});
  // A quote that nothing escapes begins or ends a string, and between strings stands nothing of a name.
  std::string outside;
  bool inside = false;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (inside && dot[i] == '\\')
      ++i;
    else if (dot[i] == '"')
      inside = !inside;
    else if (!inside)
      outside += dot[i];
  }
  EXPECT_FALSE(inside);
  EXPECT_FALSE(holds(outside, "script") || holds(outside, "alert")) << outside;
  EXPECT_TRUE(holds(dot, R"(\"><script>alert('1')</script>&amp;amp;\\N\\xff\\x1b[2J)")) << dot;
}

}  // namespace
}  // namespace dvrtrace
