#include "tests/runtime/toy.h"

#include "kernels/rows16.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A_ROWS 40 /* 2.5 groups of 16 */
#define A_GROUPS 3
#define B_VALUES 256

struct toy_args {
	const uint8_t *a;        /* Q4_K [A_ROWS][256], rows16 */
	const uint8_t *constant; /* [64] */
	const uint8_t *b;        /* F32 [B_VALUES], in the model */
	struct greta_state *state;
	uint32_t *tokens;
	uint32_t *ring;
	float *logits;
	uint64_t *kv;
	uint64_t *arena;
	uint32_t chunk, a_bytes;
};

static atomic_ulong launches[17];

unsigned long toy_launches(uint32_t chunk)
{
	return atomic_load(&launches[chunk]);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) + UINT64_C(0x632be59bd9b4e019);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t mix_bytes(uint64_t hash, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hash = mix(hash, bytes[i]);
	return hash;
}

static float logit(uint64_t hash, uint32_t index)
{
	return (float)(mix(hash, index) >> 40);
}

static uint32_t draw(uint64_t hash, float temperature, uint64_t seed, uint64_t position)
{
	uint64_t drawn = temperature > 0 ? mix(mix(hash, seed), position) : hash;
	uint32_t token = (uint32_t)(drawn % TOY_VOCAB);
	return token == TOY_BAD_TOKEN ? token + 1 : token;
}

static void toy_run(const struct greta_cpu_block *block, const void *pointer)
{
	const struct toy_args *args = pointer;
	const struct greta_state *state = args->state;
	uint32_t n = greta_step_tokens(state, args->chunk);
	(void)block;
	uint64_t weights = mix_bytes(0, args->a, args->a_bytes);
	weights = mix_bytes(weights, args->constant, 64);
	weights = mix_bytes(weights, args->b, B_VALUES * 4);
	for (uint32_t i = state->position; i < state->position + n; i++)
		args->kv[i] = mix(i ? args->kv[i - 1] : weights, args->tokens[i]);
	args->arena[0] = n ? args->kv[state->position + n - 1] : 0;
}

static void toy_sample(const struct greta_cpu_block *block, const void *pointer)
{
	const struct toy_args *args = pointer;
	struct greta_state *state = args->state;
	uint32_t n = greta_step_tokens(state, args->chunk);
	uint32_t after = state->position + n;
	(void)block;
	atomic_fetch_add(&launches[args->chunk], 1);
	if (greta_step_samples(state, n)) {
		for (uint32_t i = 0; i < TOY_VOCAB; i++)
			args->logits[i] = logit(args->arena[0], i);
		if (args->tokens[after - 1] == TOY_BAD_TOKEN) {
			if (!state->fault)
				state->fault = after;
		} else {
			uint32_t token = draw(args->arena[0], state->temperature, state->seed, after);
			args->tokens[after] = token;
			__atomic_store_n(&args->ring[after], token + 1, __ATOMIC_RELEASE);
		}
	}
	state->position = after;
}

static const struct greta_cpu_function functions[] = {{"toy_run", toy_run}, {"toy_sample", toy_sample}};

const struct greta_cpu_module toy_module = {
	.magic = GRETA_CPU_MODULE_MAGIC, .name = "toy", .count = 2, .functions = functions};

/* ---- The plan ---- */

static uint32_t add_string(struct toy *toy, uint32_t *end, const char *text)
{
	uint32_t at = *end;
	size_t size = strlen(text) + 1;
	assert(at + size <= sizeof(toy->strings));
	memcpy(toy->strings + at, text, size);
	*end += (uint32_t)size;
	return at;
}

static void add_reloc(struct toy *toy, size_t launch, size_t field, uint32_t region, uint64_t offset)
{
	struct greta_plan_launch *to = &toy->launches[launch];
	toy->relocs[to->first_reloc + to->reloc_count++] =
		(struct greta_plan_reloc){.field = (uint32_t)field, .region = region};
	memcpy(toy->args + to->args + field, &offset, sizeof(offset));
}

