#include "src/report/pictures/html_page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "src/base/text.h"
#include "src/report/pictures/html_assets.h"
#include "src/report/words.h"

namespace dvrtrace {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Elements that have no content, and no end.
bool is_void(std::string_view name) {
  return name == "meta" || name == "link" || name == "input" || name == "br";
}

// Elements that end a line of the file, for those who compare two. Space behind them means nothing.
bool ends_line(std::string_view name) {
  constexpr std::array kNames{"details", "summary", "li",   "tr",   "dd",   "p",  "div",
                              "figure",  "svg",     "rect", "path", "text", "h1", "h2"};
  return std::ranges::find(kNames, name) != kNames.end();
}

// As a Content-Security-Policy names what it lets pass.
std::string hash_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const int done = EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  assert(done == 1);
  static_cast<void>(done);
  std::string base64(4 * ((length + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), digest.data(),
                                   static_cast<int>(length));
  base64.resize(static_cast<std::size_t>(size));
  return "'sha256-" + base64 + "'";
}

}  // namespace

Markup& Markup::operator+=(const Markup& other) {
  text_ += other.text_;
  return *this;
}

Markup html_text(std::string_view text) {
  Markup markup;
  markup.text_ = escaped(printable(text));
  return markup;
}

Markup html_line(std::string_view text) {
  Markup markup;
  bool first = true;
  for (const std::string_view part : split(text, '\t')) {
    if (!first) markup.text_ += '\t';
    markup.text_ += escaped(printable(part));
    first = false;
  }
  return markup;
}

Markup element(std::string_view name, const HtmlAttributes& attributes, const Markup& content) {
  Markup markup;
  std::string& out = markup.text_;
  out.reserve(content.text_.size() + 64);
  out += '<';
  out += name;
  for (const auto& [attribute, value] : attributes) {
    out += ' ';
    out += attribute;
    out += "=\"" + escaped(printable(value)) + '"';
  }
  out += '>';
  if (is_void(name)) return markup;
  out += content.text_;
  out += "</";
  out += name;
  out += ends_line(name) ? ">\n" : ">";
  return markup;
}

std::string_view class_of(Paint paint) {
  switch (paint) {
    case Paint::Plain:
      return "";
    case Paint::Strong:
      return "strong";
    case Paint::Faint:
      return "faint";
    case Paint::Good:
      return "good";
    case Paint::Bad:
      return "bad";
    case Paint::Doubtful:
      return "doubtful";
    case Paint::Place:
      return "place";
    case Paint::Changed:
      return "changed";
  }
  return "";
}

Markup html_pieces(const Pieces& pieces) {
  Markup all;
  for (const Piece& piece : pieces) {
    if (piece.text.empty()) continue;
    const std::string_view kind = class_of(piece.paint);
    all += kind.empty() ? html_text(piece.text)
                        : element("span", {{"class", std::string(kind)}}, html_text(piece.text));
  }
  return all;
}

Markup html_details(const HtmlDetails& how, const Markup& summary, const Markup& body) {
  HtmlAttributes attributes;
  if (!how.id.empty()) attributes.emplace_back("id", how.id);
  attributes.emplace_back("class", how.kind + (how.prints ? " prints" : ""));
  if (how.open) attributes.emplace_back("open", "");
  Markup content = element("summary", {}, summary);
  content += element("div", {{"class", "body"}}, body);
  return element("details", attributes, content);
}

namespace {

Markup cell(std::string_view name, const HtmlCell& what, HtmlAttributes attributes) {
  const std::string_view kind = class_of(what.paint);
  if (!kind.empty()) attributes.emplace_back("class", std::string(kind));
  if (!what.title.empty()) attributes.emplace_back("title", what.title);
  const Markup text = html_text(what.text);
  return element(name, attributes,
                 what.link.empty() ? text : element("a", {{"href", "#" + what.link}}, text));
}

}  // namespace

Markup html_table(const HtmlTable& table) {
  Markup inside;
  if (!table.caption.empty()) inside += element("caption", {}, html_text(table.caption));
  Markup head;
  for (const std::string& name : table.heads) head += element("th", {{"scope", "col"}}, html_text(name));
  inside += element("thead", {}, element("tr", {}, head));
  Markup body;
  for (const std::vector<HtmlCell>& row : table.rows) {
    Markup cells;
    for (std::size_t i = 0; i < row.size(); ++i)
      cells += i == 0 ? cell("th", row[i], {{"scope", "row"}}) : cell("td", row[i], {});
    body += element("tr", {}, cells);
  }
  inside += element("tbody", {}, body);
  // What scrolls has to be reached by the keyboard.
  return element("div",
                 {{"class", "scrolls"},
                  {"tabindex", "0"},
                  {"role", "group"},
                  {"aria-label", table.caption.empty() ? "table" : table.caption}},
                 element("table", {{"class", table.kind}}, inside));
}

