#include "kernels/oracle/model.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/oracle/operations.h"

struct greta_oracle {
	const struct greta_llama *llama;
	size_t context;
	size_t length;
	double *frequencies; /* [head_dim / 2] */
	double *row;         /* the longest row of weights */
	double *scores;      /* [context] */
	double *k, *v;       /* [n_layer][context][n_head_kv * head_dim] */
	greta_oracle_observer *observer;
	void *user;
};

/* What one call of feed works on, [tokens][...] each. */
struct activations {
	size_t tokens;
	double *x, *normed;   /* n_embd */
	double *q;            /* n_head * head_dim */
	double *gate, *up;    /* n_ff */
};

static double *doubles(size_t a, size_t b)
{
	size_t n, bytes;
	if (__builtin_mul_overflow(a, b, &n) || __builtin_mul_overflow(n, sizeof(double), &bytes))
		return NULL;
	return malloc(bytes ? bytes : 1);
}

static size_t q_values(const struct greta_llama *llama) { return (size_t)llama->n_head * llama->head_dim; }
static size_t kv_values(const struct greta_llama *llama) { return (size_t)llama->n_head_kv * llama->head_dim; }

enum greta_status greta_oracle_create(const struct greta_llama *llama, size_t context, struct greta_oracle **out_oracle,
				      struct greta_error *error)
{
	if (context == 0)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "the oracle needs a context of at least one token");
	struct greta_oracle *oracle = calloc(1, sizeof(*oracle));
	size_t positions, row = llama->n_embd;
	row = row < llama->n_ff ? llama->n_ff : row;
	row = row < q_values(llama) ? q_values(llama) : row;
	if (!oracle || __builtin_mul_overflow(llama->n_layer, context, &positions))
		goto fail;
	oracle->llama = llama;
	oracle->context = context;
	oracle->frequencies = doubles(llama->head_dim, 1);
	oracle->row = doubles(row, 1);
	oracle->scores = doubles(context, 1);
	oracle->k = doubles(positions, kv_values(llama));
	oracle->v = doubles(positions, kv_values(llama));
	if (!oracle->frequencies || !oracle->row || !oracle->scores || !oracle->k || !oracle->v)
		goto fail;
	greta_oracle_frequencies((double)llama->rope_base, llama->head_dim,
				 llama->rope_freqs ? llama->rope_freqs->data : NULL, oracle->frequencies);
	*out_oracle = oracle;
	return GRETA_OK;
fail:
	greta_oracle_destroy(oracle);
	return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for an oracle of %zu positions", context);
}

void greta_oracle_destroy(struct greta_oracle *oracle)
{
	if (!oracle)
		return;
	free(oracle->frequencies);
	free(oracle->row);
	free(oracle->scores);
	free(oracle->k);
	free(oracle->v);
	free(oracle);
}

void greta_oracle_observe(struct greta_oracle *oracle, greta_oracle_observer *observer, void *user)
{
	oracle->observer = observer;
	oracle->user = user;
}

/* values [tokens][count] */
static void tell(const struct greta_oracle *oracle, const char *name, uint32_t layer, const double *values,
		 size_t tokens, size_t count)
{
	for (size_t t = 0; oracle->observer && t < tokens; t++)
		oracle->observer(oracle->user, name, layer, oracle->length + t, values + t * count, count);
}

size_t greta_oracle_vocab(const struct greta_oracle *oracle) { return oracle->llama->n_vocab; }

void greta_oracle_truncate(struct greta_oracle *oracle, size_t length)
{
	oracle->length = length < oracle->length ? length : oracle->length;
}

static void release(struct activations *a)
{
	free(a->x);
	free(a->normed);
	free(a->q);
	free(a->gate);
	free(a->up);
}

static bool allocate(const struct greta_llama *llama, size_t tokens, struct activations *a)
{
	*a = (struct activations){.tokens = tokens};
	a->x = doubles(tokens, llama->n_embd);
	a->normed = doubles(tokens, llama->n_embd);
	a->q = doubles(tokens, q_values(llama));
	a->gate = doubles(tokens, llama->n_ff);
	a->up = doubles(tokens, llama->n_ff);
	return a->x && a->normed && a->q && a->gate && a->up;
}

/* y[t] = W x[t] for all tokens of the call. */
static void product(struct greta_oracle *oracle, const struct greta_gguf_tensor *w, const double *x, size_t tokens,
		    double *y)
{
	greta_oracle_product(w->type->type, w->data, w->dims[1], w->dims[0], x, tokens, oracle->row, y);
}

static void norm(const struct greta_oracle *oracle, const struct greta_gguf_tensor *weight, struct activations *a)
{
	size_t n = oracle->llama->n_embd;
	for (size_t t = 0; t < a->tokens; t++)
		greta_oracle_rmsnorm(a->x + t * n, weight->data, n, (double)oracle->llama->rms_eps, a->normed + t * n);
}

static void add(double *x, const double *y, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] += y[i];
}

