/* The operations of a llama model over real numbers, as near as double comes to them: weights are exactly what their
 * format says, sums are plain, functions are libm's, and nothing is rounded to fp32 on the way. This is no kernel and
 * defines no bits; it judges how far kernels/ref/ is from what was meant (docs/accuracy.md). It shares with ref only
 * the unpacking of blocks. */
#ifndef GRETA_ORACLE_OPERATIONS_H
#define GRETA_ORACLE_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* n weights (whole GGUF blocks, raw layout) of any type: d * factor * q - dmin * min_factor, not rounded to fp32. */
void greta_oracle_weights(uint32_t type, const void *raw, size_t n, double *out);

double greta_oracle_dot(const double *a, const double *b, size_t n);

/* y = x / sqrt(mean of squares + eps) * weight. y may be x. */
void greta_oracle_rmsnorm(const double *x, const float *weight, size_t n, double eps, double *y);

/* y[t] = W x[t]: weights [rows][cols] raw, x [tokens][cols], y [tokens][rows]; row is working space of cols values. */
void greta_oracle_product(uint32_t type, const void *weights, size_t rows, size_t cols, const double *x, size_t tokens,
			  double *row, double *y);

/* Angles per position of a head's pairs: base^(-2i / head_dim), divided by divisors[i] unless divisors is NULL. */
void greta_oracle_frequencies(double base, uint32_t head_dim, const float *divisors, double *out);

/* Turns the pairs (2i, 2i + 1) of every head by position * frequencies[i], in place. x [heads * head_dim]. */
void greta_oracle_rope(double *x, uint32_t heads, uint32_t head_dim, size_t position, const double *frequencies);

/* One head's attention over `positions` positions: out = sum of softmax(scale * q k[p]) v[p]. k and v point at the
 * head's part of position 0, the next position is `stride` values further; scores is working space of `positions`
 * values. out may be q. */
void greta_oracle_attention(const double *q, const double *k, const double *v, size_t stride, size_t positions,
			    uint32_t head_dim, double scale, double *scores, double *out);

/* x / (1 + e^-x) */
double greta_oracle_silu(double x);

/* ln of the probability that softmax(logits) gives to `index`. */
double greta_oracle_log_probability(const double *logits, size_t n, size_t index);

#endif
