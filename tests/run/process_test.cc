#include "collectors/run/process.h"

#include <gtest/gtest.h>

#include "collectors/run/ssh.h"

namespace dvrtrace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Heard {
  Ran ran;
  std::string text;
};

Heard run(const Words& words, std::string_view input = {}, const ProcessLimits& limits = {}) {
  Heard heard;
  heard.ran = run_process(words, input, limits, [&](std::string_view piece) { heard.text += piece; });
  return heard;
}
Heard shell(const std::string& line, std::string_view input = {}, const ProcessLimits& limits = {}) {
  return run({"sh", "-c", line}, input, limits);
}

TEST(Process, gives_output_errors_and_status) {
  const Heard heard = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(heard.text, "out\n");
  EXPECT_EQ(heard.ran.errors, "err\n");
  EXPECT_EQ(heard.ran.status, 3);
  EXPECT_FALSE(heard.ran.good());
  EXPECT_LE(heard.ran.start, heard.ran.end);
}

TEST(Process, has_no_shell_between) {
  EXPECT_EQ(run({"printf", "%s|", "$HOME", "a b", "*", "'"}).text, "$HOME|a b|*|'|");
}

TEST(Process, a_program_that_is_not_there_is_no_program_that_failed) {
  const Ran ran = run({"no-such-program-of-dvrtrace"}).ran;
  EXPECT_FALSE(ran.started());
  EXPECT_EQ(ran.failure, "no-such-program-of-dvrtrace: not installed");
  EXPECT_FALSE(ran.status.has_value());
}

TEST(Process, reads_its_input_however_long) {
  const std::string input(1 << 20, 'x');
  EXPECT_EQ(run({"wc", "-c"}, input).text.substr(0, 7), "1048576");
  EXPECT_TRUE(run({"cat"}, input).text == input);
}

TEST(Process, survives_a_program_that_does_not_read) {
  EXPECT_TRUE(shell("exit 0", std::string(1 << 20, 'x')).ran.good());
}

TEST(Process, keeps_what_came_before_the_time_was_over) {
  const Heard heard = shell("echo first; exec sleep 100", {}, {.time = milliseconds(300)});
  EXPECT_TRUE(heard.ran.timed_out);
  EXPECT_EQ(heard.text, "first\n");
  EXPECT_EQ(heard.ran.status, 128 + 15);
}

TEST(Process, ends_one_that_does_not_want_to) {
  const Heard heard =
      shell("trap '' TERM; echo deaf; while :; do sleep 0.1; done", {}, {.time = milliseconds(300)});
  EXPECT_TRUE(heard.ran.timed_out);
  EXPECT_EQ(heard.ran.status, 128 + 9);
}

TEST(Process, does_not_wait_for_what_a_program_leaves_behind) {
  const Heard heard = shell("sleep 20 & echo done", {}, {.time = seconds(15)});
  EXPECT_TRUE(heard.ran.good());
  EXPECT_EQ(heard.text, "done\n");
  EXPECT_LT(heard.ran.end - heard.ran.start, seconds(10));
}

TEST(Process, bounds_output_and_errors) {
  const Heard heard = shell("yes | tee /dev/stderr", {}, {.output = 1000, .errors = 100});
  EXPECT_TRUE(heard.ran.too_long);
  EXPECT_FALSE(heard.ran.timed_out);
  EXPECT_EQ(heard.text.size(), 1000U);
  EXPECT_EQ(heard.ran.errors.size(), 100U);
}

TEST(Process, speaks_english) { EXPECT_EQ(shell("echo $LC_ALL").text, "C\n"); }

TEST(Ssh, quotes_for_the_shell_of_the_host) {
  EXPECT_EQ(shell_quoted("br-int"), "br-int");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell("printf %s " + shell_quoted("it's $HOME; `id`")).text, "it's $HOME; `id`");
  EXPECT_EQ(shell(as_root({"printf", "%s|", "a b", "it's"})).text, "a b|it's|");
}

TEST(Ssh, asks_for_no_password_and_shares_the_connection) {
  Ssh ssh({"ssh", "-F", "config"}, 7);
  const Words words = ssh.words("cmp1", "id");
  EXPECT_EQ(words[0], "ssh");
  EXPECT_EQ(words[2], "config");
  const auto has = [&](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  EXPECT_TRUE(has("BatchMode=yes"));
  EXPECT_TRUE(has("ConnectTimeout=7"));
  EXPECT_TRUE(has("ControlMaster=auto"));
  EXPECT_EQ(words[words.size() - 3], "--");  // a host is never an option
}

TEST(Ssh, names_what_ssh_complained_of) {
  EXPECT_EQ(
      ssh_complaint("Warning: Permanently added 'x'\nssh: connect to host x port 22: Connection refused\r\n"),
      "ssh: connect to host x port 22: Connection refused");
  EXPECT_EQ(ssh_complaint(""), "");
}

}  // namespace
}  // namespace dvrtrace
