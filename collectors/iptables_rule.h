// The grammar of one rule as iptables-save, `iptables -S` and a hand that writes rules have it:
//
//   -s 10.0.0.5/32 ! -o qg-1 -p tcp -m tcp --dport 80 -m comment --comment "a \"b\"" -j SNAT --to-source 1.2.3.4
//
// An option belongs to the match extension last loaded by -m that knows it, or to the extension
// of the protocol, as in iptables itself. An option that nothing here knows is kept, with its
// values, in an UnmodelledMatch or UnmodelledTarget, so that no rule ever matches more than it
// does in the kernel. Only a known option whose value cannot be read is a Fault.
#pragma once

#include <string_view>

#include "collectors/iptables_words.h"
#include "src/kernel/iptables.h"

namespace dvrtrace::iptables {

// Reads the options of a rule, what follows "-A CHAIN". The matches stand in the order written.
Read<kernel::IptablesRule> read_rule(std::string_view options, Family family);

// Takes the next word off `text`: a run of anything but blanks, or a quoted text with its quotes.
std::string_view take_token(std::string_view& text);
// What a token says: without its quotes and the backslashes before escaped characters.
std::string unquoted(std::string_view token);

// The texts of a LimitMatch, the same for both spellings: "3/hour burst 5".
std::string limit_text(std::string_view rate, std::string_view burst);

}  // namespace dvrtrace::iptables
