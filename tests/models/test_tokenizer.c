/* The tokenizer against llama.cpp (tokens/vectors.txt, made by tokens/make.py), and what it promises besides.
 * Takes the folder tokens/ as argument. */
#include "gguf_builder.h"
#include "models/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;
static struct greta_gguf *files[2]; /* a.gguf, b.gguf */
static struct greta_tokenizer *tokenizers[2];

static int open_vocabularies(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		char path[4096];
		struct greta_error error = {0};
		snprintf(path, sizeof(path), "%s/%c.gguf", folder, 'a' + i);
		if (greta_gguf_open(path, &files[i], &error) ||
		    greta_tokenizer_create(files[i], &tokenizers[i], &error)) {
			fprintf(stderr, "%s\n", error.message);
			return 1;
		}
	}
	return 0;
}

static int close_vocabularies(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		greta_tokenizer_destroy(tokenizers[i]);
		greta_gguf_close(files[i]);
	}
	return 0;
}

static int hex_digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* Hexadecimal (or "-") to a block of its exact size. */
static char *from_hex(const char *hex, size_t *out_length)
{
	size_t length = hex[0] == '-' ? 0 : strlen(hex) / 2;
	char *text = malloc(length ? length : 1);
	assert_non_null(text);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	*out_length = length;
	return text;
}

static void check_vector(char *line, unsigned number)
{
	const char *vocabulary = strtok(line, " \n"), *add = strtok(NULL, " \n"), *parse = strtok(NULL, " \n");
	const char *hex = strtok(NULL, " \n");
	assert_non_null(hex);
	struct greta_error error = {0};
	size_t length, count = 0;
	int32_t *tokens = NULL;
	char *text = from_hex(hex, &length);
	unsigned flags = (*add == '1' ? GRETA_ENCODE_ADD_SPECIAL : 0u) |
			 (*parse == '1' ? GRETA_ENCODE_PARSE_SPECIAL : 0u);
	if (greta_tokenizer_encode(tokenizers[*vocabulary - 'a'], text, length, flags, &tokens, &count, &error))
		fail_msg("line %u: %s", number, error.message);
	for (size_t i = 0; i <= count; i++) {
		const char *wanted = strtok(NULL, " \n");
		if (!wanted != (i == count) || (wanted && atoi(wanted) != tokens[i]))
			fail_msg("line %u: token %zu is %d, llama.cpp has %s", number, i, i < count ? tokens[i] : -1,
				 wanted ? wanted : "none");
		if (!wanted)
			break;
	}
	free(tokens);
	free(text);
}

static void test_encodes_as_llama_cpp_does(void **state)
{
	(void)state;
	char path[4096], *line = NULL;
	size_t room = 0;
	unsigned number = 0;
	snprintf(path, sizeof(path), "%s/vectors.txt", folder);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (getline(&line, &room, file) > 0)
		check_vector(line, ++number);
	free(line);
	fclose(file);
	print_message("%u vectors\n", number);
	assert_true(number > 700);
}

