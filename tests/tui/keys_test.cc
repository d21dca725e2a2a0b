#include "tui/keys.h"

#include <gtest/gtest.h>

#include <map>

namespace dvrtrace::tui {
namespace {

TEST(Keys, AreReadAsTheyAreWritten) {
  EXPECT_EQ(read_keys("j Down Tab"),
            (std::vector<Key>{{KeyName::Character, U'j'}, {KeyName::Down, 0}, {KeyName::Tab, 0}}));
  EXPECT_EQ(read_keys("tcp/80 Enter").size(), 7U);
  EXPECT_EQ(read_keys("Space"), (std::vector<Key>{{KeyName::Character, U' '}}));
  EXPECT_EQ(read_keys("ü"), (std::vector<Key>{{KeyName::Character, U'ü'}}));
}

TEST(Keys, NoKeyCommandsTwoThings) {
  std::map<std::pair<int, char32_t>, std::string> seen;
  for (const Binding& binding : bindings()) {
    for (const Key& key : read_keys(binding.keys)) {
      const auto [at, fresh] =
          seen.emplace(std::pair(static_cast<int>(key.name), key.character), binding.meaning);
      EXPECT_TRUE(fresh) << binding.keys << ": " << binding.meaning << ", and " << at->second;
      EXPECT_EQ(command_of(key), binding.command);
    }
  }
}

TEST(Keys, TheHelpListsAllOfTheTable) {
  const std::string help = key_help();
  for (const Binding& binding : bindings()) {
    EXPECT_NE(help.find(binding.meaning), std::string::npos) << binding.meaning;
    EXPECT_NE(help.find("  " + std::string(binding.keys)), std::string::npos) << binding.keys;
  }
}

}  // namespace
}  // namespace dvrtrace::tui
