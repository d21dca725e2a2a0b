// Invariants: faults that the dumps show by themselves, whatever Neutron's objects say.
//
// Each is a code of the catalogue (catalogue.h). What an invariant needs and the dumps lack is never held against them.
#pragma once

#include <memory>
#include <vector>

#include "src/logical/model.h"
#include "src/snapshot/host.h"
#include "src/trace/finding.h"

namespace dvrtrace::check {

// Of one host that was read in full.
std::vector<Finding> check_invariants(const HostSnapshot& host, const logical::Model& model);

// Of hosts among each other. Hosts are added one after the other and need not be kept.
class CloudInvariants {
 public:
  CloudInvariants();
  ~CloudInvariants();
  // What findings may cite of the host.
  std::vector<Provenance> add(const HostSnapshot& host);
  std::vector<Finding> judge();

 private:
  class Facts;
  std::unique_ptr<Facts> facts_;
};

}  // namespace dvrtrace::check
