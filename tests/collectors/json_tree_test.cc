#include "collectors/json_tree.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace dvrtrace {
namespace {

using nlohmann::json;
using Kind = JsonValue::Kind;

json rebuilt(JsonValue value) {
  switch (value.kind()) {
    case Kind::Object: {
      json object = json::object();
      for (const JsonValue member : value) object[std::string(member.key())] = rebuilt(member);
      return object;
    }
    case Kind::Array: {
      json array = json::array();
      for (const JsonValue element : value) array.push_back(rebuilt(element));
      return array;
    }
    case Kind::Text: return std::string(value.text());
    case Kind::Null: return nullptr;
    default: return json::parse(value.text(), nullptr, false);
  }
}

// What nlohmann's parser takes is taken, means the same, and nothing else is.
void expect_as_nlohmann(const std::string& text) {
  const json expected = json::parse(text.begin(), text.end(), nullptr, false);
  JsonTree tree;
  const std::size_t end = tree.read(text, 0);
  const bool whole = end != 0 && text.find_first_not_of(" \t\r\n", end) == std::string::npos;
  ASSERT_EQ(whole, !expected.is_discarded()) << json(text).dump(-1, ' ', true, json::error_handler_t::replace);
  if (!whole) return;
  EXPECT_EQ(rebuilt(tree.root()), expected) << json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

constexpr std::string_view kTexts[] = {
    "{}", "[]", " [ ] ", R"({"a": 1, "b": [true, false, null, "x"], "c": {"d": {}}})", R"({"a": 1, "a": 2})", "[1,]", "{,}", "[,1]",
    R"({"a" 1})", R"({"a": })", R"({1: 2})", "[1 2]", "nul", "true", "truefalse", "-", "-0", "0", "01", "1.", "1.5", ".5", "1e5", "1E+5",
    "1e", "1e-", "1e400", "-1e400", "1e-400", "18446744073709551615", "18446744073709551616", "-9223372036854775809", R"("\u0041\n\/\"")",
    R"("\u00e9\u20ac")", R"("\ud83d\ude00")", R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")", R"("\u12")", R"("\u12g4")", R"("\x")", "\"\n\"",
    "\"\x7f\"", "\"\xc3\xa9\"", "\"\xc3\"", "\"\xe2\x82\xac\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xff\"", "\"open", "[\"open", "{\"a\":",
    "", " ", "[1]]", "{}{}", "\xef\xbb\xbf[]"};

TEST(JsonTree, AgreesWithNlohmann) {
  for (const std::string_view text : kTexts) {
    if (!text.starts_with('\xef')) expect_as_nlohmann(std::string(text));  // a mark of the byte order is no part of a value
  }
}

TEST(JsonTree, AgreesWithNlohmannOnDamagedTexts) {
  const std::string sound = R"( {"id": "5\u00e9\n", "fixed_ips": [{"ip_address": "10.0.0.5"}, {}], "mtu": -14.50e1, "up": true, "x": null, "é": ""} )";
  constexpr std::string_view kBytes = "\"\\{}[]:,0e-.tn u\n\x01\xc3\xa9";
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = sound;
    for (auto change = random() % 3; change < 3; ++change) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) text.erase(at, 1 + random() % 3);
      else text[at] = kBytes[random() % kBytes.size()];
    }
    expect_as_nlohmann(text);
  }
}

TEST(JsonTree, BoundsTheDepth) {
  const auto nested = [](unsigned depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  JsonTree tree;
  EXPECT_NE(tree.read(nested(JsonTree::kMaxDepth), 0), 0u);
  EXPECT_EQ(tree.read(nested(JsonTree::kMaxDepth + 1), 0), 0u);
}

TEST(JsonTree, AddsTextsWithinTexts) {
  JsonTree tree;
  const std::string text = R"(["[{\"a\": 1}]", "[1"])";
  ASSERT_NE(tree.read(text, 0), 0u);
  std::vector<bool> added;
  JsonValue inner = tree.root();
  for (const JsonValue element : tree.root()) added.push_back(tree.add(std::string(element.text()), inner));
  EXPECT_EQ(added, (std::vector<bool>{true, false}));
  EXPECT_EQ(rebuilt(tree.root()), json::parse(text));
  EXPECT_EQ(rebuilt(tree.add_object({{"b", "2"}})), json::parse(R"({"b": "2"})"));
}

}  // namespace
}  // namespace dvrtrace
