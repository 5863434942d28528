/* The GGUF reader on sound files, on every kind of damage it promises to refuse, and on random damage. */
#include "gguf_builder.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void fill_sample(struct builder *b)
{
	int32_t numbers[3] = {-7, 0, 2147483647};
	int64_t far = INT64_MIN;
	double fine = 0.1;
	add_text(b, "general.architecture", "sample");
	add_u32(b, "sample.u32", 4000000000u);
	add_f32(b, "sample.f32", 1.5f);
	add_bool(b, "sample.yes", true);
	add_key(b, "sample.i64", GRETA_GGUF_INT64);
	put(&b->keys, &far, 8);
	add_key(b, "sample.u64", GRETA_GGUF_UINT64);
	put_u64(&b->keys, UINT64_MAX);
	add_key(b, "sample.i8", GRETA_GGUF_INT8);
	put(&b->keys, "\x05", 1);
	add_key(b, "sample.f64", GRETA_GGUF_FLOAT64);
	put(&b->keys, &fine, 8);
	add_array(b, "sample.numbers", GRETA_GGUF_INT32, 3);
	put(&b->keys, numbers, sizeof(numbers));
	add_array(b, "sample.words", GRETA_GGUF_STRING, 3);
	put_string(&b->keys, "one");
	put_string(&b->keys, "");
	put_string(&b->keys, "three");
	add_array(b, "sample.nested", GRETA_GGUF_ARRAY, 2);
	for (int i = 0; i < 2; i++) {
		put_u32(&b->keys, GRETA_GGUF_UINT8);
		put_u64(&b->keys, 4);
		put(&b->keys, "abcd", 4);
	}
	add_tensor(b, "a", GRETA_TYPE_F32, 5, 0, 0xaa);
	add_tensor(b, "b", GRETA_TYPE_Q4_K, 512, 3, 0xbb);
	add_tensor(b, "c", GRETA_TYPE_Q6_K, 256, 64, 0xcc);
}

