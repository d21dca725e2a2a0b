// Makes the Glossary: what the snapshot and Neutron say that numbers and addresses are.
#pragma once

#include "src/model/network.h"
#include "src/report/glossary.h"

namespace dvrtrace {

Glossary name_things(const Network& network);

}  // namespace dvrtrace
