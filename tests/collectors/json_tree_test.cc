#include "collectors/json_tree.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace {
namespace {

using Kind = JsonValue::Kind;

// A tree told member by member, which shows what nodes it has and in which order.
std::string told(JsonValue value) {
  std::string text;
  switch (value.kind()) {
    case Kind::Object:
      for (const JsonValue member : value) text += std::string(text.empty() ? "" : " ").append(member.key()) + "=" + told(member);
      return "{" + text + "}";
    case Kind::Array:
      for (const JsonValue element : value) text += std::string(text.empty() ? "" : " ") + told(element);
      return "[" + text + "]";
    case Kind::Text: return "'" + std::string(value.text()) + "'";
    case Kind::Fraction: return "~" + std::string(value.text());
    default: return std::string(value.text());
  }
}

struct Case {
  std::string_view text, tells;  // "": is no value
};
constexpr Case kCases[] = {
    {"{}", "{}"}, {" [ ] ", "[]"}, {"null", "null"}, {"[true,false]", "[true false]"},
    {R"({"b": 1, "a": {"c": [2, []], "d": {}}, "e": "x"})", "{b=1 a={c=[2 []] d={}} e='x'}"},
    {R"({"a": 1, "a": 2})", "{a=1 a=2}"}, {R"(["\u0041\n\/\ud83d\ude00"])", "['A\n/\xf0\x9f\x98\x80']"},
    {R"({"\u0061": ""})", "{a=''}"}, {"[-0, 18446744073709551615, -9]", "[0 18446744073709551615 -9]"},
    {"[1.50, 1e2]", "[~1.5 ~100.0]"}, {R"({"b": 18446744073709551616, "a": 1})", "{b=~1.8446744073709552e+19 a=1}"}, {"[1e400, 18446744073709551616]", ""}, {"[1,]", ""}, {"{1: 2}", ""}, {"[1 2]", ""},
    {"nul", ""}, {"01", ""}, {"1e400", ""}, {R"("\ud83d")", ""}, {"\"\n\"", ""}, {"\"\xff\"", ""}, {"[\"open", ""}, {"", ""},
    {"{}{}", ""}, {"[1]]", ""}, {{"[1]\0]", 5}, ""}};

TEST(JsonTree, TellsWhatATextHas) {
  JsonTree tree;  // one for all: what was read before leaves nothing
  for (const Case& c : kCases) {
    const bool read = tree.read(c.text);
    EXPECT_EQ(read, !c.tells.empty()) << c.text;
    if (read) {
      EXPECT_EQ(told(tree.root()), c.tells) << c.text;
    }
  }
}

TEST(JsonTree, KeepsTextsThatOutgrowItsRoom) {
  std::string text = "[";
  for (int number = 0; number < 3000; ++number) text += "\"" + std::string(20, static_cast<char>('a' + number % 26)) + "\",";
  text.back() = ']';
  JsonTree tree;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(tree.read(text));
    int number = 0;
    for (const JsonValue element : tree.root()) {
      ASSERT_EQ(element.text(), std::string(20, static_cast<char>('a' + number++ % 26)));
    }
    EXPECT_EQ(number, 3000);
  }
}

TEST(JsonTree, BoundsTheDepth) {
  const auto nested = [](unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  JsonTree tree;
  EXPECT_TRUE(tree.read(nested(JsonTree::kMaxDepth)));
  EXPECT_FALSE(tree.read(nested(JsonTree::kMaxDepth + 1)));
}

TEST(JsonTree, AddsTextsWithinTexts) {
  JsonTree tree;
  const std::string text = R"(["[{\"a\": 1}]", "[1"])";
  ASSERT_TRUE(tree.read(text));
  std::vector<std::string> inner;
  for (const JsonValue element : tree.root()) {
    JsonValue value = tree.root();
    inner.push_back(tree.add(element.text(), value) ? told(value) : "none");
  }
  EXPECT_EQ(inner, (std::vector<std::string>{"[{a=1}]", "none"}));
  EXPECT_EQ(told(tree.root()), R"(['[{"a": 1}]' '[1'])");
  EXPECT_EQ(told(tree.add_object({{"b", "2"}})), "{b='2'}");
}

}  // namespace
}  // namespace dvrtrace