static void encode(int vocabulary, const char *text, size_t length, unsigned flags, int32_t **tokens, size_t *count)
{
	struct greta_error error = {0};
	if (greta_tokenizer_encode(tokenizers[vocabulary], text, length, flags, tokens, count, &error))
		fail_msg("%s", error.message);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *random)
{
	uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Bytes in, the same bytes out. Left out: U+2581, which comes back as a space, and a broken character before a
 * space, which takes a byte of the U+2581 written for it. With control tokens not parsed nothing else is lost. */
static void test_decoding_gives_the_text_back(void **state)
{
	(void)state;
	static const char *const PARTS[] = {
	    " ", "  ", "the", " and", "\n", "\x80", "\xc3z", "\u4e2d", "\U0001f600", "<s>", "<tool>", "aba", "q",
	    "\x01", "<0x41>",
	};
	static const char *const SPECIAL[] = {"<tool>", "aba", "\n\n\n"};
	uint64_t random = 1;
	for (int round = 0; round < 2000; round++) {
		char text[512] = "";
		size_t length = 0, count = 0, decoded_length = 0;
		for (uint64_t n = next_random(&random) % 40; n > 0; n--) {
			const char *part = PARTS[next_random(&random) % (sizeof(PARTS) / sizeof(PARTS[0]))];
			memcpy(text + length, part, strlen(part));
			length += strlen(part);
		}
		int32_t *tokens = NULL;
		char *decoded = NULL;
		struct greta_error error = {0};
		int vocabulary = round % 2;
		bool special = false;
		for (size_t i = 0; i < sizeof(SPECIAL) / sizeof(SPECIAL[0]); i++)
			special |= memmem(text, length, SPECIAL[i], strlen(SPECIAL[i])) != NULL;
		if (vocabulary == 0 && special)
			continue; /* the space put behind special tokens stays in the text */
		encode(vocabulary, text, length, 0, &tokens, &count);
		assert_int_equal(greta_tokenizer_decode(tokenizers[vocabulary], tokens, count, false, &decoded,
							&decoded_length, &error),
				 GRETA_OK);
		if (decoded_length != length || memcmp(decoded, text, length) != 0)
			fail_msg("round %d: \"%.*s\" came back as \"%s\"", round, (int)length, text, decoded);
		assert_int_equal(decoded[decoded_length], 0);
		free(tokens);
		free(decoded);
	}
}

static int32_t token_of(const char *text)
{
	for (int32_t i = 0; i < (int32_t)greta_tokenizer_count(tokenizers[0]); i++)
		if (greta_gguf_string_is(greta_tokenizer_text(tokenizers[0], i), text))
			return i;
	fail_msg("no token %s", text);
	return -1;
}

static void test_pieces_are_what_tokens_stand_for(void **state)
{
	(void)state;
	const struct greta_tokenizer *t = tokenizers[0];
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("\u2581the"), false), " the"));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("<0x0A>"), false), "\n"));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("\u2581\u2581\u2581"), false), "   "));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("</s>"), false), ""));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("</s>"), true), "</s>"));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("<unk>"), false), ""));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("<tool>"), false), "<tool>"));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("qu\u2581ick"), false), "qu\u2581ick"));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, token_of("hidden"), true), ""));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, -1, true), ""));
	assert_true(greta_gguf_string_is(greta_tokenizer_piece(t, INT32_MAX, true), ""));
	assert_int_equal(greta_tokenizer_bos(t), 1);
	assert_int_equal(greta_tokenizer_eos(t), 2);
	assert_int_equal(greta_tokenizer_unk(t), 0);
	assert_true(greta_tokenizer_adds_bos(t) && !greta_tokenizer_adds_eos(t));
	assert_true(greta_tokenizer_adds_eos(tokenizers[1]));
	assert_true(greta_tokenizer_is_end(t, 2));
	assert_true(greta_tokenizer_is_end(t, token_of("<|im_end|>")));
	assert_false(greta_tokenizer_is_end(t, token_of("<|im_start|>")));
	assert_false(greta_tokenizer_is_end(t, 1));
	assert_false(greta_tokenizer_is_end(t, -1));
	/* a token without text stands under a name of its own */
	struct greta_gguf_string name = greta_tokenizer_text(t, (int32_t)greta_tokenizer_count(t) - 3);
	assert_true(name.length > 8 && memcmp(name.data, "[EMPTY_", 7) == 0);
}

static void test_decoding_refuses_other_numbers(void **state)
{
	(void)state;
	struct greta_error error = {0};
	char *text = NULL;
	size_t length = 0;
	int32_t tokens[2] = {5, (int32_t)greta_tokenizer_count(tokenizers[0])};
	assert_int_equal(greta_tokenizer_decode(tokenizers[0], tokens, 2, false, &text, &length, &error),
			 GRETA_ERROR_ARGUMENT);
	tokens[1] = -1;
	assert_int_equal(greta_tokenizer_decode(tokenizers[0], tokens, 2, false, &text, &length, &error),
			 GRETA_ERROR_ARGUMENT);
	assert_null(text);
	assert_int_equal(greta_tokenizer_decode(tokenizers[0], tokens, 0, false, &text, &length, &error), GRETA_OK);
	assert_string_equal(text, "");
	free(text);
}

