/* Hyper-parameters: what they are for a sound model, and that everything this project does not compute is refused. */
#include "gguf_builder.h"
#include "models/llama.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 2, EMBD = 256, HEADS = 8, KV = 2, HEAD_DIM = 32, FF = 512, VOCAB = 300, CONTEXT = 128 };

static bool skipped(const char *name, const char *skip)
{
	return skip && strcmp(name, skip) == 0;
}

/* A whole small model, less the key or tensor named `skip`. */
static void fill_model(struct builder *b, const char *skip)
{
	static const struct {
		const char *key;
		uint32_t value;
	} SIZES[] = {
	    {"llama.block_count", LAYERS},
	    {"llama.embedding_length", EMBD},
	    {"llama.feed_forward_length", FF},
	    {"llama.context_length", CONTEXT},
	    {"llama.attention.head_count", HEADS},
	    {"llama.attention.head_count_kv", KV},
	    {"llama.rope.dimension_count", HEAD_DIM},
	};
	static const struct {
		const char *name;
		enum greta_type type;
		uint64_t columns, rows;
	} PARTS[] = {
	    {"attn_norm", GRETA_TYPE_F32, EMBD, 0},      {"attn_q", GRETA_TYPE_Q4_K, EMBD, EMBD},
	    {"attn_k", GRETA_TYPE_Q4_K, EMBD, 64},       {"attn_v", GRETA_TYPE_Q6_K, EMBD, 64},
	    {"attn_output", GRETA_TYPE_Q4_K, EMBD, EMBD}, {"ffn_norm", GRETA_TYPE_F32, EMBD, 0},
	    {"ffn_gate", GRETA_TYPE_Q8_0, EMBD, FF},     {"ffn_up", GRETA_TYPE_BF16, EMBD, FF},
	    {"ffn_down", GRETA_TYPE_Q5_K, FF, EMBD},
	};
	builder_init(b);
	if (!skipped("general.architecture", skip))
		add_text(b, "general.architecture", "llama");
	if (!skipped("general.name", skip))
		add_text(b, "general.name", "small");
	for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++)
		if (!skipped(SIZES[i].key, skip))
			add_u32(b, SIZES[i].key, SIZES[i].value);
	if (!skipped("llama.attention.layer_norm_rms_epsilon", skip))
		add_f32(b, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
	if (!skipped("llama.rope.freq_base", skip))
		add_f32(b, "llama.rope.freq_base", 500000);

	if (!skipped("token_embd.weight", skip))
		add_tensor(b, "token_embd.weight", GRETA_TYPE_Q4_K, EMBD, VOCAB, 1);
	if (!skipped("output_norm.weight", skip))
		add_tensor(b, "output_norm.weight", GRETA_TYPE_F32, EMBD, 0, 1);
	if (!skipped("output.weight", skip))
		add_tensor(b, "output.weight", GRETA_TYPE_Q6_K, EMBD, VOCAB, 1);
	for (unsigned layer = 0; layer < LAYERS; layer++) {
		for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
			char name[64];
			snprintf(name, sizeof(name), "blk.%u.%s.weight", layer, PARTS[i].name);
			if (!skipped(name, skip))
				add_tensor(b, name, PARTS[i].type, PARTS[i].columns, PARTS[i].rows, 1);
		}
	}
}

static void test_reads_a_sound_model(void **state)
{
	(void)state;
	struct builder b;
	struct greta_gguf *gguf = NULL;
	struct greta_llama llama;
	struct greta_error error = {0};
	fill_model(&b, NULL);
	add_tensor(&b, "rope_freqs.weight", GRETA_TYPE_F32, HEAD_DIM / 2, 0, 0x3f);
	add_text(&b, "llama.rope.scaling.type", "none");
	add_f32(&b, "llama.rope.scaling.factor", 1);
	add_u32(&b, "llama.expert_count", 0);
	add_u32(&b, "llama.vocab_size", VOCAB);
	add_text(&b, "general.type", "model");
	assert_int_equal(builder_open(&b, &gguf, &error), GRETA_OK);
	if (greta_llama_init(&llama, gguf, &error))
		fail_msg("%s", error.message);
	assert_ptr_equal(llama.gguf, gguf);
	assert_true(greta_gguf_string_is(llama.name, "small"));
	assert_int_equal(llama.n_layer, LAYERS);
	assert_int_equal(llama.n_embd, EMBD);
	assert_int_equal(llama.n_head, HEADS);
	assert_int_equal(llama.n_head_kv, KV);
	assert_int_equal(llama.head_dim, HEAD_DIM);
	assert_int_equal(llama.rope_dim, HEAD_DIM);
	assert_int_equal(llama.n_ff, FF);
	assert_int_equal(llama.n_vocab, VOCAB);
	assert_int_equal(llama.context_train, CONTEXT);
	assert_true(llama.rms_eps == 1e-5f);
	assert_true(llama.rope_base == 500000);
	assert_false(llama.tied_embeddings);
	assert_ptr_equal(llama.rope_freqs, greta_gguf_find(gguf, "rope_freqs.weight"));
	assert_ptr_equal(llama.output, greta_gguf_find(gguf, "output.weight"));
	assert_ptr_equal(llama.layers[1].ffn_down, greta_gguf_find(gguf, "blk.1.ffn_down.weight"));
	assert_ptr_equal(llama.layers[0].attn_norm, greta_gguf_find(gguf, "blk.0.attn_norm.weight"));
	greta_llama_finish(&llama);
	greta_llama_finish(&llama);
	greta_gguf_close(gguf);
	builder_free(&b);
}

