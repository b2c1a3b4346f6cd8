#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace ff::models {

/// The bytes in GPT-2's order: those that Latin-1 prints (! to ~, 0xa1 to 0xac, 0xae to 0xff), then the others.
const std::array<unsigned char, 256>& byte_order();

/// Bytes as GPT-2's files show them, a character each: those that Latin-1 prints are themselves, the n-th of the others
/// (from 0) is U+0100 + n. A space is "\u0120".
std::string shown_bytes(std::string_view bytes);
/// The bytes that shown_bytes() shows so; none where it shows no bytes so.
std::optional<std::string> bytes_shown(std::string_view text);

}  // namespace ff::models