/* Streams tokens and checks every part as it comes. `parts`: one for each token, then one for the flush. */
static void check_stream(bool continues, const int32_t *tokens, size_t count, const char *const *parts)
{
	struct greta_text_stream *stream = NULL;
	struct greta_error error = {0};
	assert_int_equal(greta_text_stream_create(tokenizers[0], continues, false, &stream, &error), GRETA_OK);
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i <= count; i++) {
			struct greta_gguf_string part = i < count ? greta_text_stream_push(stream, tokens[i])
								  : greta_text_stream_flush(stream);
			if (!greta_gguf_string_is(part, parts[i]))
				fail_msg("part %zu is \"%.*s\", not \"%s\"", i, GRETA_GGUF_PRINT(part), parts[i]);
		}
	}
	greta_text_stream_destroy(stream);
	greta_text_stream_destroy(NULL);
}

#define BYTE(b) (3 + (b))

static void test_streams_whole_characters(void **state)
{
	(void)state;
	const int32_t the = token_of("\u2581the");
	check_stream(false, (int32_t[]){the, the}, 2, (const char *const[]){"the", " the", ""});
	check_stream(true, (int32_t[]){the, the}, 2, (const char *const[]){" the", " the", ""});
	check_stream(true, (int32_t[]){BYTE(0xf0), BYTE(0x9f), BYTE(0x98), BYTE(0x80), the}, 5,
		     (const char *const[]){"", "", "", "\U0001f600", " the", ""});
	check_stream(true, (int32_t[]){BYTE(0xc3), BYTE(0xa9), BYTE(0xc3)}, 3,
		     (const char *const[]){"", "\u00e9", "", "\ufffd"});
	check_stream(true, (int32_t[]){BYTE(0xe4), BYTE(0xb8), the}, 3,
		     (const char *const[]){"", "", "\ufffd the", ""});
	check_stream(true, (int32_t[]){BYTE(0xff), BYTE(0x80), BYTE(0xc0), BYTE('a')}, 4,
		     (const char *const[]){"\ufffd", "\ufffd", "\ufffd", "a", ""});
	/* a surrogate: its first byte could begin a character, its second shows that it does not */
	check_stream(true, (int32_t[]){BYTE(0xed), BYTE(0xa0), BYTE(0x80)}, 3,
		     (const char *const[]){"", "\ufffd\ufffd", "\ufffd", ""});
	check_stream(true, (int32_t[]){1, 2, -1, the}, 4, (const char *const[]){"", "", "", " the", ""});
}

/* Long texts: the whole takes moments where a quadratic method would take minutes. */
static void test_long_texts(void **state)
{
	(void)state;
	const size_t length = 1000000;
	char *text = malloc(length);
	assert_non_null(text);
	static const char *const WORDS[] = {"a", "the earth ", " ", "\xc3 "};
	for (int i = 0; i < 4; i++) {
		size_t word = strlen(WORDS[i]), count = 0;
		int32_t *tokens = NULL;
		for (size_t at = 0; at < length; at++)
			text[at] = WORDS[i][at % word];
		encode(0, text, length, 0, &tokens, &count);
		assert_true(count > length / 20);
		free(tokens);
	}
	free(text);
}

/* A vocabulary small enough to damage: `n` tokens, the first three special. */
static void small_vocabulary(struct builder *b, unsigned n, const char *const *texts)
{
	builder_init(b);
	add_text(b, "tokenizer.ggml.model", "llama");
	add_array(b, "tokenizer.ggml.tokens", GRETA_GGUF_STRING, n);
	for (unsigned i = 0; i < n; i++)
		put_string(&b->keys, texts[i]);
}

static void expect_refusal(struct builder *b, enum greta_status wanted, const char *message)
{
	struct greta_gguf *gguf = NULL;
	struct greta_tokenizer *tokenizer = NULL;
	struct greta_error error = {0};
	assert_int_equal(builder_open(b, &gguf, &error), GRETA_OK);
	enum greta_status status = greta_tokenizer_create(gguf, &tokenizer, &error);
	if (status != wanted || !strstr(error.message, message))
		fail_msg("wanted \"%s\": status %d, message: %s", message, status, error.message);
	assert_null(tokenizer);
	greta_gguf_close(gguf);
	builder_free(b);
}

