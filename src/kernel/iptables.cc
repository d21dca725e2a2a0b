#include "src/kernel/iptables.h"

#include <algorithm>

namespace dvrtrace::kernel {

const Chain* IptablesTable::find(std::string_view chain) const {
  const auto found = std::ranges::find(chains, chain, &Chain::name);
  return found == chains.end() ? nullptr : &*found;
}

const IptablesTable* Iptables::find(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &IptablesTable::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace dvrtrace::kernel
