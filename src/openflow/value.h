// Values of fields as text: numbers, addresses, flag lists, each with an optional mask.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/openflow/field.h"
#include "src/openflow/names.h"

namespace dvrtrace::openflow {

struct MaskedValue {
  Bits128 value, mask;  // value & ~mask is 0
};

// "0x5/0xff", "10.0.0.0/8", "fa:16:3e:00:00:01", "+trk-new", "later", "\"qr-1\"": by the field's
// format. None when the text is no such value or does not fit the field.
std::optional<MaskedValue> read_value(const FieldInfo& field, std::string_view text, Names& names);
std::string print_value(const FieldInfo& field, Bits128 value, Bits128 mask);

// A plain number of up to 128 bits, decimal or hexadecimal.
std::optional<Bits128> read_number(std::string_view text);

// A port by number, reserved word or name; in quotes or not.
std::optional<Ofport> read_port(std::string_view text, Names& names);
std::string print_port(Ofport port);

std::string print_ct_state(std::uint64_t state, char separator = '|');
// "trk|new", "+trk+new", "0x21": without a mask.
std::optional<std::uint32_t> read_ct_flags(std::string_view text);

}  // namespace dvrtrace::openflow
