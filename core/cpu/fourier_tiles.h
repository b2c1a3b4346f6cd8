#pragma once

#include <cstdint>

namespace ff::cpu::fourier {

// The float32 kernel works on tiles of queries by keys. Within a tile the kernel of a pair is the number
// mantissa 2^exponent, the two kept apart: K may be as small as 1e-300, and its logarithm as a float would have lost
// the digits that the weights are made of.

/// Rows of a tile of queries and of keys: the scores of one fill 32 KiB, about a first-level cache.
inline constexpr std::int64_t query_tile = 32, key_tile = 256;
/// Queries are taken this many at a time, keys this many: rows of a packed tile are padded to a multiple of it.
inline constexpr std::int64_t query_block = 4, key_block = 16;

constexpr std::int64_t round_up(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }

/// How far |x| = |R (q - k)| goes in a block of queries and a tile of keys, which decides by what a feature's sinc
/// comes: small, medium and large by a sum of logarithms, polynomials of x^2 of 5 to 7 coefficients; wide by a product
/// of polynomials; all four without reducing x, as any x needs.
enum class Range : std::uint8_t { small, medium, large, wide, any };
inline constexpr int range_count = 5;
inline constexpr float range_limit[] = {0.9f, 1.25f, 1.6f, 2.2f};  ///< of |x|, all but any

/// The polynomials of a feature, in the square of what its packed values differ by, lowest power first.
struct RangePolynomials {
  float log_small[5], log_medium[6], log_large[7];                   ///< log2(sinc) over the square
  float sinc_wide[6];                                                ///< (sinc - 1) over the square
  float grad_small[4], grad_medium[5], grad_large[6], grad_wide[9];  ///< pi c over the difference
};

/// What the kernel needs to know of R, one entry a feature, padded to a multiple of key_block. R = +-m 2^e with
/// 1 <= m < 2; values are packed as q 2^e.
struct Features {
  std::int64_t dim;
  const float* unit;    ///< 2^e, or 0 where R = 0
  const double* turns;  ///< R / 2^e / pi
  const float* scale;   ///< the same
  /// Packed values are clamped to this magnitude, so that no product overflows; NaN where R is not finite.
  const float* limit;
  const RangePolynomials* polynomials;
};

/// A tile of queries or keys with rows next to each other: feature d of row i at [d * stride + i], padded with
/// copies of the last row.
/// R q / pi modulo 1, "turns", is phase / 2^32 + tail, a fixed-point number of 56 bits: the difference of two, which
/// wraps, is x / pi = R (q - k) / pi modulo 1 without error however large x is. Reducing the float R (q - k) instead
/// would lose the digits that the sine depends on. Only features that reach Range::any have phases.
struct PackedTile {
  float* value;
  std::int32_t* phase;
  float* tail;
  /// Least and largest value of feature d in the i-th `range_rows` rows, at [i * round_up(D, key_block) + d].
  float *low, *high;
  float* poison;  ///< a row: NaN where a feature of it is not finite, else 0
  std::int64_t stride;
};

/// Packs rows data[i * row + d], i < rows, into a tile with room for padded rows: values, their ranges, and poison.
void pack_tile(const Features&, const float* data, std::int64_t row, std::int64_t rows, std::int64_t padded,
               std::int64_t range_rows, const PackedTile&);

/// Phases and tails of a feature of it.
void find_phases(const Features&, std::int64_t d, std::int64_t padded, const PackedTile&);

/// The Range of each feature: of values in [q_low, q_high] and in [k_low, k_high].
void classify(const Features&, const float* q_low, const float* q_high, const float* k_low, const float* k_high,
              Range* out);

/// Scores of a tile: (rows, ld), and of each block of queries only the first columns[block] keys, a multiple of
/// key_block, are to be computed.
struct ScoreTile {
  std::int64_t rows, ld;
  const std::int64_t* columns;
  const Range* features;  ///< that of feature d for a block of queries at [block * D + d]
  float* mantissa;        ///< in (1/2, 2), or 0; NaN for rows or keys with a NaN
  float* exponent;        ///< a whole number; -infinity hides the pair
};

/// mantissa 2^exponent = prod_d |sinc(R_d (q_id - k_jd))|.
void score_tile(const Features&, const PackedTile& q, const PackedTile& k, const ScoreTile&);

/// The power that kernels are raised to. A weight is K^power over 2^(power reference) of its row, the reference about
/// log2 of the largest K. As a float that has few digits, but it is the same number for all keys of the row.
struct Power {
  explicit Power(double p);
  float value;
  int whole;  ///< value, where it is a small whole number: weights come by multiplication, references are whole; else 0
};

/// Below every exponent but that of a hidden pair: the reference of a row that has seen no key.
inline constexpr float no_reference = -0x1p30f;

/// A softmax over keys that come in tiles.
struct RowState {
  float reference = no_reference;
  double sum = 0;  ///< of weights
};

/// Replaces mantissas by weights, for columns [0, width), and brings the states of the rows up to date. Weights of
/// former tiles, and what was summed with them, are to be multiplied by rescale[row].
void weigh_tile(const Power&, const ScoreTile&, std::int64_t width, RowState* states, float* rescale);

/// Replaces mantissas by weights, for columns [0, width), given the references of the rows.
void weigh_again(const Power&, const ScoreTile&, std::int64_t width, const float* references);

/// What the backward pass knows of a row.
struct RowGradient {
  float inverse_sum;
  float mean;  ///< dout_i . o_i
};

/// Weights of a tile (rows, ld), columns [0, width), in the gradients that they lead to.
struct WeightTile {
  std::int64_t rows, width, ld;
  const float* weights;  ///< as weigh_tile leaves them
  const float* factors;  ///< of dropout; null: none
  /// The tile holds all weights of its rows, so that each row of dS has the sum 0; what the rounding of g_ij and mean_i
  /// has left of it is taken off (not with factors). Beside a zero of the kernel c(x) would magnify it.
  bool closed;
};

/// Writes the weights that multiplied the values to dropped, which may be the weights themselves, and replaces products
/// g_ij = dout_i . v_j by dS_ij = w_ij (factor_ij g_ij - mean_i). Rows up to a multiple of query_block become 0.
void weight_gradients(const WeightTile&, const RowGradient* rows, float* dropped, float* products);

/// Adds, with t_ij = pi dS_ij c(R_d (k_jd - q_id)): sum_j t_ij to dq[d * q.stride + i], sum_i t_ij to
/// dk[d * k.stride + j], sum_ij t_ij (k_jd - q_id) to dr[d]. Of the scores it takes their shape and ranges.
void score_gradients(const Features&, const PackedTile& q, const PackedTile& k, const ScoreTile&, const float* ds,
                     float* dq, float* dk, double* dr);

}  // namespace ff::cpu::fourier