static void add_launch(struct toy *toy, size_t index, uint32_t symbol, uint32_t chunk)
{
	struct greta_plan_launch *launch = &toy->launches[index];
	const struct greta_plan_header *header = &toy->header;
	uint32_t numbers[2] = {chunk, (uint32_t)toy->tensors[0].bytes};
	*launch = (struct greta_plan_launch){
		.args = index * sizeof(struct toy_args), .args_bytes = sizeof(struct toy_args), .symbol = symbol,
		.grid = {1, 1, 1}, .block = {1, 1, 1}, .first_reloc = (uint32_t)index * 9, .layer = GRETA_PLAN_NONE,
	};
	assert(launch->args + launch->args_bytes <= sizeof(toy->args));
	add_reloc(toy, index, offsetof(struct toy_args, a), GRETA_REGION_WEIGHTS, toy->tensors[0].offset);
	add_reloc(toy, index, offsetof(struct toy_args, constant), GRETA_REGION_WEIGHTS, toy->tensors[1].offset);
	add_reloc(toy, index, offsetof(struct toy_args, b), GRETA_REGION_MODEL, toy->tensors[2].offset);
	add_reloc(toy, index, offsetof(struct toy_args, state), GRETA_REGION_STATE, header->state_offset);
	add_reloc(toy, index, offsetof(struct toy_args, tokens), GRETA_REGION_STATE, header->tokens_offset);
	add_reloc(toy, index, offsetof(struct toy_args, ring), GRETA_REGION_IO, header->ring_offset);
	add_reloc(toy, index, offsetof(struct toy_args, logits), GRETA_REGION_IO, header->logits_offset);
	add_reloc(toy, index, offsetof(struct toy_args, kv), GRETA_REGION_KV, 0);
	add_reloc(toy, index, offsetof(struct toy_args, arena), GRETA_REGION_ARENA, 0);
	memcpy(toy->args + launch->args + offsetof(struct toy_args, chunk), numbers, sizeof(numbers));
}

static void add_model(struct toy *toy)
{
	struct greta_gguf *gguf = NULL;
	struct greta_error error;
	builder_init(&toy->builder);
	add_text(&toy->builder, "general.name", "toy");
	add_tensor(&toy->builder, "a", GRETA_TYPE_Q4_K, 256, A_ROWS, 0);
	add_tensor(&toy->builder, "b", GRETA_TYPE_F32, B_VALUES, 0, 7);
	builder_finish(&toy->builder);
	if (builder_open(&toy->builder, &gguf, &error) != GRETA_OK) {
		fprintf(stderr, "the toy model is no GGUF file: %s\n", error.message);
		abort();
	}
	/* Bytes that tell each place from every other. */
	const struct greta_gguf_tensor *a = greta_gguf_find(gguf, "a"), *b = greta_gguf_find(gguf, "b");
	for (size_t i = 0; i < a->bytes; i++)
		toy->builder.file.data[a->offset + i] = (uint8_t)mix(1, i);
	toy->tensors[0] = (struct greta_plan_tensor){
		.offset = 0, .bytes = A_GROUPS * greta_rows16_group_bytes(GRETA_TYPE_Q4_K, 256), .source = a->offset,
		.source_bytes = a->bytes, .region = GRETA_REGION_WEIGHTS, .type = GRETA_TYPE_Q4_K,
		.layout = GRETA_LAYOUT_ROWS16, .rows = A_ROWS, .cols = 256,
	};
	toy->tensors[1] = (struct greta_plan_tensor){
		.offset = toy->tensors[0].bytes, .bytes = 64, .source = 0, .source_bytes = 64,
		.region = GRETA_REGION_WEIGHTS, .type = GRETA_TYPE_F32, .rows = 1, .cols = 16, .constant = 1,
	};
	toy->tensors[2] = (struct greta_plan_tensor){
		.offset = b->offset, .bytes = b->bytes, .source = b->offset, .source_bytes = b->bytes,
		.region = GRETA_REGION_MODEL, .type = GRETA_TYPE_F32, .rows = 1, .cols = B_VALUES,
	};
	greta_gguf_fingerprint(gguf, toy->header.model_fingerprint);
	toy->header.model_bytes = greta_gguf_size(gguf);
	greta_gguf_close(gguf);
}

