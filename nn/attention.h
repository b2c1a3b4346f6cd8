#pragma once

#include "ff/nn/containers.h"
#include "ff/nn/dropout.h"
#include "ff/nn/key_value_cache.h"
#include "ff/nn/linear.h"
#include "ff/nn/module.h"

namespace ff::nn {

enum class AttentionKind { fourier, softmax };

/// Who has a radius R of their own.
enum class RadiusShape {
  scalar,        ///< nobody: one number, ()
  feature,       ///< each feature, shared by the heads: (D)
  head_feature,  ///< each feature of each head: (H, D)
};

struct AttentionOptions {
  AttentionKind attention = AttentionKind::fourier;
  bool qkv_bias = false;
  bool proj_bias = true;
  double attn_drop = 0;  ///< dropout of the attention weights
  double proj_drop = 0;  ///< dropout of the output
  bool causal = false;
  // Of Fourier attention alone:
  double power = 4;
  double epsilon = 0;
  double radius = 1;  ///< what R starts at
  RadiusShape radius_shape = RadiusShape::scalar;
  bool learn_radius = true;  ///< R is a parameter, else a buffer
};

/// What attention may be given besides its input. Undefined: left out.
struct AttentionInputs {
  Tensor context{};  ///< (B, M, dim) that keys and values are made of, the input itself by default
  Tensor mask{};     ///< boolean, broadcasts to (B, H, N, M): true where a query may see a key
  /// Keys and values of earlier calls, which queries see too: those of this call are appended to them, so that M is
  /// the length afterwards. Causal attention lets query i of a call see the earlier keys and the first i + 1 of its
  /// own.
  KeyValueCache* cache = nullptr;
};

class MultiHeadAttention;

/// A call of attention from inside: what its heads are given, and what they give.
struct AttentionView {
  Tensor q;     ///< (B, H, N, D)
  Tensor k;     ///< (B, H, M, D)
  Tensor mask;  ///< as in AttentionInputs
  Tensor y;     ///< (B, H, N, D): of each head, before they are joined and projected
};

/// Called with every call of an attention.
using AttentionObserver = std::function<void(const MultiHeadAttention& attention, const AttentionView& view)>;

/// Multi-head attention (B, N, dim) to (B, N, dim), by Fourier integral kernels (see ff::fourier_attention) or by
/// softmax: the twins differ in `options.attention` alone, and in R, which softmax has not. Parameters are named as in
/// timm: qkv.weight (3 dim, dim) holds query, key and value one after the other, each as heads x D.
class MultiHeadAttention : public Module {
 public:
  /// Throws Error unless heads divides dim.
  MultiHeadAttention(std::int64_t dim, std::int64_t heads, const AttentionOptions& options = {});

  /// An empty cache that fits, for `batch` sequences of up to `capacity` positions.
  KeyValueCache make_cache(std::int64_t batch, std::int64_t capacity) const;

  Tensor forward(const Tensor& x) override;
  /// Throws Error where shapes do not go together; with a cache, also where it is full, does not fit, or nothing may be
  /// appended: in training mode, while gradients are recorded, with a context.
  Tensor forward(const Tensor& x, const AttentionInputs& inputs);
  using Module::operator();
  Tensor operator()(const Tensor& x, const AttentionInputs& inputs, Where site = {});

  /// Rows begin .. end of the weights by which a call's heads take the values, (B, H, end - begin, M), without dropout:
  /// what the same kernels make of unit vectors as values. Throws Error where there are no such rows.
  Tensor weights(const AttentionView& view, std::int64_t begin, std::int64_t end) const;

  Linear qkv;
  Linear proj;
  Dropout proj_drop;
  Identity heads;              ///< what the heads give, (B, H, N, D), passes through: hook it to see them
  Tensor R;                    ///< undefined with softmax
  AttentionObserver observer;  ///< may be set, to look into calls

 private:
  struct Projections {
    Tensor q, k, v;  // (B, H, N or M, D)
  };
  Projections project(const Tensor& x, const Tensor& context);
  void extend(Projections& projections, const AttentionInputs& inputs) const;
  Tensor attend(const Projections& projections, const Tensor& mask, double drop) const;

  std::int64_t dim_, num_heads_;
  AttentionOptions options_;
};

}  // namespace ff::nn
