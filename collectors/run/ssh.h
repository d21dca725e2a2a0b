// The user's own OpenSSH: their configuration, agent and jump hosts. No password is ever asked for.
//
// What is run on one host at the same time, or soon after, shares a connection, whose socket lies in a folder that only
// the user can look into. The connections end with this object.
//
//   Ssh ssh({"ssh"}, 10);
//   const Ran ran = run_process(ssh.words("cmp1", as_root({"tcpdump", "-w", "-"})), {}, {.time = 60s}, sink);
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "collectors/run/process.h"

namespace dvrtrace {

class Ssh {
 public:
  // `program`: "ssh" and what of its options the user wants. `connect`: seconds until a host that does not answer is
  // given up.
  explicit Ssh(Words program, unsigned connect);
  Ssh(const Ssh&) = delete;
  Ssh& operator=(const Ssh&) = delete;
  ~Ssh();

  // Runs `command`, which a shell on the host reads.
  Words words(const std::string& host, const std::string& command);

 private:
  Words options() const;

  Words program_;
  unsigned connect_;
  std::string folder_;  // "" when none could be made: then each command has a connection of its own
  std::mutex mutex_;
  std::set<std::string> hosts_;
};

// A command for the host's shell that runs `words` as root: as they are for root, by sudo where that asks for no
// password, and as they are for want of both.
std::string as_root(const Words& words);

// Why ssh itself failed, out of what it said: its last line that is not a warning. "" when it said nothing.
std::string ssh_complaint(std::string_view errors);

}  // namespace dvrtrace