static void test_reads_a_sound_file(void **state)
{
	(void)state;
	for (uint32_t version = 2; version <= 3; version++) {
		struct builder b;
		struct greta_gguf *gguf = NULL;
		struct greta_error error = {0};
		builder_init(&b);
		b.version = version;
		fill_sample(&b);
		assert_int_equal(builder_open(&b, &gguf, &error), GRETA_OK);

		struct greta_gguf_string text;
		uint32_t u32;
		uint64_t u64;
		float f32;
		bool yes;
		assert_int_equal(greta_gguf_version(gguf), version);
		assert_int_equal(greta_gguf_key_count(gguf), 11);
		assert_true(greta_gguf_string_is(greta_gguf_key(gguf, 1), "sample.u32"));
		assert_string_equal(greta_gguf_kind_name(greta_gguf_key_kind(gguf, 1)), "uint32");
		assert_int_equal(greta_gguf_get_string(gguf, "general.architecture", &text, &error), GRETA_OK);
		assert_true(greta_gguf_string_is(text, "sample"));
		assert_int_equal(greta_gguf_get_u32(gguf, "sample.u32", &u32, &error), GRETA_OK);
		assert_true(u32 == 4000000000u);
		assert_int_equal(greta_gguf_get_u32(gguf, "sample.i8", &u32, &error), GRETA_OK);
		assert_int_equal(u32, 5);
		assert_int_equal(greta_gguf_get_u64(gguf, "sample.u64", &u64, &error), GRETA_OK);
		assert_true(u64 == UINT64_MAX);
		assert_int_equal(greta_gguf_get_f32(gguf, "sample.f32", &f32, &error), GRETA_OK);
		assert_true(f32 == 1.5f);
		assert_int_equal(greta_gguf_get_f32(gguf, "sample.f64", &f32, &error), GRETA_OK);
		assert_true(f32 == 0.1f);
		assert_int_equal(greta_gguf_get_bool(gguf, "sample.yes", &yes, &error), GRETA_OK);
		assert_true(yes);
		assert_int_equal(greta_gguf_get_u32_or(gguf, "sample.absent", 9, &u32, &error), GRETA_OK);
		assert_int_equal(u32, 9);

		struct greta_gguf_array array;
		assert_int_equal(greta_gguf_get_array(gguf, "sample.numbers", &array, &error), GRETA_OK);
		assert_int_equal(array.count, 3);
		assert_int_equal(array.bytes, 12);
		assert_true(greta_gguf_array_int(&array, 0) == -7 && greta_gguf_array_int(&array, 2) == 2147483647);
		assert_true(greta_gguf_array_float(&array, 0) == -7.0);
		assert_int_equal(greta_gguf_get_array(gguf, "sample.words", &array, &error), GRETA_OK);
		static const char *const WORDS[] = {"one", "", "three"};
		for (int i = 0; i < 3; i++) {
			assert_true(greta_gguf_array_next_string(&array, &text));
			assert_true(greta_gguf_string_is(text, WORDS[i]));
		}
		assert_false(greta_gguf_array_next_string(&array, &text));
		assert_int_equal(array.bytes, 0);

		assert_int_equal(greta_gguf_tensor_count(gguf), 3);
		const struct greta_gguf_tensor *tensor = greta_gguf_find(gguf, "b");
		assert_ptr_equal(tensor, greta_gguf_tensor(gguf, 1));
		assert_int_equal(tensor->type->type, GRETA_TYPE_Q4_K);
		assert_int_equal(tensor->n_dims, 2);
		assert_true(tensor->dims[0] == 512 && tensor->dims[1] == 3 && tensor->dims[2] == 1);
		assert_int_equal(tensor->bytes, 3 * 2 * 144);
		assert_ptr_equal(tensor->data, (const char *)greta_gguf_data(gguf) + tensor->offset);
		assert_int_equal(*(const unsigned char *)tensor->data, 0xbb);
		assert_int_equal(greta_gguf_data_offset(gguf) % 32, 0);
		assert_null(greta_gguf_find(gguf, "d"));
		greta_gguf_close(gguf);
		builder_free(&b);
	}
}

static void test_lookups_say_what_is_wrong(void **state)
{
	(void)state;
	struct builder b;
	struct greta_gguf *gguf = NULL;
	struct greta_error error = {0};
	uint32_t u32 = 77;
	uint64_t u64;
	bool yes;
	struct greta_gguf_array array;
	struct greta_gguf_string text;
	builder_init(&b);
	fill_sample(&b);
	assert_int_equal(builder_open(&b, &gguf, &error), GRETA_OK);
	assert_int_equal(greta_gguf_get_u32(gguf, "sample.absent", &u32, &error), GRETA_ERROR_FORMAT);
	assert_string_equal(error.message, "test.gguf: key sample.absent is missing");
	assert_int_equal(greta_gguf_get_u32(gguf, "sample.u64", &u32, &error), GRETA_ERROR_FORMAT);
	assert_string_equal(error.message,
			    "test.gguf: key sample.u64: 18446744073709551615 is not within 0 to 4294967295");
	assert_int_equal(greta_gguf_get_u64(gguf, "sample.i64", &u64, &error), GRETA_ERROR_FORMAT);
	assert_string_equal(
	    error.message,
	    "test.gguf: key sample.i64: -9223372036854775808 is not within 0 to 18446744073709551615");
	assert_int_equal(greta_gguf_get_u32(gguf, "sample.f32", &u32, &error), GRETA_ERROR_FORMAT);
	assert_string_equal(error.message,
			    "test.gguf: key sample.f32 is of type float32, where an integer is expected");
	assert_int_equal(greta_gguf_get_bool(gguf, "sample.u32", &yes, &error), GRETA_ERROR_FORMAT);
	assert_int_equal(greta_gguf_get_array(gguf, "sample.u32", &array, &error), GRETA_ERROR_FORMAT);
	assert_int_equal(greta_gguf_get_string(gguf, "sample.u32", &text, &error), GRETA_ERROR_FORMAT);
	assert_int_equal(u32, 77);
	greta_gguf_close(gguf);
	builder_free(&b);
}

