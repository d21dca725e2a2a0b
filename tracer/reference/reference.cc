#include "tracer/reference/reference.h"

#include "tracer/reference/bridges.h"
#include "tracer/reference/namespaces.h"

namespace dvrtrace::reference {

Host program(const Plan& plan, FlowSieve* sieve) {
  Host host{plan.host, bridges(plan, sieve), plan.caveats};
  add_linux(plan, host);
  return host;
}

}  // namespace dvrtrace::reference
