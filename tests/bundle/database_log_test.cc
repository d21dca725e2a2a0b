#include "collectors/bundle/database_log.h"

#include <gtest/gtest.h>

namespace dvrtrace::redact {
namespace {

// Lengths and sums as Python's hashlib has them.
constexpr std::string_view kSchema =
    "OVSDB JSON 50 1f911d33bb12d43be54facad0dc5ad6e50687f5b\n{\"cksum\":\"1 "
    "2\",\"name\":\"Open_vSwitch\",\"tables\":{}}\n";
constexpr std::string_view kRecord =
    "OVSDB JSON 80 55ad1b9fdefc87c411ee26c477cba32c80bdd5cd\n"
    "{\"_date\":1,\"Bridge\":{\"13c6faff-a669-4a80-a7d3-abf49773ab4c\":{\"name\":\"br-int\"}}}\n";

std::string replaced(std::string text, std::string_view before, std::string_view after) {
  const std::size_t at = text.find(before);
  return at == std::string::npos ? text : text.replace(at, before.size(), after);
}

TEST(DatabaseLog, SumsAreRightAgain) {
  const std::string log = std::string(kSchema) + std::string(kRecord);
  EXPECT_EQ(with_right_sums(log, log), log);
  const std::string other = replaced(log, "br-int", "br-integration");
  const std::string right = with_right_sums(log, other);
  EXPECT_NE(right.find("OVSDB JSON 88 "), std::string::npos) << right;
  EXPECT_EQ(right.find("OVSDB JSON 80 "), std::string::npos) << right;
  EXPECT_TRUE(right.starts_with(kSchema)) << right;
  // Back again: the sums of what they were made of.
  EXPECT_EQ(with_right_sums(right, log), log);
}

TEST(DatabaseLog, WhatWasWrongStaysWrong) {
  const std::string log = std::string(kSchema) + std::string(kRecord);
  for (const std::string& wrong :
       {replaced(log, "55ad1b", "55ad1c"), replaced(log, "JSON 80", "JSON 81"), log.substr(0, log.size() - 9),
        replaced(log, "OVSDB JSON 80", "nonsense 80")}) {
    const std::string other = replaced(wrong, "13c6faff", "93c6faff");
    EXPECT_EQ(with_right_sums(wrong, other), other) << wrong;
  }
}

TEST(DatabaseLog, IsTotal) {
  for (const std::string_view text :
       {"", "\n", "OVSDB", "OVSDB ", "OVSDB JSON", "OVSDB JSON \n", "x\ny\n", "OVSDB JSON 1 x"})
    EXPECT_EQ(with_right_sums(text, text), text) << text;
  EXPECT_EQ(with_right_sums("", "OVSDB JSON 1 2\n{}\n"), "OVSDB JSON 1 2\n{}\n");
}

}  // namespace
}  // namespace dvrtrace::redact
