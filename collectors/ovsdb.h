// Open vSwitch's configuration from its database, saved by ovs-vsctl, ovsdb-client or as conf.db.
//
// A report may hold one table per file, so reading has two steps: rows of each text, then one
// OvsDatabase of all of them. Where the table Port was not saved (sos has no "list port"), the rows
// cannot be joined by themselves; they then complete what `ovs-vsctl show` gave (vsctl_show.h).
//
//   OvsRows rows = read_ovs_rows(bridges, "Bridge", log);
//   rows.add(read_ovs_rows(ports, "Port", log));
//   rows.add(read_ovs_rows(interfaces, "Interface", log));
//   OvsDatabase database = join_ovs_rows(rows, diagnostics);
#pragma once

#include <span>
#include <string_view>

#include "collectors/ovsdb_rows.h"
#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

// Reads any of: `ovs-vsctl [-f json|list|table] list T`, `ovsdb-client [-f json|list|table] dump`,
// conf.db. `table` is T where the command is known, "" lets the columns tell. Total: any bytes
// give rows.
OvsRows read_ovs_rows(const SourceText& text, std::string_view table, ReadLog& log);

// The configuration that the rows make. What they refer to and do not hold is reported.
OvsDatabase join_ovs_rows(const OvsRows& rows, Diagnostics& diagnostics);

// Fills in what `rows` say of bridges, ports and interfaces that `database` has already, by name.
void complete_from_ovs_rows(OvsDatabase& database, const OvsRows& rows);

// A whole database in one text: conf.db, or a dump by ovsdb-client.
OvsDatabase read_ovs_database(const SourceText& text, ReadLog& log);

// Several saved tables of one database, each with its name or "".
struct OvsTableText {
  SourceText text;
  std::string_view table;
};
OvsDatabase read_ovs_tables(std::span<const OvsTableText> tables, ReadLog& log);

}  // namespace dvrtrace