/* One row: how to damage the sample (before or after it is joined), and what the message must contain. */
struct damage {
	const char *name;
	void (*before)(struct builder *);
	void (*after)(struct builder *);
	enum greta_status status;
	const char *message;
};

static void wrong_magic(struct builder *b) { memcpy(b->magic, "GGML", 4); }
static void version_1(struct builder *b) { b->version = 1; }
static void version_4(struct builder *b) { b->version = 4; }
static void big_endian(struct builder *b) { b->version = 0x03000000; }
static void many_keys(struct builder *b) { b->n_keys = UINT64_MAX; }
static void many_tensors(struct builder *b) { b->n_tensors = UINT64_C(1) << 60; }
static void one_more_key(struct builder *b) { b->n_keys++; }
static void same_key(struct builder *b) { add_u32(b, "sample.u32", 1); }
static void same_tensor(struct builder *b) { add_tensor(b, "b", GRETA_TYPE_F32, 8, 0, 0); }
static void empty_key(struct builder *b) { add_u32(b, "", 1); }
static void unprintable_key(struct builder *b) { add_u32(b, "a\nb", 1); }
static void unknown_kind(struct builder *b) { add_key(b, "sample.odd", 13); }
static void unknown_element(struct builder *b) { add_array(b, "sample.odd", 99, 1); }
static void long_array(struct builder *b) { add_array(b, "sample.long", GRETA_GGUF_UINT64, UINT64_C(1) << 61); }
static void long_array_array(struct builder *b) { add_array(b, "sample.long", GRETA_GGUF_ARRAY, UINT64_MAX); }
static void alignment_48(struct builder *b) { add_u32(b, "general.alignment", 48); }
static void alignment_0(struct builder *b) { add_u32(b, "general.alignment", 0); }
static void alignment_text(struct builder *b) { add_text(b, "general.alignment", "32"); }

static void deep_array(struct builder *b)
{
	add_array(b, "sample.deep", GRETA_GGUF_ARRAY, 1);
	for (int i = 0; i < 100; i++) {
		put_u32(&b->keys, GRETA_GGUF_ARRAY);
		put_u64(&b->keys, 1);
	}
}

static void long_string(struct builder *b)
{
	add_key(b, "sample.long", GRETA_GGUF_STRING);
	put_u64(&b->keys, UINT64_MAX - 3);
}

static void info(struct builder *b, uint32_t n_dims, uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3, uint32_t type,
		 uint64_t offset)
{
	add_tensor_info(b, "odd", n_dims, (uint64_t[5]){d0, d1, d2, d3, 1}, type, offset);
}

static void no_dims(struct builder *b) { info(b, 0, 0, 0, 0, 0, 0, 0); }
static void five_dims(struct builder *b) { info(b, 5, 1, 1, 1, 1, 0, 0); }
static void zero_dim(struct builder *b) { info(b, 2, 8, 0, 0, 0, 0, 0); }
static void huge_dims(struct builder *b) { info(b, 3, UINT64_C(1) << 32, UINT64_C(1) << 31, 2, 0, 0, 0); }
static void huge_bytes(struct builder *b) { info(b, 1, UINT64_C(1) << 62, 0, 0, 0, 0, 0); }
static void part_block(struct builder *b) { info(b, 2, 128, 2, 0, 0, GRETA_TYPE_Q4_K, 0); }
static void type_q3_k(struct builder *b) { info(b, 2, 256, 2, 0, 0, 11, 0); }
static void odd_offset(struct builder *b) { info(b, 1, 4, 0, 0, 0, 0, 16); }
static void far_offset(struct builder *b) { info(b, 1, 4, 0, 0, 0, 0, UINT64_MAX - 31); }
static void past_end(struct builder *b) { info(b, 1, 4000000, 0, 0, 0, 0, 0); }
static void overlap(struct builder *b) { info(b, 1, 16, 0, 0, 0, 0, 32); }
static void overlap_same(struct builder *b) { info(b, 1, 1, 0, 0, 0, 0, 0); }

