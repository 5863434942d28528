#include "models/synth.h"

#include "models/gguf.h"
#include "models/new_file.h"
#include "models/synth_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALIGNMENT = 32, CHUNK_BYTES = 1 << 20, FIRST_WORD = 259 };

/* Where bytes go: to a file, or nowhere, to be counted. */
struct sink {
	FILE *file;
	uint64_t bytes;
	uint64_t keys;
};

struct planned {
	char name[40];
	const struct greta_type_info *type;
	uint64_t columns, rows; /* rows == 0: a vector */
	uint64_t offset, bytes; /* offset in the data section */
	float deviation;        /* of a matrix's values */
};

struct plan {
	size_t count;
	uint64_t bytes; /* of the data section */
	struct planned *tensors;
};

/* What a choice of types is: one type for all matrices, or llama.cpp's Q4_K_M. */
struct mix {
	const char *name;
	enum greta_type type;
	uint32_t file_type; /* general.file_type */
	bool more_bits;     /* some tensors get Q6_K */
};

static const struct mix MIXES[] = {
    {"Q4_K_M", GRETA_TYPE_Q4_K, 15, true}, {"F32", GRETA_TYPE_F32, 0, false},    {"F16", GRETA_TYPE_F16, 1, false},
    {"BF16", GRETA_TYPE_BF16, 32, false},  {"Q8_0", GRETA_TYPE_Q8_0, 7, false},  {"Q4_0", GRETA_TYPE_Q4_0, 2, false},
    {"Q4_K", GRETA_TYPE_Q4_K, 14, false},  {"Q5_K", GRETA_TYPE_Q5_K, 16, false}, {"Q6_K", GRETA_TYPE_Q6_K, 18, false},
};

static const struct mix *find_mix(const char *name)
{
	for (size_t i = 0; i < sizeof(MIXES) / sizeof(MIXES[0]); i++)
		if (strcmp(name, MIXES[i].name) == 0)
			return &MIXES[i];
	return NULL;
}

/* What of a tensor decides its type. */
enum role { ROLE_VECTOR, ROLE_PLAIN, ROLE_EMBEDDING, ROLE_OUTPUT, ROLE_VALUE, ROLE_DOWN };

/* llama.cpp's rule for Q4_K_M (llama-quant.cpp): the first and last eighth of the layers and every third between have
 * Q6_K in attn_v and ffn_down; the 70B model (8,192 wide, each key/value head shared by eight) has Q5_K in the other
 * attn_v; the output is Q6_K. */
static enum greta_type type_of(const struct mix *mix, const struct greta_synth_shape *shape, enum role role,
			       uint32_t layer)
{
	uint32_t n = shape->n_layer;
	bool more = layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
	if (role == ROLE_VECTOR)
		return GRETA_TYPE_F32;
	if (!mix->more_bits)
		return mix->type;
	if (role == ROLE_OUTPUT || (role == ROLE_EMBEDDING && shape->tied_embeddings))
		return GRETA_TYPE_Q6_K;
	if ((role == ROLE_VALUE || role == ROLE_DOWN) && more)
		return GRETA_TYPE_Q6_K;
	if (role == ROLE_VALUE && shape->n_head == 8 * shape->n_head_kv && shape->n_embd == 8192)
		return GRETA_TYPE_Q5_K;
	return mix->type;
}