static void test_refuses_other_vocabularies_by_name(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {"<unk>", "<s>", "</s>", "a", "a"};
	struct builder b;
	builder_init(&b);
	add_text(&b, "tokenizer.ggml.model", "gpt2");
	expect_refusal(&b, GRETA_ERROR_UNSUPPORTED, "tokenizer gpt2 is not supported (llama is)");
	builder_init(&b);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "key tokenizer.ggml.model is missing");
	builder_init(&b);
	add_text(&b, "tokenizer.ggml.model", "llama");
	expect_refusal(&b, GRETA_ERROR_FORMAT, "key tokenizer.ggml.tokens is missing");
	small_vocabulary(&b, 0, TEXTS);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "no array of 1 to 2147483647 strings");
	small_vocabulary(&b, 5, TEXTS);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "tokens 3 and 4 have the same text, a");
	small_vocabulary(&b, 1, TEXTS);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "asks for a BOS token");

	float score = 0.0f / 0.0f;
	small_vocabulary(&b, 3, TEXTS);
	add_array(&b, "tokenizer.ggml.scores", GRETA_GGUF_FLOAT32, 2);
	put(&b.keys, "12345678", 8);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "scores has 2 values for 3 tokens");
	small_vocabulary(&b, 3, TEXTS);
	add_array(&b, "tokenizer.ggml.scores", GRETA_GGUF_FLOAT32, 3);
	put(&b.keys, "12345678", 8);
	put(&b.keys, &score, sizeof(score));
	expect_refusal(&b, GRETA_ERROR_FORMAT, "the score of token 2 is not a number");
	small_vocabulary(&b, 3, TEXTS);
	add_array(&b, "tokenizer.ggml.token_type", GRETA_GGUF_FLOAT32, 3);
	put(&b.keys, "123456781234", 12);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "token_type is an array of float32, where integers");
	small_vocabulary(&b, 4, TEXTS);
	add_array(&b, "tokenizer.ggml.token_type", GRETA_GGUF_INT32, 4);
	for (uint32_t i = 0; i < 4; i++)
		put_u32(&b.keys, i == 3 ? 6 : 3);
	expect_refusal(&b, GRETA_ERROR_FORMAT, "token 3, a, should be a byte");
}

static void test_bytes_without_a_token_are_unknown(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {"<unk>", "<s>", "</s>", "\u2581", "a", "\u2581a", "b"};
	struct builder b;
	struct greta_gguf *gguf = NULL;
	struct greta_tokenizer *tokenizer = NULL;
	struct greta_error error = {0};
	int32_t *tokens = NULL;
	size_t count = 0;
	small_vocabulary(&b, 7, TEXTS);
	assert_int_equal(builder_open(&b, &gguf, &error), GRETA_OK);
	assert_int_equal(greta_tokenizer_create(gguf, &tokenizer, &error), GRETA_OK);
	assert_int_equal(greta_tokenizer_encode(tokenizer, "abz", 3, 0, &tokens, &count, &error), GRETA_OK);
	assert_int_equal(count, 3);
	assert_int_equal(tokens[0], 5);
	assert_int_equal(tokens[1], 6);
	assert_int_equal(tokens[2], 0);
	free(tokens);
	tokens = NULL;
	assert_int_equal(greta_tokenizer_encode(tokenizer, "a", 700u << 20, 0, &tokens, &count, &error),
			 GRETA_ERROR_ARGUMENT);
	assert_null(tokens);
	greta_tokenizer_destroy(tokenizer);
	greta_tokenizer_destroy(NULL);
	greta_gguf_close(gguf);
	builder_free(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encodes_as_llama_cpp_does),
	    cmocka_unit_test(test_decoding_gives_the_text_back),
	    cmocka_unit_test(test_pieces_are_what_tokens_stand_for),
	    cmocka_unit_test(test_decoding_refuses_other_numbers),
	    cmocka_unit_test(test_streams_whole_characters),
	    cmocka_unit_test(test_long_texts),
	    cmocka_unit_test(test_refuses_other_vocabularies_by_name),
	    cmocka_unit_test(test_bytes_without_a_token_are_unknown),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER-OF-TOKENS\n", argv[0]);
		return 2;
	}
	folder = argv[1];
	return cmocka_run_group_tests(tests, open_vocabularies, close_vocabularies);
}