static void cut_data(struct builder *b) { b->file.length--; }
static void cut_header(struct builder *b) { b->file.length = 20; }
static void cut_magic(struct builder *b) { b->file.length = 3; }
static void cut_keys(struct builder *b) { b->file.length = 24 + 8 + 20 + 4 + 8; }

static const struct damage DAMAGES[] = {
    {"magic", wrong_magic, NULL, GRETA_ERROR_FORMAT, "test.gguf: not a GGUF file"},
    {"version 1", version_1, NULL, GRETA_ERROR_UNSUPPORTED, "GGUF version 1 is not supported"},
    {"version 4", version_4, NULL, GRETA_ERROR_UNSUPPORTED, "GGUF version 4 is not supported"},
    {"big-endian", big_endian, NULL, GRETA_ERROR_UNSUPPORTED, "big-endian"},
    {"key count", many_keys, NULL, GRETA_ERROR_FORMAT, "18446744073709551615 keys"},
    {"tensor count", many_tensors, NULL, GRETA_ERROR_FORMAT, "1152921504606846976 tensors"},
    {"one key more", one_more_key, NULL, GRETA_ERROR_FORMAT, "tensor 0 has an empty name"},
    {"same key", same_key, NULL, GRETA_ERROR_FORMAT, "key sample.u32 appears twice"},
    {"same tensor", same_tensor, NULL, GRETA_ERROR_FORMAT, "tensor b appears twice"},
    {"empty key", empty_key, NULL, GRETA_ERROR_FORMAT, "key 11 has an empty name"},
    {"unprintable key", unprintable_key, NULL, GRETA_ERROR_FORMAT, "name of key 11 is not printable"},
    {"kind", unknown_kind, NULL, GRETA_ERROR_FORMAT, "key 11 sample.odd: value type 13"},
    {"element kind", unknown_element, NULL, GRETA_ERROR_FORMAT, "key 11 sample.odd: value type 99"},
    {"long array", long_array, NULL, GRETA_ERROR_FORMAT, "key 11 sample.long: reaches beyond the end"},
    {"long array of arrays", long_array_array, NULL, GRETA_ERROR_FORMAT, "sample.long: reaches beyond the end"},
    {"deep array", deep_array, NULL, GRETA_ERROR_UNSUPPORTED, "sample.deep: arrays nested more than 4 deep"},
    {"long string", long_string, NULL, GRETA_ERROR_FORMAT, "sample.long: reaches beyond the end"},
    {"alignment 48", alignment_48, NULL, GRETA_ERROR_FORMAT, "general.alignment: 48 is not a power of two"},
    {"alignment 0", alignment_0, NULL, GRETA_ERROR_FORMAT, "general.alignment: 0 is not a power of two"},
    {"alignment kind", alignment_text, NULL, GRETA_ERROR_FORMAT, "general.alignment is of type string"},
    {"no dimensions", no_dims, NULL, GRETA_ERROR_FORMAT, "tensor 3 odd: 0 dimensions"},
    {"five dimensions", five_dims, NULL, GRETA_ERROR_FORMAT, "tensor 3 odd: 5 dimensions"},
    {"zero dimension", zero_dim, NULL, GRETA_ERROR_FORMAT, "tensor 3 odd: dimension 1 is zero"},
    {"product of dimensions", huge_dims, NULL, GRETA_ERROR_FORMAT, "multiply to more than 64 bits"},
    {"bytes of tensor", huge_bytes, NULL, GRETA_ERROR_FORMAT, "multiply to more than 64 bits"},
    {"part of a block", part_block, NULL, GRETA_ERROR_FORMAT, "rows of 128 values are not whole Q4_K blocks of 256"},
    {"tensor type", type_q3_k, NULL, GRETA_ERROR_UNSUPPORTED, "tensor 3 odd: type 11 is not supported"},
    {"unaligned offset", odd_offset, NULL, GRETA_ERROR_FORMAT, "tensor 3 odd: offset 16 is not a multiple"},
    {"offset beyond the file", far_offset, NULL, GRETA_ERROR_FORMAT, "tensor 3 odd: reaches beyond the end"},
    {"tensor beyond the file", past_end, NULL, GRETA_ERROR_FORMAT, "tensor 3 odd: reaches beyond the end"},
    {"overlap", overlap, NULL, GRETA_ERROR_FORMAT, "overlap"},
    {"same offset", overlap_same, NULL, GRETA_ERROR_FORMAT, "overlap"},
    {"data cut", NULL, cut_data, GRETA_ERROR_FORMAT, "tensor 2 c: reaches beyond the end"},
    {"header cut", NULL, cut_header, GRETA_ERROR_FORMAT, "the file ends inside header field"},
    {"magic cut", NULL, cut_magic, GRETA_ERROR_FORMAT, "not a GGUF file"},
    {"keys cut", NULL, cut_keys, GRETA_ERROR_FORMAT, "too short for"},
};

