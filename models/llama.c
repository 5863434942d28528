#include "models/llama.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_MULTIPLE = 256, HEAD_MULTIPLE = 32, LARGEST_HEAD = 256 };

/* What is being read, and which tensors of the file have found their place. */
struct reading {
	struct greta_llama *llama;
	const struct greta_gguf *gguf;
	bool *placed;
	struct greta_error *error;
};

#define FAIL(reading, status, format, ...) \
	greta_fail((reading)->error, status, "%s: " format, greta_gguf_path((reading)->gguf), __VA_ARGS__)

/* A number from 1 to INT32_MAX that all layers share: some models give one for each. */
static enum greta_status read_size(const struct reading *reading, const char *key, uint32_t *out)
{
	struct greta_gguf_array array;
	uint32_t value = 0;
	if (!greta_gguf_get_array(reading->gguf, key, &array, NULL))
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "%s differs from layer to layer: not supported", key);
	enum greta_status status = greta_gguf_get_u32(reading->gguf, key, &value, reading->error);
	if (status)
		return status;
	if (value < 1 || value > INT32_MAX)
		return FAIL(reading, GRETA_ERROR_FORMAT, "key %s: %u is not within 1 to %d", key, value, INT32_MAX);
	*out = value;
	return GRETA_OK;
}

static enum greta_status read_size_or(const struct reading *reading, const char *key, uint32_t otherwise, uint32_t *out)
{
	if (greta_gguf_has(reading->gguf, key))
		return read_size(reading, key, out);
	*out = otherwise;
	return GRETA_OK;
}

static enum greta_status read_positive(const struct reading *reading, const char *key, float *out)
{
	float value = 0;
	enum greta_status status = greta_gguf_get_f32(reading->gguf, key, &value, reading->error);
	if (status)
		return status;
	if (!isfinite(value) || value <= 0)
		return FAIL(reading, GRETA_ERROR_FORMAT, "key %s: %g is not a number above zero", key, (double)value);
	*out = value;
	return GRETA_OK;
}

static enum greta_status refuse_other_files(const struct reading *reading)
{
	const struct greta_gguf *gguf = reading->gguf;
	struct greta_gguf_string text = {0};
	uint32_t parts = 0;
	enum greta_status status;

	if (greta_gguf_has(gguf, "general.type")) {
		if ((status = greta_gguf_get_string(gguf, "general.type", &text, reading->error)))
			return status;
		if (!greta_gguf_string_is(text, "model"))
			return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "is of type %.*s, not a model",
				    GRETA_GGUF_PRINT(text));
	}
	if ((status = greta_gguf_get_string(gguf, "general.architecture", &text, reading->error)))
		return status;
	if (!greta_gguf_string_is(text, "llama"))
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED,
			    "architecture %.*s is not supported (llama is)", GRETA_GGUF_PRINT(text));
	if ((status = greta_gguf_get_u32_or(gguf, "split.count", 0, &parts, reading->error)))
		return status;
	if (parts > 1)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED,
			    "is one of %u parts of a split model; join them first (llama-gguf-split --merge)", parts);
	return GRETA_OK;
}

/* Keys that change what a layer computes. Each is refused unless absent or of a value that changes nothing. */
static enum greta_status refuse_other_layers(const struct reading *reading)
{
	static const struct {
		const char *key, *what;
	} COUNTS[] = {
	    {"llama.expert_count", "a mixture of experts"},
	    {"llama.attention.sliding_window", "sliding-window attention"},
	};
	static const struct {
		const char *key;
		float neutral; /* besides 0, which stands for "not set" */
	} SCALES[] = {
	    {"llama.attention.scale", 0},     {"llama.attention.clamp_kqv", 0}, {"llama.embedding_scale", 1},
	    {"llama.residual_scale", 1},      {"llama.logit_scale", 1},         {"llama.rope.scale_linear", 1},
	    {"llama.rope.scaling.factor", 1}, {"llama.rope.scaling.attn_factor", 1},
	};
	const struct greta_gguf *gguf = reading->gguf;
	struct greta_gguf_string scaling = {"none", 4};
	enum greta_status status;
	bool causal = true;