static void test_fills_in_what_may_be_missing(void **state)
{
	(void)state;
	static const char *const OPTIONAL[] = {"output.weight", "general.name", "llama.rope.freq_base",
					       "llama.rope.dimension_count"};
	for (size_t i = 0; i < sizeof(OPTIONAL) / sizeof(OPTIONAL[0]); i++) {
		struct builder b;
		struct greta_gguf *gguf = NULL;
		struct greta_llama llama;
		struct greta_error error = {0};
		fill_model(&b, OPTIONAL[i]);
		assert_int_equal(builder_open(&b, &gguf, &error), GRETA_OK);
		if (greta_llama_init(&llama, gguf, &error))
			fail_msg("%s", error.message);
		assert_int_equal(llama.tied_embeddings, i == 0);
		assert_ptr_equal(llama.output, i == 0 ? llama.token_embd : greta_gguf_find(gguf, "output.weight"));
		assert_int_equal(llama.name.length, i == 1 ? 0 : 5);
		assert_true(llama.rope_base == (i == 2 ? 10000 : 500000));
		assert_int_equal(llama.rope_dim, HEAD_DIM);
		assert_null(llama.rope_freqs);
		greta_llama_finish(&llama);
		greta_gguf_close(gguf);
		builder_free(&b);
	}
}

/* One row: what is taken from the sound model, what is put in, and what the message must then contain. */
struct change {
	const char *skip;
	void (*add)(struct builder *);
	enum greta_status status;
	const char *message;
};

static void mamba(struct builder *b) { add_text(b, "general.architecture", "mamba"); }
static void adapter(struct builder *b) { add_text(b, "general.type", "adapter"); }
static void split(struct builder *b) { add_u32(b, "split.count", 3); }
static void experts(struct builder *b) { add_u32(b, "llama.expert_count", 8); }
static void window(struct builder *b) { add_u32(b, "llama.attention.sliding_window", 4096); }
static void not_causal(struct builder *b) { add_bool(b, "llama.attention.causal", false); }
static void yarn(struct builder *b) { add_text(b, "llama.rope.scaling.type", "yarn"); }
static void linear(struct builder *b) { add_text(b, "llama.rope.scaling.type", "linear"); }
static void factor(struct builder *b) { add_f32(b, "llama.rope.scaling.factor", 4); }
static void logit_scale(struct builder *b) { add_f32(b, "llama.logit_scale", 8); }
static void no_layers(struct builder *b) { add_u32(b, "llama.block_count", 0); }
static void many_layers(struct builder *b) { add_u32(b, "llama.block_count", 4000000); }
static void more_layers(struct builder *b) { add_u32(b, "llama.block_count", 3); }
static void fewer_layers(struct builder *b) { add_u32(b, "llama.block_count", 1); }
static void kv_three(struct builder *b) { add_u32(b, "llama.attention.head_count_kv", 3); }
static void heads_seven(struct builder *b) { add_u32(b, "llama.attention.head_count", 7); }
static void heads_many(struct builder *b) { add_u32(b, "llama.attention.head_count", 4000); }
static void keys_64(struct builder *b) { add_u32(b, "llama.attention.key_length", 64); }
static void rope_16(struct builder *b) { add_u32(b, "llama.rope.dimension_count", 16); }
static void embd_200(struct builder *b) { add_u32(b, "llama.embedding_length", 320); }
static void ff_500(struct builder *b) { add_u32(b, "llama.feed_forward_length", 500); }
static void ff_768(struct builder *b) { add_u32(b, "llama.feed_forward_length", 768); }
static void eps_zero(struct builder *b) { add_f32(b, "llama.attention.layer_norm_rms_epsilon", 0); }
static void eps_nan(struct builder *b) { add_f32(b, "llama.attention.layer_norm_rms_epsilon", 0.0f / 0.0f); }
static void base_minus(struct builder *b) { add_f32(b, "llama.rope.freq_base", -1); }
static void vocab_301(struct builder *b) { add_u32(b, "llama.vocab_size", 301); }
static void norm_f16(struct builder *b) { add_tensor(b, "blk.1.ffn_norm.weight", GRETA_TYPE_F16, EMBD, 0, 0); }
static void short_q(struct builder *b) { add_tensor(b, "blk.1.attn_q.weight", GRETA_TYPE_Q4_K, EMBD, 255, 0); }
static void wide_output(struct builder *b) { add_tensor(b, "output.weight", GRETA_TYPE_Q4_K, 512, VOCAB, 0); }
static void bias(struct builder *b) { add_tensor(b, "blk.0.attn_q.bias", GRETA_TYPE_F32, EMBD, 0, 0); }
static void q_norm(struct builder *b) { add_tensor(b, "blk.0.attn_q_norm.weight", GRETA_TYPE_F32, 32, 0, 0); }
static void router(struct builder *b) { add_tensor(b, "blk.0.ffn_gate_inp.weight", GRETA_TYPE_F32, 256, 8, 0); }
static void extra(struct builder *b) { add_tensor(b, "extra", GRETA_TYPE_F32, 8, 0, 0); }
static void freqs_zero(struct builder *b) { add_tensor(b, "rope_freqs.weight", GRETA_TYPE_F32, 16, 0, 0); }
static void freqs_short(struct builder *b) { add_tensor(b, "rope_freqs.weight", GRETA_TYPE_F32, 8, 0, 0x3f); }

