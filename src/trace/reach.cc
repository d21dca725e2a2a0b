#include "src/trace/reach.h"

namespace dvrtrace {

std::string_view name(ReachKind kind) {
  switch (kind) {
    case ReachKind::Vms:
      return "vms";
    case ReachKind::FloatingIps:
      return "floating-ips";
    case ReachKind::Outside:
      return "outside";
    case ReachKind::Metadata:
      return "metadata";
    case ReachKind::Dhcp:
      return "dhcp";
  }
  return {};
}

}  // namespace dvrtrace