	for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
		uint32_t count = 0;
		if ((status = greta_gguf_get_u32_or(gguf, COUNTS[i].key, 0, &count, reading->error)))
			return status;
		if (count)
			return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "%s (%s = %u) is not supported", COUNTS[i].what,
				    COUNTS[i].key, count);
	}
	if ((status = greta_gguf_get_bool_or(gguf, "llama.attention.causal", true, &causal, reading->error)))
		return status;
	if (!causal)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "%s", "non-causal attention is not supported");
	if (greta_gguf_has(gguf, "llama.rope.scaling.type") &&
	    (status = greta_gguf_get_string(gguf, "llama.rope.scaling.type", &scaling, reading->error)))
		return status;
	if (!greta_gguf_string_is(scaling, "none"))
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "RoPE scaling of type %.*s is not supported",
			    GRETA_GGUF_PRINT(scaling));
	for (size_t i = 0; i < sizeof(SCALES) / sizeof(SCALES[0]); i++) {
		float value = 0;
		if ((status = greta_gguf_get_f32_or(gguf, SCALES[i].key, 0, &value, reading->error)))
			return status;
		if (value != 0 && value != SCALES[i].neutral)
			return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "%s = %g is not supported", SCALES[i].key,
				    (double)value);
	}
	return GRETA_OK;
}

static enum greta_status read_sizes(const struct reading *reading)
{
	struct greta_llama *llama = reading->llama;
	enum greta_status status;
	uint32_t even_dim = 0, value_dim = 0;

	if ((status = read_size(reading, "llama.block_count", &llama->n_layer)) ||
	    (status = read_size(reading, "llama.embedding_length", &llama->n_embd)) ||
	    (status = read_size(reading, "llama.feed_forward_length", &llama->n_ff)) ||
	    (status = read_size(reading, "llama.context_length", &llama->context_train)) ||
	    (status = read_size(reading, "llama.attention.head_count", &llama->n_head)))
		return status;
	even_dim = llama->n_head ? llama->n_embd / llama->n_head : 0;
	if ((status = read_size_or(reading, "llama.attention.head_count_kv", llama->n_head, &llama->n_head_kv)) ||
	    (status = read_size_or(reading, "llama.attention.key_length", even_dim, &llama->head_dim)) ||
	    (status = read_size_or(reading, "llama.attention.value_length", even_dim, &value_dim)) ||
	    (status = read_size_or(reading, "llama.rope.dimension_count", llama->head_dim, &llama->rope_dim)) ||
	    (status = read_positive(reading, "llama.attention.layer_norm_rms_epsilon", &llama->rms_eps)))
		return status;
	llama->rope_base = 10000;
	if (greta_gguf_has(reading->gguf, "llama.rope.freq_base") &&
	    (status = read_positive(reading, "llama.rope.freq_base", &llama->rope_base)))
		return status;

	if (llama->n_layer > greta_gguf_tensor_count(reading->gguf))
		return FAIL(reading, GRETA_ERROR_FORMAT, "has %zu tensors: too few for %u layers",
			    greta_gguf_tensor_count(reading->gguf), llama->n_layer);
	if (!greta_gguf_has(reading->gguf, "llama.attention.key_length") && llama->n_embd % llama->n_head)
		return FAIL(reading, GRETA_ERROR_FORMAT, "embedding_length %u does not divide into %u heads",
			    llama->n_embd, llama->n_head);
	if (llama->n_head % llama->n_head_kv)
		return FAIL(reading, GRETA_ERROR_FORMAT, "%u heads are not a multiple of %u key/value heads",
			    llama->n_head, llama->n_head_kv);
	if (value_dim != llama->head_dim)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED,
			    "keys of %u values and values of %u a head: not supported unless equal", llama->head_dim,
			    value_dim);
	if (llama->rope_dim != llama->head_dim)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED,
			    "RoPE over %u of the %u values of a head is not supported; it must cover all",
			    llama->rope_dim, llama->head_dim);
	if (llama->head_dim % HEAD_MULTIPLE || llama->head_dim > LARGEST_HEAD)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED,
			    "heads of %u values are not supported; multiples of %d up to %d are", llama->head_dim,
			    HEAD_MULTIPLE, LARGEST_HEAD);
	return GRETA_OK;
}

/* Every row that a matrix has to be multiplied along. */
static enum greta_status check_rows(const struct reading *reading)
{
	const struct greta_llama *llama = reading->llama;
	const struct {
		const char *what;
		uint64_t length;
	} rows[] = {
	    {"embedding_length", llama->n_embd},
	    {"feed_forward_length", llama->n_ff},
	    {"head count times head length", (uint64_t)llama->n_head * llama->head_dim},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].length % ROW_MULTIPLE || rows[i].length > INT32_MAX)
			return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "%s is %llu: multiples of %d are supported",
				    rows[i].what, (unsigned long long)rows[i].length, ROW_MULTIPLE);
	return GRETA_OK;
}

