// Readers of what iptables prints in options: whole dumps (iptables-save) and single tables
// (`iptables -t nat -S`).
//
// A rule is one line. A line that cannot be read is reported and marks its table incomplete, so
// that a lookup in it does not conclude what the lost rule might have changed.
#pragma once

#include <string_view>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/kernel/iptables.h"

namespace dvrtrace {

// Reads iptables-save or ip6tables-save, with or without -c. Total: any bytes give a value.
kernel::Iptables read_iptables_save(const SourceText& text, Family family, ReadLog& log);

// Reads `iptables -S` of one table, which the output does not name. An empty text gives no table:
// an existing one has at least the policies of its built-in chains.
kernel::Iptables read_iptables_spec(const SourceText& text, Family family, std::string_view table, ReadLog& log);

}  // namespace dvrtrace
