// Reader of `iptables -t T -nvL`, with or without -n, -v, -x and --line-numbers, and of ip6tables.
//
// The listing is meant for people, and says less than iptables-save:
// - Without -v it has no in and out columns. A rule may then be bound to a device that is not
//   shown, so the table is marked incomplete.
// - Without -n ports and addresses are names. The usual services are known here, others and all
//   host names become Unmodelled.
// - Phrases that are not known here cannot be told apart: all words up to the target's own become
//   one UnmodelledMatch, whose text is not the text that iptables-save gives it.
// - What a LOG or another Harmless target prints is not told from unknown phrases before it.
// - Counters beyond 99999 are rounded (12K) unless -x was given.
// - A listing may be of single chains; one without any built-in chain is marked incomplete.
// For everything else the same rules give the same value as from iptables-save.
#pragma once

#include <string_view>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/iptables.h"

namespace dvrtrace {

// Total: any bytes give a value. The output does not name its table; an empty one gives no table.
kernel::Iptables read_iptables_list(const SourceText& text, Family family, std::string_view table, ReadLog& log);

}  // namespace dvrtrace