static const struct greta_gguf_tensor *place(const struct reading *reading, const char *name)
{
	const struct greta_gguf_tensor *tensor = greta_gguf_find(reading->gguf, name);
	if (tensor)
		reading->placed[tensor - greta_gguf_tensor(reading->gguf, 0)] = true;
	return tensor;
}

static enum greta_status check_shape(const struct reading *reading, const struct greta_gguf_tensor *tensor,
				     uint64_t columns, uint64_t rows)
{
	if (tensor->dims[0] != columns || tensor->dims[1] != rows || tensor->dims[2] != 1 || tensor->dims[3] != 1)
		return FAIL(reading, GRETA_ERROR_FORMAT,
			    "tensor %.*s has the shape [%llu, %llu, %llu, %llu]; [%llu, %llu] is expected",
			    GRETA_GGUF_PRINT(tensor->name), (unsigned long long)tensor->dims[0],
			    (unsigned long long)tensor->dims[1], (unsigned long long)tensor->dims[2],
			    (unsigned long long)tensor->dims[3], (unsigned long long)columns,
			    (unsigned long long)rows);
	return GRETA_OK;
}

/* A matrix, or with rows == 1 a vector, which must be F32. */
static enum greta_status read_tensor(const struct reading *reading, const char *name, uint64_t columns, uint64_t rows,
				     const struct greta_gguf_tensor **out_tensor)
{
	const struct greta_gguf_tensor *tensor = place(reading, name);
	if (!tensor)
		return FAIL(reading, GRETA_ERROR_FORMAT, "tensor %s is missing", name);
	if (rows == 1 && tensor->type->type != GRETA_TYPE_F32)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "tensor %s is %s; F32 is supported there", name,
			    tensor->type->name);
	*out_tensor = tensor;
	return check_shape(reading, tensor, columns, rows);
}

static enum greta_status read_rope_freqs(const struct reading *reading)
{
	struct greta_llama *llama = reading->llama;
	enum greta_status status;
	if (!greta_gguf_find(reading->gguf, "rope_freqs.weight"))
		return GRETA_OK;
	if ((status = read_tensor(reading, "rope_freqs.weight", llama->head_dim / 2, 1, &llama->rope_freqs)))
		return status;
	const float *divisors = llama->rope_freqs->data;
	for (uint32_t i = 0; i < llama->head_dim / 2; i++)
		if (!isfinite(divisors[i]) || divisors[i] <= 0)
			return FAIL(reading, GRETA_ERROR_FORMAT,
				    "tensor rope_freqs.weight: value %u, %g, is not a number above zero", i,
				    (double)divisors[i]);
	return GRETA_OK;
}

/* Tensors around the layers; the vocabulary's size comes from here. */
static enum greta_status read_ends(const struct reading *reading)
{
	struct greta_llama *llama = reading->llama;
	const struct greta_gguf *gguf = reading->gguf;
	const struct greta_gguf_tensor *embedding = greta_gguf_find(gguf, "token_embd.weight");
	struct greta_gguf_array tokens;
	enum greta_status status;
	uint32_t announced = 0;

	uint64_t n_vocab = embedding ? embedding->dims[1] : 0;
	if (n_vocab > INT32_MAX)
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "a vocabulary of %llu tokens is not supported",
			    (unsigned long long)n_vocab);
	if ((status = read_tensor(reading, "token_embd.weight", llama->n_embd, n_vocab, &llama->token_embd)) ||
	    (status = read_tensor(reading, "output_norm.weight", llama->n_embd, 1, &llama->output_norm)))
		return status;
	llama->n_vocab = (uint32_t)n_vocab;
	llama->tied_embeddings = !greta_gguf_find(gguf, "output.weight");
	llama->output = llama->token_embd;
	if (!llama->tied_embeddings &&
	    (status = read_tensor(reading, "output.weight", llama->n_embd, n_vocab, &llama->output)))
		return status;

	if ((status = read_size_or(reading, "llama.vocab_size", llama->n_vocab, &announced)))
		return status;
	if (announced != llama->n_vocab)
		return FAIL(reading, GRETA_ERROR_FORMAT, "llama.vocab_size is %u, but token_embd.weight has %u rows",
			    announced, llama->n_vocab);
	if (!greta_gguf_get_array(gguf, "tokenizer.ggml.tokens", &tokens, NULL) && tokens.count != llama->n_vocab)
		return FAIL(reading, GRETA_ERROR_FORMAT,
			    "tokenizer.ggml.tokens has %zu tokens, but token_embd.weight has %u rows", tokens.count,
			    llama->n_vocab);
	return read_rope_freqs(reading);
}