static void attention_block(struct greta_oracle *oracle, uint32_t layer, struct activations *a)
{
	const struct greta_llama *llama = oracle->llama;
	const struct greta_llama_layer *w = &llama->layers[layer];
	uint32_t head_dim = llama->head_dim;
	size_t kv = kv_values(llama), heads = q_values(llama), start = oracle->length;
	double *k = oracle->k + layer * oracle->context * kv, *v = oracle->v + layer * oracle->context * kv;

	norm(oracle, w->attn_norm, a);
	tell(oracle, "attn_norm", layer, a->normed, a->tokens, llama->n_embd);
	product(oracle, w->attn_q, a->normed, a->tokens, a->q);
	product(oracle, w->attn_k, a->normed, a->tokens, k + start * kv);
	product(oracle, w->attn_v, a->normed, a->tokens, v + start * kv);
	for (size_t t = 0; t < a->tokens; t++) {
		greta_oracle_rope(a->q + t * heads, llama->n_head, head_dim, start + t, oracle->frequencies);
		greta_oracle_rope(k + (start + t) * kv, llama->n_head_kv, head_dim, start + t, oracle->frequencies);
	}
	tell(oracle, "q", layer, a->q, a->tokens, heads);
	tell(oracle, "k", layer, k + start * kv, a->tokens, kv);
	tell(oracle, "v", layer, v + start * kv, a->tokens, kv);
	for (size_t t = 0; t < a->tokens; t++)
		for (uint32_t h = 0; h < llama->n_head; h++) {
			size_t shared = (size_t)(h / (llama->n_head / llama->n_head_kv)) * head_dim;
			double *q = a->q + t * heads + (size_t)h * head_dim;
			greta_oracle_attention(q, k + shared, v + shared, kv, start + t + 1, head_dim,
					       1.0 / sqrt((double)head_dim), oracle->scores, q);
		}
	tell(oracle, "attention", layer, a->q, a->tokens, heads);
	product(oracle, w->attn_output, a->q, a->tokens, a->normed);
	tell(oracle, "output", layer, a->normed, a->tokens, llama->n_embd);
	add(a->x, a->normed, a->tokens * llama->n_embd);
	tell(oracle, "x_output", layer, a->x, a->tokens, llama->n_embd);
}

static void feed_forward_block(struct greta_oracle *oracle, uint32_t layer, struct activations *a)
{
	const struct greta_llama_layer *w = &oracle->llama->layers[layer];
	size_t n_embd = oracle->llama->n_embd, n_ff = oracle->llama->n_ff;
	norm(oracle, w->ffn_norm, a);
	tell(oracle, "ffn_norm", layer, a->normed, a->tokens, n_embd);
	product(oracle, w->ffn_gate, a->normed, a->tokens, a->gate);
	product(oracle, w->ffn_up, a->normed, a->tokens, a->up);
	tell(oracle, "gate", layer, a->gate, a->tokens, n_ff);
	tell(oracle, "up", layer, a->up, a->tokens, n_ff);
	for (size_t i = 0; i < a->tokens * n_ff; i++)
		a->gate[i] = greta_oracle_silu(a->gate[i]) * a->up[i];
	tell(oracle, "h", layer, a->gate, a->tokens, n_ff);
	product(oracle, w->ffn_down, a->gate, a->tokens, a->normed);
	tell(oracle, "down", layer, a->normed, a->tokens, n_embd);
	add(a->x, a->normed, a->tokens * n_embd);
	tell(oracle, "x_ffn", layer, a->x, a->tokens, n_embd);
}

static void embed(const struct greta_llama *llama, const int32_t *tokens, struct activations *a)
{
	const struct greta_gguf_tensor *table = llama->token_embd;
	size_t row_bytes = llama->n_embd / table->type->block_values * table->type->block_bytes;
	for (size_t t = 0; t < a->tokens; t++)
		greta_oracle_weights(table->type->type, (const uint8_t *)table->data + (size_t)tokens[t] * row_bytes,
				     llama->n_embd, a->x + t * llama->n_embd);
}

enum greta_status greta_oracle_feed(struct greta_oracle *oracle, const int32_t *tokens, size_t count, size_t wanted,
				    double *out_logits, struct greta_error *error)
{
	const struct greta_llama *llama = oracle->llama;
	for (size_t t = 0; t < count; t++)
		if (tokens[t] < 0 || (uint32_t)tokens[t] >= llama->n_vocab)
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "token %d is outside the vocabulary of %u",
					  tokens[t], llama->n_vocab);
	if (count > oracle->context - oracle->length)
		return greta_fail(error, GRETA_ERROR_CONTEXT, "%zu tokens do not fit behind %zu in a context of %zu",
				  count, oracle->length, oracle->context);
	if (wanted > count)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "logits of %zu tokens are wanted, but %zu are fed",
				  wanted, count);
	struct activations a;
	if (!allocate(llama, count, &a)) {
		release(&a);
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu tokens in the oracle", count);
	}
	embed(llama, tokens, &a);
	tell(oracle, "x", GRETA_ORACLE_NO_LAYER, a.x, count, llama->n_embd);
	for (uint32_t layer = 0; layer < llama->n_layer; layer++) {
		attention_block(oracle, layer, &a);
		feed_forward_block(oracle, layer, &a);
	}
	norm(oracle, llama->output_norm, &a);
	tell(oracle, "output_norm", GRETA_ORACLE_NO_LAYER, a.normed, count, llama->n_embd);
	product(oracle, llama->output, a.normed + (count - wanted) * llama->n_embd, wanted, out_logits);
	oracle->length += count;
	release(&a);
	return GRETA_OK;
}
