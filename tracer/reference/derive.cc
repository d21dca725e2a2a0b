#include "tracer/reference/derive.h"

namespace dvrtrace::reference {

logical::Model derive(const Snapshot&, std::vector<Caveat>&) { return {}; }

}  // namespace dvrtrace::reference