static enum greta_status read_layer(const struct reading *reading, uint32_t index)
{
	const struct greta_llama *llama = reading->llama;
	struct greta_llama_layer *layer = &llama->layers[index];
	uint64_t embd = llama->n_embd, ff = llama->n_ff;
	uint64_t heads = (uint64_t)llama->n_head * llama->head_dim, kv = (uint64_t)llama->n_head_kv * llama->head_dim;
	const struct {
		const char *name;
		uint64_t columns, rows;
		const struct greta_gguf_tensor **tensor;
	} parts[] = {
	    {"attn_norm", embd, 1, &layer->attn_norm},
	    {"attn_q", embd, heads, &layer->attn_q},
	    {"attn_k", embd, kv, &layer->attn_k},
	    {"attn_v", embd, kv, &layer->attn_v},
	    {"attn_output", heads, embd, &layer->attn_output},
	    {"ffn_norm", embd, 1, &layer->ffn_norm},
	    {"ffn_gate", embd, ff, &layer->ffn_gate},
	    {"ffn_up", embd, ff, &layer->ffn_up},
	    {"ffn_down", ff, embd, &layer->ffn_down},
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char name[64];
		snprintf(name, sizeof(name), "blk.%u.%s.weight", index, parts[i].name);
		enum greta_status status =
		    read_tensor(reading, name, parts[i].columns, parts[i].rows, parts[i].tensor);
		if (status)
			return status;
	}
	return GRETA_OK;
}

/* A tensor without a place means a computation that is not done here: leaving it out would give other results. */
static enum greta_status refuse_other_tensors(const struct reading *reading)
{
	static const struct {
		const char *part, *what;
	} REASONS[] = {
	    {".bias", "biases are not supported"},
	    {"_exps", "mixtures of experts are not supported"},
	    {"ffn_gate_inp", "mixtures of experts are not supported"},
	    {"_norm", "further norms are not supported"},
	    {"rope_factors", "long/short RoPE factors are not supported"},
	};
	for (size_t i = 0; i < greta_gguf_tensor_count(reading->gguf); i++) {
		struct greta_gguf_string name = greta_gguf_tensor(reading->gguf, i)->name;
		const char *what = "the llama architecture has no such tensor";
		if (reading->placed[i])
			continue;
		for (size_t r = sizeof(REASONS) / sizeof(REASONS[0]); r-- > 0;)
			if (memmem(name.data, name.length, REASONS[r].part, strlen(REASONS[r].part)))
				what = REASONS[r].what;
		return FAIL(reading, GRETA_ERROR_UNSUPPORTED, "tensor %.*s: %s", GRETA_GGUF_PRINT(name), what);
	}
	return GRETA_OK;
}

static enum greta_status read_all(const struct reading *reading)
{
	struct greta_llama *llama = reading->llama;
	enum greta_status status;

	if ((status = refuse_other_files(reading)) || (status = refuse_other_layers(reading)) ||
	    (status = read_sizes(reading)) || (status = check_rows(reading)))
		return status;
	if (greta_gguf_has(reading->gguf, "general.name") &&
	    (status = greta_gguf_get_string(reading->gguf, "general.name", &llama->name, reading->error)))
		return status;
	llama->layers = calloc(llama->n_layer, sizeof(*llama->layers));
	if (!llama->layers)
		return FAIL(reading, GRETA_ERROR_MEMORY, "%s", "out of memory");
	if ((status = read_ends(reading)))
		return status;
	for (uint32_t i = 0; i < llama->n_layer; i++)
		if ((status = read_layer(reading, i)))
			return status;
	return refuse_other_tensors(reading);
}

enum greta_status greta_llama_init(struct greta_llama *llama, const struct greta_gguf *gguf, struct greta_error *error)
{
	struct greta_llama read = {.gguf = gguf, .name = {"", 0}};
	bool *placed = calloc(greta_gguf_tensor_count(gguf) + 1, sizeof(*placed));
	if (!placed)
		return greta_fail(error, GRETA_ERROR_MEMORY, "%s: out of memory", greta_gguf_path(gguf));
	struct reading reading = {.llama = &read, .gguf = gguf, .placed = placed, .error = error};
	enum greta_status status = read_all(&reading);
	free(placed);
	if (status)
		greta_llama_finish(&read);
	else
		*llama = read;
	return status;
}

void greta_llama_finish(struct greta_llama *llama)
{
	free(llama->layers);
	llama->layers = NULL;
}
