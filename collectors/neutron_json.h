// Neutron's view of the cloud: what its API answered, what `openstack X list|show -f json` printed, or
// the table of DVR MACs out of its database.
//
// An object may come in several files, each saying another part of it (a list names a port, a show
// tells its binding). They are merged by id: what a later text says counts, what it does not say stays.
#pragma once

#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/logical/model.h"

namespace dvrtrace {

// Adds the objects of one text to `model`. What they are the text itself tells: by its outer member
// ("networks"), else by the columns of each object, else by the text's file name. Texts of other kinds
// are Ignored, with a note. Total: any bytes give a model.
void read_neutron_json(const SourceText& text, logical::Model& model, ReadLog& log);

}  // namespace dvrtrace