static void kv_per_layer(struct builder *b)
{
	add_array(b, "llama.attention.head_count_kv", GRETA_GGUF_UINT32, 2);
	put_u32(&b->keys, 2);
	put_u32(&b->keys, 4);
}

static void one_token(struct builder *b)
{
	add_array(b, "tokenizer.ggml.tokens", GRETA_GGUF_STRING, 1);
	put_string(&b->keys, "<unk>");
}

static const struct change CHANGES[] = {
    {"general.architecture", NULL, GRETA_ERROR_FORMAT, "test.gguf: key general.architecture is missing"},
    {"general.architecture", mamba, GRETA_ERROR_UNSUPPORTED, "architecture mamba is not supported"},
    {NULL, adapter, GRETA_ERROR_UNSUPPORTED, "is of type adapter, not a model"},
    {NULL, split, GRETA_ERROR_UNSUPPORTED, "one of 3 parts"},
    {NULL, experts, GRETA_ERROR_UNSUPPORTED, "a mixture of experts (llama.expert_count = 8) is not supported"},
    {NULL, window, GRETA_ERROR_UNSUPPORTED, "sliding-window attention"},
    {NULL, not_causal, GRETA_ERROR_UNSUPPORTED, "non-causal"},
    {NULL, yarn, GRETA_ERROR_UNSUPPORTED, "RoPE scaling of type yarn"},
    {NULL, linear, GRETA_ERROR_UNSUPPORTED, "RoPE scaling of type linear"},
    {NULL, factor, GRETA_ERROR_UNSUPPORTED, "llama.rope.scaling.factor = 4 is not supported"},
    {NULL, logit_scale, GRETA_ERROR_UNSUPPORTED, "llama.logit_scale = 8"},
    {"llama.block_count", NULL, GRETA_ERROR_FORMAT, "key llama.block_count is missing"},
    {"llama.block_count", no_layers, GRETA_ERROR_FORMAT, "llama.block_count: 0 is not within 1 to"},
    {"llama.block_count", many_layers, GRETA_ERROR_FORMAT, "too few for 4000000 layers"},
    {"llama.block_count", more_layers, GRETA_ERROR_FORMAT, "tensor blk.2.attn_norm.weight is missing"},
    {"llama.block_count", fewer_layers, GRETA_ERROR_UNSUPPORTED, "tensor blk.1.attn_norm.weight"},
    {"llama.attention.head_count_kv", kv_three, GRETA_ERROR_FORMAT, "8 heads are not a multiple of 3"},
    {"llama.attention.head_count_kv", kv_per_layer, GRETA_ERROR_UNSUPPORTED, "head_count_kv differs from layer"},
    {"llama.attention.head_count_kv", NULL, GRETA_ERROR_FORMAT, "blk.0.attn_k.weight has the shape [256, 64, 1, 1]"},
    {"llama.attention.head_count", heads_seven, GRETA_ERROR_FORMAT, "256 does not divide into 7 heads"},
    {"llama.attention.head_count", heads_many, GRETA_ERROR_FORMAT, "256 does not divide into 4000 heads"},
    {NULL, keys_64, GRETA_ERROR_UNSUPPORTED, "keys of 64 values and values of 32"},
    {"llama.rope.dimension_count", rope_16, GRETA_ERROR_UNSUPPORTED, "RoPE over 16 of the 32"},
    {"llama.embedding_length", embd_200, GRETA_ERROR_UNSUPPORTED, "RoPE over 32 of the 40"},
    {"llama.feed_forward_length", ff_500, GRETA_ERROR_UNSUPPORTED, "feed_forward_length is 500: multiples of 256"},
    {"llama.feed_forward_length", ff_768, GRETA_ERROR_FORMAT, "blk.0.ffn_gate.weight has the shape [256, 512, 1, 1]"},
    {"llama.attention.layer_norm_rms_epsilon", NULL, GRETA_ERROR_FORMAT, "layer_norm_rms_epsilon is missing"},
    {"llama.attention.layer_norm_rms_epsilon", eps_zero, GRETA_ERROR_FORMAT, "is not a number above zero"},
    {"llama.attention.layer_norm_rms_epsilon", eps_nan, GRETA_ERROR_FORMAT, "is not a number above zero"},
    {"llama.rope.freq_base", base_minus, GRETA_ERROR_FORMAT, "freq_base: -1 is not a number above zero"},
    {NULL, vocab_301, GRETA_ERROR_FORMAT, "llama.vocab_size is 301"},
    {NULL, one_token, GRETA_ERROR_FORMAT, "tokenizer.ggml.tokens has 1 tokens"},
    {"token_embd.weight", NULL, GRETA_ERROR_FORMAT, "tensor token_embd.weight is missing"},
    {"output_norm.weight", NULL, GRETA_ERROR_FORMAT, "tensor output_norm.weight is missing"},
    {"blk.1.ffn_up.weight", NULL, GRETA_ERROR_FORMAT, "tensor blk.1.ffn_up.weight is missing"},
    {"blk.1.ffn_norm.weight", norm_f16, GRETA_ERROR_UNSUPPORTED, "tensor blk.1.ffn_norm.weight is F16"},
    {"blk.1.attn_q.weight", short_q, GRETA_ERROR_FORMAT, "[256, 255, 1, 1]; [256, 256] is expected"},
    {"output.weight", wide_output, GRETA_ERROR_FORMAT, "output.weight has the shape [512, 300, 1, 1]"},
    {NULL, bias, GRETA_ERROR_UNSUPPORTED, "tensor blk.0.attn_q.bias: biases are not supported"},
    {NULL, q_norm, GRETA_ERROR_UNSUPPORTED, "tensor blk.0.attn_q_norm.weight: further norms"},
    {NULL, router, GRETA_ERROR_UNSUPPORTED, "tensor blk.0.ffn_gate_inp.weight: mixtures of experts"},
    {NULL, extra, GRETA_ERROR_UNSUPPORTED, "tensor extra: the llama architecture has no such tensor"},
    {NULL, freqs_zero, GRETA_ERROR_FORMAT, "rope_freqs.weight: value 0, 0, is not a number above zero"},
    {NULL, freqs_short, GRETA_ERROR_FORMAT, "rope_freqs.weight has the shape [8, 1, 1, 1]; [16, 1] is expected"},
};

static void test_refuses_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
		const struct change *change = &CHANGES[i];
		struct builder b;
		struct greta_gguf *gguf = NULL;
		struct greta_llama llama, untouched;
		struct greta_error error = {0};
		fill_model(&b, change->skip);
		if (change->add)
			change->add(&b);
		if (builder_open(&b, &gguf, &error))
			fail_msg("%s", error.message);
		memset(&llama, 0x5a, sizeof(llama));
		memset(&untouched, 0x5a, sizeof(untouched));
		enum greta_status status = greta_llama_init(&llama, gguf, &error);
		if (status != change->status || !strstr(error.message, change->message))
			fail_msg("wanted \"%s\": status %d, message: %s", change->message, status, error.message);
		assert_memory_equal(&llama, &untouched, sizeof(llama));
		greta_gguf_close(gguf);
		builder_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_a_sound_model),
	    cmocka_unit_test(test_fills_in_what_may_be_missing),
	    cmocka_unit_test(test_refuses_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