static void test_refuses_every_damage_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(DAMAGES) / sizeof(DAMAGES[0]); i++) {
		const struct damage *damage = &DAMAGES[i];
		struct builder b;
		struct greta_gguf *gguf = NULL;
		struct greta_error error = {0};
		builder_init(&b);
		fill_sample(&b);
		if (damage->before)
			damage->before(&b);
		builder_finish(&b);
		if (damage->after)
			damage->after(&b);
		/* in a block of its exact size, so that the sanitizer sees a read beyond it */
		void *copy = malloc(b.file.length);
		assert_non_null(copy);
		memcpy(copy, b.file.data, b.file.length);
		enum greta_status status =
		    greta_gguf_open_memory(copy, b.file.length, "test.gguf", &gguf, &error);
		if (status != damage->status || !strstr(error.message, damage->message))
			fail_msg("%s: status %d, message: %s", damage->name, status, error.message);
		assert_null(gguf);
		free(copy);
		builder_free(&b);
	}
}

static void test_any_alignment_and_no_tensors(void **state)
{
	(void)state;
	for (uint32_t alignment = 8; alignment <= 4096; alignment *= 2) {
		struct builder b;
		struct greta_gguf *gguf = NULL;
		struct greta_error error = {0};
		builder_init(&b);
		b.alignment = alignment;
		fill_sample(&b);
		add_u32(&b, "general.alignment", alignment);
		assert_int_equal(builder_open(&b, &gguf, &error), GRETA_OK);
		assert_int_equal(greta_gguf_alignment(gguf), alignment);
		assert_int_equal(*(const unsigned char *)greta_gguf_find(gguf, "c")->data, 0xcc);
		greta_gguf_close(gguf);
		builder_free(&b);
	}
	struct builder b;
	struct greta_gguf *gguf = NULL;
	struct greta_error error = {0};
	builder_init(&b);
	add_u32(&b, "x", 1);
	builder_finish(&b);
	b.file.length = 24 + 8 + 1 + 4 + 4; /* not even padded */
	assert_int_equal(greta_gguf_open_memory(b.file.data, b.file.length, "test.gguf", &gguf, &error), GRETA_OK);
	assert_int_equal(greta_gguf_data_offset(gguf), b.file.length);
	greta_gguf_close(gguf);
	builder_free(&b);
}

