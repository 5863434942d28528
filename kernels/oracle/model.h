/* A whole llama model over real numbers (operations.h), to judge the logits of the kernels: the textbook forward pass,
 * slow and plain, any number of tokens at a time. Activations and the KV cache are double; rows of weights are unpacked
 * when used, so it needs little memory beyond the mapped file. */
#ifndef GRETA_ORACLE_MODEL_H
#define GRETA_ORACLE_MODEL_H

#include "models/error.h"
#include "models/llama.h"

#include <stddef.h>
#include <stdint.h>

struct greta_oracle;

/* An empty sequence of at most `context` tokens. `llama` must stay. ARGUMENT when context is 0, MEMORY. */
enum greta_status greta_oracle_create(const struct greta_llama *llama, size_t context, struct greta_oracle **out_oracle,
				      struct greta_error *error);
void greta_oracle_destroy(struct greta_oracle *oracle);

/* Told the values of one token at one place of the model, as greta_oracle_feed comes by. `name` is what the planner
 * calls them (planner/schedule.c, all kept): "x" and "output_norm" once, with `layer` GRETA_ORACLE_NO_LAYER;
 * "attn_norm", "q" and "k" (after the rotation), "v", "attention", "output", "x_output", "ffn_norm", "gate", "up", "h",
 * "down", "x_ffn" in each layer. `values` is valid during the call. */
#define GRETA_ORACLE_NO_LAYER UINT32_MAX
typedef void greta_oracle_observer(void *user, const char *name, uint32_t layer, size_t position, const double *values,
				   size_t count);

/* From now on; NULL: nobody. */
void greta_oracle_observe(struct greta_oracle *oracle, greta_oracle_observer *observer, void *user);

/* Logits of one position: n_vocab of the llama. */
size_t greta_oracle_vocab(const struct greta_oracle *oracle);

/* Keeps the first `length` tokens of the sequence (all of them if there are fewer). */
void greta_oracle_truncate(struct greta_oracle *oracle, size_t length);

/* Appends `count` tokens and gives the logits [wanted][n_vocab] that follow each of the last `wanted` <= count of them.
 * ARGUMENT for a token outside the vocabulary, CONTEXT when they do not fit, MEMORY; the sequence then stays as it
 * was. */
enum greta_status greta_oracle_feed(struct greta_oracle *oracle, const int32_t *tokens, size_t count, size_t wanted,
				    double *out_logits, struct greta_error *error);

#endif
