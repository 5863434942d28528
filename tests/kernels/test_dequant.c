/* The reference's view of weight blocks: its values against an independent decoder's (dequant_vectors.py), bit for bit,
 * and the layout rows16 against the raw one. */
#include "tests/kernels/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ref/dequant.h"
#include "kernels/rows16.h"

#define VALUES 256

static const uint32_t QUANTISED[] = {GRETA_TYPE_Q4_0, GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K};
#define QUANTISED_COUNT (sizeof(QUANTISED) / sizeof(QUANTISED[0]))

static const char *vectors_path;

static void test_values_are_those_of_an_independent_decoder(void **context)
{
	(void)context;
	FILE *file = fopen(vectors_path, "rb");
	char provenance[200];
	uint32_t head[3], records[256] = {0};
	assert_non_null(file);
	assert_non_null(fgets(provenance, sizeof(provenance), file));
	while (fread(head, sizeof(head), 1, file) == 1) {
		uint32_t type = head[0], bytes = head[2];
		uint32_t expected[VALUES], actual[VALUES];
		const struct greta_type_info *info = greta_type_info(type);
		assert_non_null(info);
		assert_int_equal(head[1], VALUES);
		assert_int_equal(bytes, VALUES / info->block_values * info->block_bytes);
		uint8_t *raw = check_alloc(bytes);
		float *values = check_alloc(sizeof(actual));
		assert_int_equal(fread(raw, bytes, 1, file), 1);
		assert_int_equal(fread(expected, sizeof(expected), 1, file), 1);
		greta_ref_dequantise(type, raw, VALUES, values);
		memcpy(actual, values, sizeof(actual));
		for (size_t i = 0; i < VALUES; i++)
			if (expected[i] != actual[i])
				fail_msg("%s, record %u: value %zu is %08x, the independent decoder has %08x",
				         info->name, records[type], i, actual[i], expected[i]);
		records[type]++;
		check_free(values);
		check_free(raw);
	}
	assert_true(feof(file));
	fclose(file);
#define X(name, id, spelling, values, bytes) assert_in_range(records[id], 10, 100);
	GRETA_TYPES(X)
#undef X
}

/* A vector of blocks shorter than 256 values, as an embedding table's row of Q8_0 may end. */
static void test_values_of_single_blocks_are_those_of_the_whole(void **context)
{
	(void)context;
	for (size_t k = 0; k < QUANTISED_COUNT; k++) {
		const struct greta_type_info *info = greta_type_info(QUANTISED[k]);
		size_t bytes = (size_t)VALUES / info->block_values * info->block_bytes;
		uint8_t *raw = check_alloc(bytes);
		for (size_t i = 0; i < bytes; i++)
			raw[i] = (uint8_t)check_random();
		float *whole = check_alloc(VALUES * 4), *parts = check_alloc(VALUES * 4);
		greta_ref_dequantise(info->type, raw, VALUES, whole);
		for (uint32_t b = 0; b < VALUES / info->block_values; b++) {
			uint8_t *block = check_alloc(info->block_bytes);
			memcpy(block, raw + (size_t)b * info->block_bytes, info->block_bytes);
			greta_ref_dequantise(info->type, block, info->block_values,
			                     parts + (size_t)b * info->block_values);
			check_free(block);
		}
		check_same(info->name, "values block by block", whole, parts, VALUES * 4);
		check_free(whole);
		check_free(parts);
		check_free(raw);
	}
}

/* Packs `groups` groups in two ranges, the later one first. */
static void pack_in_two_ranges(uint32_t type, uint32_t rows, uint32_t cols, const void *raw, uint32_t groups, void *out)
{
	uint32_t middle = check_below(groups + 1);
	greta_rows16_pack(type, rows, cols, raw, middle, groups, out);
	greta_rows16_pack(type, rows, cols, raw, 0, middle, out);
}

static void test_rows16_holds_the_same_runs_as_raw(void **context)
{
	(void)context;
	for (int run = 0; run < 60; run++) {
		const struct greta_type_info *info = greta_type_info(QUANTISED[(size_t)run % QUANTISED_COUNT]);
		uint32_t rows = check_between(1, 50), blocks = check_between(1, 9), cols = blocks * 256;
		uint32_t groups = (rows + 15) / 16;
		size_t raw_bytes = (size_t)rows * cols / info->block_values * info->block_bytes;
		uint8_t *raw = check_alloc(raw_bytes);
		uint8_t *packed = check_alloc(groups * greta_rows16_group_bytes(info->type, cols));
		for (size_t i = 0; i < raw_bytes; i++)
			raw[i] = (uint8_t)check_random();
		pack_in_two_ranges(info->type, rows, cols, raw, groups, packed);
		for (uint32_t row = 0; row < groups * 16; row++)
			for (uint32_t b = 0; b < blocks; b++) {
				struct greta_ref_run expected, actual;
				greta_ref_run_at(info->type, GRETA_LAYOUT_ROWS16, packed, cols, row, b, &actual);
				if (row < rows) {
					greta_ref_run_at(info->type, GRETA_LAYOUT_RAW, raw, cols, row, b, &expected);
					check_same(info->name, "run out of rows16", &expected, &actual,
					           sizeof(expected));
				} else {
					const uint16_t none[8] = {0};
					assert_memory_equal(actual.d, none, sizeof(none));
					assert_int_equal(actual.dmin, 0);
				}
			}
		check_free(packed);
		check_free(raw);
	}
}

static void test_rows16_is_offered_for_every_quantised_type(void **context)
{
	(void)context;
#define X(name, id, spelling, values, bytes) assert_int_equal(greta_rows16_words(id) != 0, (values) > 1);
	GRETA_TYPES(X)
#undef X
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_are_those_of_an_independent_decoder),
	    cmocka_unit_test(test_values_of_single_blocks_are_those_of_the_whole),
	    cmocka_unit_test(test_rows16_holds_the_same_runs_as_raw),
	    cmocka_unit_test(test_rows16_is_offered_for_every_quantised_type),
	};
	if (argc < 2) {
		fprintf(stderr, "usage: %s dequant_vectors.bin [--seed N]\n", argv[0]);
		return 2;
	}
	vectors_path = argv[1];
	check_start(argc, argv);
	return cmocka_run_group_tests_name("dequantisation", tests, NULL, NULL);
}
