#pragma once

#include <functional>
#include <string_view>

namespace ff::models {

/// Calls use(piece) for the pieces of a text that byte pairs are merged within, as GPT-2 (Radford et al. 2019) divides
/// it; together they are the text. At each place the first of these that is there is the piece:
///   's 't 're 've 'm 'll 'd;  ?letters;  ?numbers;  ?others;  white space but the last of it, where a piece follows;
///   white space
/// where " ?" is a space or none, letters are Unicode's L, numbers its N, white space its White_Space, and others what
/// is none of them. Bytes that are no UTF-8 are others.
void for_each_pretoken(std::string_view text, const std::function<void(std::string_view)>& use);

}  // namespace ff::models
