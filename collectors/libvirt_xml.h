// The virtual machines of a host from libvirt's domain XML: `virsh dumpxml`, /etc/libvirt/qemu/*.xml,
// /run/libvirt/qemu/*.xml. It is what ties a tap and a Neutron port to the name a user knows.
#pragma once

#include <optional>

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// None when the text holds no domain. What stands before a fault in the XML is read.
std::optional<Domain> read_libvirt_domain(const SourceText& text, ReadLog& log);

}  // namespace dvrtrace