static void test_opens_files(void **state)
{
	(void)state;
	struct builder b;
	struct greta_gguf *gguf = NULL;
	struct greta_error error = {0};
	char path[] = "/tmp/greta-test-gguf-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(greta_gguf_open(path, &gguf, &error), GRETA_ERROR_FORMAT);
	assert_non_null(strstr(error.message, "empty"));
	builder_init(&b);
	fill_sample(&b);
	builder_finish(&b);
	assert_int_equal(write(file, b.file.data, b.file.length), (ssize_t)b.file.length);
	close(file);
	assert_int_equal(greta_gguf_open(path, &gguf, &error), GRETA_OK);
	assert_string_equal(greta_gguf_path(gguf), path);
	assert_int_equal(greta_gguf_size(gguf), b.file.length);
	greta_gguf_close(gguf);
	greta_gguf_close(NULL);
	unlink(path);
	gguf = NULL;
	assert_int_equal(greta_gguf_open(path, &gguf, &error), GRETA_ERROR_IO);
	assert_non_null(strstr(error.message, path));
	assert_int_equal(greta_gguf_open("/tmp", &gguf, &error), GRETA_ERROR_FORMAT);
	assert_non_null(strstr(error.message, "a directory"));
	assert_null(gguf);
	builder_free(&b);
}

static void fingerprint_of(struct builder *b, uint8_t out[GRETA_FINGERPRINT_BYTES])
{
	struct greta_gguf *gguf = NULL;
	struct greta_error error = {0};
	assert_int_equal(greta_gguf_open_memory(b->file.data, b->file.length, "test.gguf", &gguf, &error), GRETA_OK);
	greta_gguf_fingerprint(gguf, out);
	greta_gguf_close(gguf);
}

/* Tensor c has 64 * 210 = 13,440 bytes at the end of the file: its middle is not looked at, all else is. */
static void test_fingerprint_sees_what_it_promises(void **state)
{
	(void)state;
	struct builder b;
	uint8_t first[GRETA_FINGERPRINT_BYTES], now[GRETA_FINGERPRINT_BYTES];
	builder_init(&b);
	fill_sample(&b);
	builder_finish(&b);
	fingerprint_of(&b, first);
	fingerprint_of(&b, now);
	assert_memory_equal(first, now, sizeof(now));

	size_t end = b.file.length, c = end - 13440, b_middle = c - 500;
	size_t value_of_f32 = 0;
	for (size_t i = 0; i + 10 < end; i++)
		if (memcmp(b.file.data + i, "sample.f32", 10) == 0)
			value_of_f32 = i + 10 + 4;
	const size_t seen[] = {value_of_f32, b_middle, c, c + 4095, end - 4096, end - 1};
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		b.file.data[seen[i]] ^= 1;
		fingerprint_of(&b, now);
		assert_memory_not_equal(first, now, sizeof(now));
		b.file.data[seen[i]] ^= 1;
	}
	b.file.data[c + 4096] ^= 1;
	fingerprint_of(&b, now);
	assert_memory_equal(first, now, sizeof(now));
	b.file.data[c + 4096] ^= 1;
	put(&b.file, "", 1);
	fingerprint_of(&b, now);
	assert_memory_not_equal(first, now, sizeof(now));
	builder_free(&b);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uses all that an open file offers; any wild access is the sanitizer's to see. */
static unsigned walk(const struct greta_gguf *gguf)
{
	uint8_t fingerprint[GRETA_FINGERPRINT_BYTES];
	unsigned sum = 0;
	for (size_t i = 0; i < greta_gguf_key_count(gguf); i++) {
		struct greta_gguf_string key = greta_gguf_key(gguf, i), text;
		struct greta_gguf_array array;
		char name[64];
		snprintf(name, sizeof(name), "%.*s", GRETA_GGUF_PRINT(key));
		if (key.length < sizeof(name))
			assert_true(greta_gguf_has(gguf, name));
		if (!greta_gguf_get_string(gguf, name, &text, NULL) && text.length)
			sum += (unsigned char)text.data[0] + (unsigned char)text.data[text.length - 1];
		if (greta_gguf_get_array(gguf, name, &array, NULL))
			continue;
		if (array.kind == GRETA_GGUF_STRING)
			while (greta_gguf_array_next_string(&array, &text))
				sum += text.length ? (unsigned char)text.data[text.length - 1] : 0;
		else if (array.kind != GRETA_GGUF_ARRAY)
			for (size_t n = 0; n < array.count; n++)
				sum += greta_gguf_array_float(&array, n) > 0;
	}
	for (size_t i = 0; i < greta_gguf_tensor_count(gguf); i++) {
		const struct greta_gguf_tensor *tensor = greta_gguf_tensor(gguf, i);
		const unsigned char *data = tensor->data;
		assert_true(tensor->bytes > 0);
		sum += data[0] + data[tensor->bytes - 1];
	}
	greta_gguf_fingerprint(gguf, fingerprint);
	return sum + fingerprint[0];
}