Markup html_evidence(const Provenance& at, const Sources& sources) {
  constexpr std::size_t kLongestLine = 4096, kLongestPart = 65536;
  if (!at.known()) return {};
  const Location where = sources.locate(at);
  const bool whole_file = at.span.end == 0;
  Markup content =
      element("p", {{"class", "source"}},
              html_text(whole_file ? std::string(where.file)
                                   : fmt::format("{}:{}:{}", where.file, where.line, where.column)));
  const std::string_view line = sources.line(at);
  if (whole_file || line.empty() || where.column == 0)
    return element("div", {{"class", "evidence"}}, content);
  const std::size_t from = std::min<std::size_t>(where.column - 1, line.size());
  const std::size_t length = std::min<std::size_t>(at.span.end - at.span.begin, line.size() - from);
  Markup text;
  if (line.size() > kLongestLine) {
    const std::size_t shown = std::min(length, kLongestPart);
    text +=
        element("span", {{"class", "faint"}},
                html_text(fmt::format("[bytes {} to {} of a line of {}] ", from, from + shown, line.size())));
    text += html_line(line.substr(from, shown));
  } else if (length == 0 || length == line.size()) {
    text += html_line(line);
  } else {
    text += html_line(line.substr(0, from));
    text += element("mark", {}, html_line(line.substr(from, length)));
    text += html_line(line.substr(from + length));
  }
  content += element("pre", {}, element("code", {}, text));
  return element("div", {{"class", "evidence"}}, content);
}

void add_provenance(const JsonContext& context, HtmlPage& page) {
  Markup diagnostics;
  for (const Diagnostic& diagnostic : context.diagnostics) {
    Markup summary = element("span",
                             {{"class", diagnostic.severity == Severity::Error     ? "bad"
                                        : diagnostic.severity == Severity::Warning ? "doubtful"
                                                                                   : "faint"}},
                             html_text(name(diagnostic.severity)));
    summary += html_text(" " + diagnostic.message);
    Markup body = diagnostic.hint.empty() ? Markup() : element("p", {}, html_text(diagnostic.hint));
    body += html_evidence(diagnostic.at, context.sources);
    diagnostics += body.empty() ? element("p", {{"class", "entry"}}, summary)
                                : html_details({"", "entry", false, false}, summary, body);
  }
  if (!diagnostics.empty()) {
    const std::size_t count = context.diagnostics.size();
    page.sections.push_back(
        {"diagnostics", "Diagnostics",
         html_details({"", "list", false, false},
                      html_text(fmt::format("{} line{} or file{} that could not be used as they are", count,
                                            count == 1 ? "" : "s", count == 1 ? "" : "s")),
                      diagnostics)});
  }
  HtmlTable table{"", {"host", "input", "collected"}, {}};
  for (const JsonInput& input : context.inputs) {
    table.rows.push_back(
        {{input.host},
         {input.path},
         input.collected_at.empty() ? HtmlCell{"not known", Paint::Faint} : HtmlCell{input.collected_at}});
  }
  Markup body = table.rows.empty() ? Markup() : html_table(table);
  body += element("p", {{"class", "faint"}}, html_text("written by " + context.tool));
  page.sections.push_back({"inputs", "Inputs", std::move(body)});
}

std::string print_html(const HtmlPage& page) {
  const auto meta = [](std::string_view name, std::string content) {
    return element("meta", {{"name", std::string(name)}, {"content", std::move(content)}}).text() + "\n";
  };
  const std::string policy = fmt::format(
      "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
      hash_of(kPageStyle), hash_of(kPageScript));
  Markup main = element("header", {}, page.heading);
  // The script shows this bar; without it there is nothing that it could do.
  Markup tools;
  const auto button = [&](const char* id, const char* text) {
    tools += element("button", {{"type", "button"}, {"id", id}}, html_text(text));
  };
  button("expand", "Unfold all");
  button("collapse", "Fold all");
  tools += element("label", {{"for", "search"}}, html_text("Search"));
  tools += element("input", {{"type", "search"},
                             {"id", "search"},
                             {"autocomplete", "off"},
                             {"spellcheck", "false"},
                             {"placeholder", "address, MAC, table, device ..."}});
  tools += element("output", {{"id", "found"}, {"for", "search"}, {"role", "status"}});
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += element("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", policy}}).text() + "\n";
  out += meta("viewport", "width=device-width, initial-scale=1") + meta("color-scheme", "light dark") +
         meta("referrer", "no-referrer");
  out += element("title", {}, html_text(page.title)).text() + "\n";
  out += "<link rel=\"icon\" href=\"data:,\">\n";  // or a browser asks for one
  out += fmt::format("<style>{}</style>\n</head>\n<body>\n", kPageStyle);
  out += element("nav", {{"id", "tools"}, {"aria-label", "this page"}, {"hidden", ""}}, tools).text() +
         "\n<main>\n";
  out += main.text() + "\n";
  for (const HtmlSection& section : page.sections) {
    if (section.body.empty()) continue;
    Markup inside = element("h2", {}, html_text(section.heading));
    inside += section.body;
    out += element("section", {{"id", section.id}}, inside).text() + "\n";
  }
  out += fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", kPageScript);
  return out;
}

}  // namespace dvrtrace
