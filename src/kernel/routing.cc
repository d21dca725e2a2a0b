#include "src/kernel/routing.h"

#include "src/base/text.h"

namespace dvrtrace::kernel {

std::optional<RouteTable> parse_route_table(std::string_view text) {
  if (text == "local") return kTableLocal;
  if (text == "main") return kTableMain;
  if (text == "default") return kTableDefault;
  return number<RouteTable>(text);
}

std::string route_table_name(RouteTable table) {
  switch (table) {
    case kTableLocal:
      return "local";
    case kTableMain:
      return "main";
    case kTableDefault:
      return "default";
    default:
      return std::to_string(table);
  }
}

}  // namespace dvrtrace::kernel