/* `damaged` has room for `length` bytes; returns how many are left. */
static size_t damage_at_random(uint64_t *random, unsigned char *damaged, size_t length, size_t metadata)
{
	unsigned times = 1 + next_random(random) % 3;
	for (unsigned i = 0; i < times; i++) {
		/* mostly in the metadata, where the structure is */
		size_t range = next_random(random) % 8 ? metadata : length;
		size_t at = next_random(random) % range, other = next_random(random) % range;
		unsigned char field[8];
		switch (next_random(random) % 5) {
		case 0:
			damaged[at] ^= (unsigned char)(1u << next_random(random) % 8);
			break;
		case 1:
			damaged[at] = (unsigned char)next_random(random);
			break;
		case 2:
			if (at + 8 <= length && other + 8 <= length) {
				memcpy(field, damaged + at, 8);
				memmove(damaged + at, damaged + other, 8);
				memcpy(damaged + other, field, 8);
			}
			break;
		case 3:
			if (at + 8 <= length)
				memset(damaged + at, next_random(random) % 2 ? 0xff : 0, 8);
			break;
		default:
			if (times == 1)
				return at + 1;
		}
	}
	return length;
}

static void test_random_damage_never_crashes(void **state)
{
	(void)state;
	const char *given = getenv("GRETA_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 1;
	unsigned refused = 0, opened = 0, sum = 0;
	struct builder b;
	builder_init(&b);
	fill_sample(&b);
	builder_finish(&b);
	size_t metadata = b.file.length - b.data.length;
	for (uint64_t round = 0; round < 10000; round++) {
		uint64_t random = seed + round;
		unsigned char *damaged = malloc(b.file.length);
		assert_non_null(damaged);
		memcpy(damaged, b.file.data, b.file.length);
		size_t length = damage_at_random(&random, damaged, b.file.length, metadata);
		unsigned char *exact = realloc(damaged, length);
		assert_non_null(exact);
		struct greta_gguf *gguf = NULL;
		struct greta_error error = {0};
		enum greta_status status = greta_gguf_open_memory(exact, length, "damaged", &gguf, &error);
		if (status) {
			if (error.status != status || strncmp(error.message, "damaged: ", 9) != 0)
				fail_msg("seed %" PRIu64 ": status %d without its message", seed + round, status);
			refused++;
		} else {
			sum += walk(gguf);
			opened++;
		}
		greta_gguf_close(gguf);
		free(exact);
	}
	print_message("seeds %" PRIu64 " to %" PRIu64 ": %u refused, %u opened and walked (sum %u)\n", seed,
		      seed + 9999, refused, opened, sum);
	assert_true(refused > 1000 && opened > 100);
	builder_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_a_sound_file),
	    cmocka_unit_test(test_lookups_say_what_is_wrong),
	    cmocka_unit_test(test_refuses_every_damage_by_name),
	    cmocka_unit_test(test_any_alignment_and_no_tensors),
	    cmocka_unit_test(test_opens_files),
	    cmocka_unit_test(test_fingerprint_sees_what_it_promises),
	    cmocka_unit_test(test_random_damage_never_crashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