static uint64_t aligned(uint64_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct planned *add(struct plan *plan, enum greta_type type, uint64_t columns, uint64_t rows, float gain,
			   const char *name)
{
	struct planned *tensor = &plan->tensors[plan->count++];
	const struct greta_type_info *info = greta_type_info((uint32_t)type);
	*tensor = (struct planned){.type = info, .columns = columns, .rows = rows, .offset = aligned(plan->bytes)};
	tensor->bytes = columns / info->block_values * info->block_bytes * (rows ? rows : 1);
	tensor->deviation = gain / sqrtf((float)columns);
	plan->bytes = tensor->offset + tensor->bytes;
	snprintf(tensor->name, sizeof(tensor->name), "%s", name);
	return tensor;
}

static void add_layer(struct plan *plan, const struct mix *mix, const struct greta_synth_shape *shape, uint32_t layer)
{
	uint64_t embd = shape->n_embd, ff = shape->n_ff, kv = embd / shape->n_head * shape->n_head_kv;
	const struct {
		const char *name;
		uint64_t columns, rows;
		enum role role;
		float gain; /* of the output over the input; less where it adds to the stream */
	} parts[] = {
	    {"attn_norm", embd, 0, ROLE_VECTOR, 1},        {"attn_q", embd, embd, ROLE_PLAIN, 1},
	    {"attn_k", embd, kv, ROLE_PLAIN, 1},           {"attn_v", embd, kv, ROLE_VALUE, 1},
	    {"attn_output", embd, embd, ROLE_PLAIN, 0.5f}, {"ffn_norm", embd, 0, ROLE_VECTOR, 1},
	    {"ffn_gate", embd, ff, ROLE_PLAIN, 1},         {"ffn_up", embd, ff, ROLE_PLAIN, 1},
	    {"ffn_down", ff, embd, ROLE_DOWN, 0.5f},
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char name[sizeof(plan->tensors->name)];
		snprintf(name, sizeof(name), "blk.%u.%s.weight", layer, parts[i].name);
		add(plan, type_of(mix, shape, parts[i].role, layer), parts[i].columns, parts[i].rows, parts[i].gain,
		    name);
	}
}

static enum greta_status make_plan(const struct greta_synth_options *options, const struct mix *mix, struct plan *out,
				   struct greta_error *error)
{
	const struct greta_synth_shape *shape = &options->shape;
	struct plan plan = {0};
	plan.tensors = calloc((size_t)shape->n_layer * 9 + 4, sizeof(*plan.tensors));
	if (!plan.tensors)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");

	add(&plan, type_of(mix, shape, ROLE_EMBEDDING, 0), shape->n_embd, shape->n_vocab, 1, "token_embd.weight")
	    ->deviation = 1; /* the stream starts at order 1 */
	if (shape->rope_freqs)
		add(&plan, GRETA_TYPE_F32, shape->n_embd / shape->n_head / 2, 0, 1, "rope_freqs.weight");
	for (uint32_t layer = 0; layer < shape->n_layer; layer++)
		add_layer(&plan, mix, shape, layer);
	add(&plan, GRETA_TYPE_F32, shape->n_embd, 0, 1, "output_norm.weight");
	if (!shape->tied_embeddings)
		add(&plan, type_of(mix, shape, ROLE_OUTPUT, 0), shape->n_embd, shape->n_vocab, 1, "output.weight");
	*out = plan;
	return GRETA_OK;
}

static void put(struct sink *sink, const void *data, size_t bytes)
{
	if (sink->file)
		fwrite(data, 1, bytes, sink->file); /* failure stays in ferror() */
	sink->bytes += bytes;
}

static void put_u32(struct sink *sink, uint32_t value)
{
	put(sink, &value, sizeof(value));
}

static void put_u64(struct sink *sink, uint64_t value)
{
	put(sink, &value, sizeof(value));
}

static void put_string(struct sink *sink, const char *text)
{
	put_u64(sink, strlen(text));
	put(sink, text, strlen(text));
}

static void put_padding(struct sink *sink)
{
	static const char zeros[ALIGNMENT];
	put(sink, zeros, (size_t)(aligned(sink->bytes) - sink->bytes));
}

static void put_key(struct sink *sink, const char *key, enum greta_gguf_kind kind)
{
	put_string(sink, key);
	put_u32(sink, (uint32_t)kind);
	sink->keys++;
}

static void put_key_u32(struct sink *sink, const char *key, uint32_t value)
{
	put_key(sink, key, GRETA_GGUF_UINT32);
	put_u32(sink, value);
}

static void put_key_f32(struct sink *sink, const char *key, float value)
{
	put_key(sink, key, GRETA_GGUF_FLOAT32);
	put(sink, &value, sizeof(value));
}

static void put_key_string(struct sink *sink, const char *key, const char *value)
{
	put_key(sink, key, GRETA_GGUF_STRING);
	put_string(sink, value);
}

static void put_key_array(struct sink *sink, const char *key, enum greta_gguf_kind kind, uint64_t count)
{
	put_key(sink, key, GRETA_GGUF_ARRAY);
	put_u32(sink, (uint32_t)kind);
	put_u64(sink, count);
}

/* Token texts: 3 specials, 256 bytes, U+2581, the printable ASCII characters, then words of syllables, each first
 * with U+2581 before it and then without. Every word is the union of two shorter tokens, so all can be reached by
 * merging. */
static void token_text(uint32_t token, char out[64])
{
	static const char *const SPECIAL[] = {"<unk>", "<s>", "</s>"};
	static const char CONSONANTS[] = "bcdfghjklmnpqrstvwxz", VOWELS[] = "aeiou";
	if (token < 3) {
		snprintf(out, 64, "%s", SPECIAL[token]);
	} else if (token < FIRST_WORD) {
		snprintf(out, 64, "<0x%02X>", token - 3);
	} else if (token == FIRST_WORD) {
		snprintf(out, 64, "\u2581");
	} else if (token < FIRST_WORD + 95) {
		snprintf(out, 64, "%c", (char)(0x21 + token - FIRST_WORD - 1));
	} else {
		uint32_t word = token - FIRST_WORD - 95;
		int length = snprintf(out, 64, "%s", word % 2 ? "" : "\u2581");
		for (uint32_t left = word / 2 + 1; left; left = (left - 1) / 100) { /* digits 1 to 100 */
			out[length++] = CONSONANTS[(left - 1) % 100 / 5];
			out[length++] = VOWELS[(left - 1) % 5];
		}
		out[length] = '\0';
	}
}

static void put_vocabulary(struct sink *sink, uint32_t count)
{
	char text[64] = "";
	put_key_string(sink, "tokenizer.ggml.model", "llama");
	put_key_array(sink, "tokenizer.ggml.tokens", GRETA_GGUF_STRING, count);
	for (uint32_t token = 0; token < count; token++) {
		token_text(token, text);
		put_string(sink, text);
	}
	put_key_array(sink, "tokenizer.ggml.scores", GRETA_GGUF_FLOAT32, count);
	for (uint32_t token = 0; token < count; token++) {
		float score = token < FIRST_WORD ? 0 : -(float)(token - FIRST_WORD);
		put(sink, &score, sizeof(score));
	}
	put_key_array(sink, "tokenizer.ggml.token_type", GRETA_GGUF_INT32, count);
	for (uint32_t token = 0; token < count; token++) /* unknown, control, byte, normal */
		put_u32(sink, token == 0 ? 2 : token < 3 ? 3 : token < FIRST_WORD ? 6 : 1);
	put_key_u32(sink, "tokenizer.ggml.unknown_token_id", 0);
	put_key_u32(sink, "tokenizer.ggml.bos_token_id", 1);
	put_key_u32(sink, "tokenizer.ggml.eos_token_id", 2);
	put_key(sink, "tokenizer.ggml.add_bos_token", GRETA_GGUF_BOOL);
	put(sink, "\1", 1);
	put_key(sink, "tokenizer.ggml.add_eos_token", GRETA_GGUF_BOOL);
	put(sink, "\0", 1);
}

static void put_keys(struct sink *sink, const struct greta_synth_options *options, const struct mix *mix)
{
	const struct greta_synth_shape *shape = &options->shape;
	char name[128];
	snprintf(name, sizeof(name), "synthetic %s", shape->name);
	put_key_string(sink, "general.architecture", "llama");
	put_key_string(sink, "general.name", name);
	put_key_u32(sink, "general.file_type", mix->file_type);
	put_key_u32(sink, "general.quantization_version", 2);
	put_key_u32(sink, "llama.block_count", shape->n_layer);
	put_key_u32(sink, "llama.context_length", shape->context);
	put_key_u32(sink, "llama.embedding_length", shape->n_embd);
	put_key_u32(sink, "llama.feed_forward_length", shape->n_ff);
	put_key_u32(sink, "llama.attention.head_count", shape->n_head);
	put_key_u32(sink, "llama.attention.head_count_kv", shape->n_head_kv);
	put_key_f32(sink, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
	put_key_u32(sink, "llama.rope.dimension_count", shape->n_embd / shape->n_head);
	put_key_f32(sink, "llama.rope.freq_base", shape->rope_base);
	put_key_u32(sink, "llama.vocab_size", shape->n_vocab);
	put_vocabulary(sink, shape->n_vocab);
}

/* Everything before the data section. */
static void put_metadata(struct sink *sink, const struct greta_synth_options *options, const struct mix *mix,
			 const struct plan *plan)
{
	struct sink counter = {0};
	put_keys(&counter, options, mix);
	put(sink, "GGUF", 4);
	put_u32(sink, 3);
	put_u64(sink, plan->count);
	put_u64(sink, counter.keys);
	put_keys(sink, options, mix);
	for (size_t i = 0; i < plan->count; i++) {
		const struct planned *tensor = &plan->tensors[i];
		put_string(sink, tensor->name);
		put_u32(sink, tensor->rows ? 2 : 1);
		put_u64(sink, tensor->columns);
		if (tensor->rows)
			put_u64(sink, tensor->rows);
		put_u32(sink, (uint32_t)tensor->type->type);
		put_u64(sink, tensor->offset);
	}
	put_padding(sink);
}

/* Norms are 0.9 to 1.1; the divisors of rope_freqs are 1 for the fast half and rise to 8 over the slow half. */
static void put_vector(struct sink *sink, const struct planned *tensor, uint64_t random)
{
	bool divisors = strcmp(tensor->name, "rope_freqs.weight") == 0;
	uint64_t half = tensor->columns / 2;
	for (uint64_t i = 0; i < tensor->columns; i++) {
		float value = 0.9f + 0.2f * 0x1p-24f * (float)(greta_random(&random) >> 40);
		if (divisors)
			value = i < half ? 1 : 1 + 7 * (float)(i - half + 1) / (float)(tensor->columns - half);
		put(sink, &value, sizeof(value));
	}
}

/* False when progress() said to stop. */
static bool put_data(struct sink *sink, const struct greta_synth_options *options, const struct plan *plan,
		     unsigned char *chunk)
{
	uint64_t metadata = sink->bytes, seeds = options->seed;
	for (size_t i = 0; i < plan->count && !ferror(sink->file); i++) {
		const struct planned *tensor = &plan->tensors[i];
		uint64_t seed = greta_random(&seeds);
		put_padding(sink);
		if (!tensor->rows) {
			put_vector(sink, tensor, seed);
			continue;
		}
		struct greta_synth_filler filler;
		greta_synth_filler_init(&filler, tensor->type->type, tensor->deviation, seed);
		uint64_t left = tensor->bytes / tensor->type->block_bytes;
		const uint64_t most = CHUNK_BYTES / tensor->type->block_bytes;
		while (left && !ferror(sink->file)) {
			size_t blocks = (size_t)(left < most ? left : most);
			greta_synth_fill(&filler, chunk, blocks);
			put(sink, chunk, blocks * tensor->type->block_bytes);
			left -= blocks;
			if (options->progress &&
			    !options->progress(options->user, sink->bytes, metadata + plan->bytes))
				return false;
		}
	}
	return true;
}

static enum greta_status write_file(const struct greta_synth_options *options, const struct mix *mix,
				    const struct plan *plan, unsigned char *chunk, const char *path,
				    struct greta_error *error)
{
	struct greta_new_file file;
	struct sink counter = {0}, sink = {0};
	put_metadata(&counter, options, mix, plan);
	enum greta_status status = greta_new_file_init(&file, path, error);
	if (status)
		return status;
	sink.file = greta_new_file_stream(&file);
	bool failed = !sink.file;

	/* asks for the room before filling it; a file system that cannot say is tried all the same */
	unsigned long long room = counter.bytes + plan->bytes;
	if (!failed && fallocate(file.fd, 0, 0, (off_t)room) && errno == ENOSPC) {
		status = greta_fail(error, GRETA_ERROR_IO, "no room for the %llu bytes of %s", room, path);
	} else if (!failed) {
		errno = 0;
		put_metadata(&sink, options, mix, plan);
		if (!put_data(&sink, options, plan, chunk))
			status = greta_fail(error, GRETA_ERROR_ARGUMENT, "stopped: %s is not written", path);
		failed = ferror(sink.file) != 0;
	}
	if (((sink.file && fclose(sink.file)) || failed) && !status)
		status = greta_fail(error, GRETA_ERROR_IO, "cannot write %s: %s", path, strerror(errno));
	if (!status)
		status = greta_new_file_commit(&file, error);
	greta_new_file_finish(&file);
	return status;
}

static enum greta_status unknown_mix(const char *name, struct greta_error *error)
{
	return greta_fail(error, GRETA_ERROR_ARGUMENT,
			  "type %s is not known; these are: Q4_K_M F32 F16 BF16 Q8_0 Q4_0 Q4_K Q5_K Q6_K", name);
}

enum greta_status greta_synth_size(const struct greta_synth_options *options, uint64_t *out_bytes,
				   struct greta_error *error)
{
	const struct mix *mix = find_mix(options->mix);
	struct plan plan = {0};
	struct sink counter = {0};
	if (!mix)
		return unknown_mix(options->mix, error);
	enum greta_status status = make_plan(options, mix, &plan, error);
	if (status)
		return status;
	put_metadata(&counter, options, mix, &plan);
	*out_bytes = counter.bytes + plan.bytes;
	free(plan.tensors);
	return GRETA_OK;
}

enum greta_status greta_synth_write(const struct greta_synth_options *options, const char *path,
				    struct greta_error *error)
{
	const struct mix *mix = find_mix(options->mix);
	struct plan plan = {0};
	if (!mix)
		return unknown_mix(options->mix, error);
	enum greta_status status = make_plan(options, mix, &plan, error);
	if (status)
		return status;
	unsigned char *chunk = malloc(CHUNK_BYTES);
	if (chunk)
		status = write_file(options, mix, &plan, chunk, path, error);
	else
		status = greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");
	free(chunk);
	free(plan.tensors);
	return status;
}