static void hash_weights(struct toy *toy)
{
	uint8_t *packed = calloc(1, toy->tensors[0].bytes);
	assert(packed);
	greta_rows16_pack(GRETA_TYPE_Q4_K, A_ROWS, 256, toy->builder.file.data + toy->tensors[0].source, 0, A_GROUPS,
	                  packed);
	toy->weight_hash = mix_bytes(0, packed, toy->tensors[0].bytes);
	toy->weight_hash = mix_bytes(toy->weight_hash, toy->constants, 64);
	toy->weight_hash = mix_bytes(toy->weight_hash, toy->builder.file.data + toy->tensors[2].source, B_VALUES * 4);
	free(packed);
}

void toy_init(struct toy *toy)
{
	static const uint32_t chunks[3] = {1, 4, 16};
	uint32_t end = 1;
	struct greta_plan_header *header = &toy->header;
	memset(toy, 0, sizeof(*toy));
	add_model(toy);
	for (size_t i = 0; i < 64; i++)
		toy->constants[i] = (uint8_t)mix(2, i);
	hash_weights(toy);
	strcpy(header->target, "cpu");
	header->n_vocab = TOY_VOCAB;
	header->context = TOY_CONTEXT;
	header->tokens_offset = 64;
	header->logits_offset = 4 * 128;
	header->region_bytes[GRETA_REGION_WEIGHTS] = toy->tensors[1].offset + 64;
	header->region_bytes[GRETA_REGION_MODEL] = header->model_bytes;
	header->region_bytes[GRETA_REGION_KV] = 8 * TOY_CONTEXT;
	header->region_bytes[GRETA_REGION_ARENA] = 64;
	header->region_bytes[GRETA_REGION_STATE] = 64 + 4 * (TOY_CONTEXT + 1);
	header->region_bytes[GRETA_REGION_IO] = 4 * 128 + 4 * TOY_VOCAB;
	header->model_name = add_string(toy, &end, "toy");
	header->model_path = add_string(toy, &end, "/nowhere/toy.gguf");
	uint32_t run = add_string(toy, &end, "toy_run"), sample = add_string(toy, &end, "toy_sample");
	for (size_t i = 0; i < 3; i++) {
		add_launch(toy, 2 * i, run, chunks[i]);
		add_launch(toy, 2 * i + 1, sample, chunks[i]);
		toy->programs[i] = (struct greta_plan_program){
			.name = header->model_name, .kind = i ? GRETA_PROGRAM_PREFILL : GRETA_PROGRAM_DECODE,
			.chunk_tokens = chunks[i], .first_launch = 2 * (uint32_t)i, .launch_count = 2,
		};
	}
	header->sections[GRETA_PLAN_ARGS].count = sizeof(toy->args);
	header->sections[GRETA_PLAN_CONSTANTS].count = sizeof(toy->constants);
	toy->plan = (struct greta_plan){
		.header = header, .tensors = toy->tensors, .programs = toy->programs, .launches = toy->launches,
		.relocs = toy->relocs, .args = toy->args, .constants = toy->constants, .strings = toy->strings,
		.tensor_count = 3, .program_count = 3, .launch_count = 6, .reloc_count = 6 * 9,
	};
}

void toy_finish(struct toy *toy)
{
	builder_free(&toy->builder);
}

struct greta_session_source toy_source(struct toy *toy, const struct greta_options *options)
{
	struct greta_session_source source = {.plan = toy->plan,
	                                      .plan_path = "toy.plan",
	                                      .options = options,
	                                      .image = &toy_module,
	                                      .unchecked = true};
	struct greta_error error;
	if (greta_gguf_open_memory(toy->builder.file.data, toy->builder.file.length, "toy.gguf", &source.gguf,
	                           &error) != GRETA_OK)
		abort();
	return source;
}

void toy_close_source(struct greta_session_source *source)
{
	greta_gguf_close(source->gguf);
}

/* ---- The oracle ---- */

static uint64_t hash_of(const struct toy *toy, const int32_t *tokens, size_t count)
{
	uint64_t hash = toy->weight_hash;
	for (size_t i = 0; i < count; i++)
		hash = mix(hash, (uint32_t)tokens[i]);
	return hash;
}

uint32_t toy_next(const struct toy *toy, const int32_t *tokens, size_t count, const struct greta_sampling *sampling)
{
	return draw(hash_of(toy, tokens, count), sampling->temperature, sampling->seed, count);
}

float toy_logit(const struct toy *toy, const int32_t *tokens, size_t count, uint32_t index)
{
	return logit(hash_of(toy, tokens, count), index);
}
