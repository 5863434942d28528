/* The packer against a checker of its own, an exhaustive optimum, and rectangles cut into pieces, whose perfect
 * packing is known to exist. Random tests take a seed: test-pack SEED. */
#include "planner/pack.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 1;

static uint32_t draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

static bool overlap(const struct greta_pack_buffer *a, const struct greta_pack_buffer *b)
{
	bool in_time = a->lower < b->upper && b->lower < a->upper && a->lower < a->upper && b->lower < b->upper;
	return in_time && a->offset < b->offset + b->size && b->offset < a->offset + a->size && a->size && b->size;
}

static void check(const struct greta_pack_buffer *buffers, size_t count, const struct greta_pack_result *result)
{
	uint64_t peak = 0;
	for (size_t i = 0; i < count; i++) {
		const struct greta_pack_buffer *a = &buffers[i];
		if (a->alignment)
			assert_int_equal(a->offset % a->alignment, 0);
		if (a->size && a->lower < a->upper && a->offset + a->size > peak)
			peak = a->offset + a->size;
		for (size_t k = 0; k < i && count < 5000; k++)
			if (overlap(a, &buffers[k]))
				fail_msg("buffers %zu and %zu share bytes", k, i);
	}
	assert_int_equal(peak, result->peak);
	assert_true(result->lower_bound <= peak);
}

/* The least peak over all orders of placing each buffer as low as those placed before it allow. */
static uint64_t least_peak(struct greta_pack_buffer *buffers, size_t placed, size_t count)
{
	uint64_t least = UINT64_MAX;
	if (placed == count) {
		uint64_t peak = 0;
		for (size_t i = 0; i < count; i++)
			if (buffers[i].offset + buffers[i].size > peak)
				peak = buffers[i].offset + buffers[i].size;
		return peak;
	}
	for (size_t i = placed; i < count; i++) {
		struct greta_pack_buffer chosen = buffers[i];
		buffers[i] = buffers[placed];
		chosen.offset = 0;
		for (size_t k = 0; k < placed; k++) {
			uint64_t top = buffers[k].offset + buffers[k].size;
			if (buffers[k].lower < chosen.upper && chosen.lower < buffers[k].upper && top > chosen.offset)
				chosen.offset = (top + chosen.alignment - 1) / chosen.alignment * chosen.alignment;
		}
		buffers[placed] = chosen;
		uint64_t peak = least_peak(buffers, placed + 1, count);
		least = peak < least ? peak : least;
		buffers[placed] = buffers[i];
		buffers[i] = chosen;
	}
	return least;
}

static void test_nothing_and_empty_buffers(void **state)
{
	(void)state;
	struct greta_pack_result result;
	struct greta_pack_buffer buffers[] = {{.size = 0, .lower = 0, .upper = 9}, {.size = 7, .lower = 3, .upper = 3},
	    {.size = 5, .lower = 0, .upper = 4, .offset = 77}};
	assert_int_equal(greta_pack(buffers, 0, NULL, &result, NULL), GRETA_OK);
	assert_int_equal(result.peak, 0);
	assert_true(result.proven);
	assert_int_equal(greta_pack(buffers, 3, NULL, &result, NULL), GRETA_OK);
	check(buffers, 3, &result);
	assert_int_equal(result.peak, 5);
	assert_int_equal(result.lower_bound, 5);
	assert_int_equal(buffers[0].offset, 0);
	assert_int_equal(buffers[2].offset, 0);
}

static void test_lifetimes_are_half_open(void **state)
{
	(void)state;
	struct greta_pack_result result;
	struct greta_pack_buffer buffers[] = {{.size = 8, .lower = 0, .upper = 4}, {.size = 8, .lower = 4, .upper = 5},
	    {.size = 3, .lower = 3, .upper = 5}};
	assert_int_equal(greta_pack(buffers, 3, NULL, &result, NULL), GRETA_OK);
	check(buffers, 3, &result);
	assert_int_equal(result.peak, 11);
	assert_int_equal(result.naive_sum, 19);
	assert_true(result.proven);
}

static void test_alignment_counts_in_the_bound(void **state)
{
	(void)state;
	struct greta_pack_result result;
	struct greta_pack_buffer buffers[] = {{.size = 100, .upper = 1, .alignment = 256},
	    {.size = 300, .upper = 1, .alignment = 256}, {.size = 1, .upper = 1, .alignment = 256}};
	assert_int_equal(greta_pack(buffers, 3, NULL, &result, NULL), GRETA_OK);
	check(buffers, 3, &result);
	assert_int_equal(result.peak, 256 + 512 + 1);
	assert_true(result.proven);
}

static void test_refuses_what_has_no_meaning(void **state)
{
	(void)state;
	struct greta_error error;
	struct greta_pack_result result = {.peak = 42};
	struct greta_pack_buffer backwards[] = {
	    {.size = 1, .upper = 1, .offset = 9}, {.size = 1, .lower = 2, .upper = 1}};
	struct greta_pack_buffer odd[] = {{.size = 1, .upper = 1, .alignment = 24}};
	struct greta_pack_buffer huge[] = {{.size = INT64_MAX - 8, .upper = 1}, {.size = 9, .upper = 1}};
	assert_int_equal(greta_pack(backwards, 2, NULL, &result, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "buffer 1"));
	assert_int_equal(backwards[0].offset, 9);
	assert_int_equal(greta_pack(odd, 1, NULL, &result, &error), GRETA_ERROR_ARGUMENT);
	assert_non_null(strstr(error.message, "24"));
	assert_int_equal(greta_pack(huge, 2, NULL, &result, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(result.peak, 42);
	huge[1].size = 8;
	assert_int_equal(greta_pack(huge, 2, NULL, &result, &error), GRETA_OK);
	assert_int_equal(result.peak, INT64_MAX);
}

static size_t draw_small(struct greta_pack_buffer *buffers, uint64_t *state)
{
	static const uint64_t alignments[] = {1, 1, 1, 2, 4};
	size_t count = 3 + draw(state, 5);
	bool aligned = draw(state, 3) == 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t lower = draw(state, 6);
		buffers[i] = (struct greta_pack_buffer){.size = 1 + draw(state, 9),
		    .lower = lower,
		    .upper = lower + 1 + draw(state, 4),
		    .alignment = aligned ? alignments[draw(state, 5)] : 1};
	}
	return count;
}

/* Also counts the instances whose optimum is above the sum alive, which only a finished search can prove. */
static void test_small_peaks_are_the_least_and_proven(void **state)
{
	(void)state;
	unsigned above = 0;
	for (uint64_t round = 0; round < 3000; round++) {
		uint64_t random = seed + round;
		struct greta_pack_buffer buffers[8], copy[8];
		struct greta_pack_result result, within;
		size_t count = draw_small(buffers, &random);
		memcpy(copy, buffers, sizeof(copy));
		uint64_t least = least_peak(copy, 0, count);
		assert_int_equal(greta_pack(buffers, count, NULL, &result, NULL), GRETA_OK);
		check(buffers, count, &result);
		if (result.peak != least || !result.proven || result.lower_bound != least)
			fail_msg("seed %" PRIu64 ": peak %" PRIu64 " for %" PRIu64, seed + round, result.peak, least);
		above += result.nodes > 0 && least > 1;
		struct greta_pack_options options = {.capacity = least};
		assert_int_equal(greta_pack(buffers, count, &options, &within, NULL), GRETA_OK);
		check(buffers, count, &within);
		assert_true(within.proven && within.peak <= least);
		options.capacity = least - 1;
		assert_int_equal(greta_pack(buffers, count, &options, &within, NULL), GRETA_OK);
		check(buffers, count, &within);
		if (options.capacity && (!within.proven || within.lower_bound <= options.capacity))
			fail_msg("seed %" PRIu64 ": %" PRIu64 " is not refuted", seed + round, options.capacity);
	}
	print_message("seeds %" PRIu64 " to %" PRIu64 ": %u needed a search\n", seed, seed + 2999, above);
	assert_true(above > 20);
}

struct piece {
	uint32_t left, right, bottom, top;
};

/* Cuts piece `at` in two, or into a pinwheel of five, which no straight cut takes apart. */
static size_t cut(struct piece *pieces, size_t count, size_t at, uint64_t *state)
{
	struct piece p = pieces[at];
	uint32_t width = p.right - p.left, height = p.top - p.bottom;
	uint32_t x1 = width > 2 ? p.left + 1 + draw(state, width / 2) : 0,
		 y1 = height > 2 ? p.bottom + 1 + draw(state, height / 2) : 0;
	uint32_t kind = draw(state, 3);
	if (kind == 0 && x1 && y1 && x1 + 1 < p.right && y1 + 1 < p.top) {
		uint32_t x2 = x1 + 1 + draw(state, p.right - x1 - 1), y2 = y1 + 1 + draw(state, p.top - y1 - 1);
		pieces[at] = (struct piece){p.left, x2, p.bottom, y1};
		pieces[count++] = (struct piece){x2, p.right, p.bottom, y2};
		pieces[count++] = (struct piece){x1, p.right, y2, p.top};
		pieces[count++] = (struct piece){p.left, x1, y1, p.top};
		pieces[count++] = (struct piece){x1, x2, y1, y2};
	} else if (kind == 1 && x1) {
		pieces[at].right = x1;
		pieces[count++] = (struct piece){x1, p.right, p.bottom, p.top};
	} else if (y1) {
		pieces[at].top = y1;
		pieces[count++] = (struct piece){p.left, p.right, y1, p.top};
	}
	return count;
}

static size_t cut_rectangle(struct greta_pack_buffer *buffers, size_t wanted, uint64_t *state)
{
	static struct piece pieces[1024];
	size_t count = 1;
	pieces[0] = (struct piece){0, 2000, 0, 1024};
	while (count < wanted) {
		size_t at = draw(state, (uint32_t)count);
		for (int i = 0; i < 3; i++) {
			size_t other = draw(state, (uint32_t)count);
			if ((uint64_t)(pieces[other].right - pieces[other].left) *
				(pieces[other].top - pieces[other].bottom) >
			    (uint64_t)(pieces[at].right - pieces[at].left) * (pieces[at].top - pieces[at].bottom))
				at = other;
		}
		count = cut(pieces, count, at, state);
	}
	for (size_t i = count - 1; i > 0; i--) {
		size_t other = draw(state, (uint32_t)i + 1);
		struct piece piece = pieces[i];
		pieces[i] = pieces[other];
		pieces[other] = piece;
	}
	for (size_t i = 0; i < count; i++)
		buffers[i] = (struct greta_pack_buffer){.size = 1024 * (uint64_t)(pieces[i].top - pieces[i].bottom),
		    .lower = pieces[i].left,
		    .upper = pieces[i].right};
	return count;
}

/* Fixed seeds, whatever the command line says: the search finds these for certain. */
static void test_rebuilds_rectangles_without_waste(void **state)
{
	(void)state;
	static struct greta_pack_buffer buffers[1024];
	unsigned solved = 0, tried = 0;
	for (uint64_t round = 0; round < 24; round++, tried++) {
		uint64_t random = 100 + round;
		struct greta_pack_result result;
		struct greta_pack_options options = {.capacity = 1 << 20, .effort = 100000};
		size_t count = cut_rectangle(buffers, 40 + 8 * round, &random);
		assert_int_equal(greta_pack(buffers, count, &options, &result, NULL), GRETA_OK);
		check(buffers, count, &result);
		assert_int_equal(result.lower_bound, 1 << 20);
		assert_true(result.nodes <= options.effort);
		solved += result.peak == 1 << 20;
	}
	print_message("%u of %u rectangles rebuilt\n", solved, tried);
	assert_int_equal(solved, tried);
}

static void test_same_input_same_offsets(void **state)
{
	(void)state;
	static struct greta_pack_buffer buffers[1024], again[1024];
	uint64_t random = seed;
	struct greta_pack_options options = {.effort = 3000};
	struct greta_pack_result result, result_again;
	size_t count = cut_rectangle(buffers, 300, &random);
	memcpy(again, buffers, sizeof(again));
	for (size_t i = 0; i < count; i++)
		again[i].offset = 12345;
	assert_int_equal(greta_pack(buffers, count, &options, &result, NULL), GRETA_OK);
	assert_int_equal(greta_pack(again, count, &options, &result_again, NULL), GRETA_OK);
	assert_memory_equal(buffers, again, sizeof(buffers));
	assert_int_equal(result.peak, result_again.peak);
	assert_int_equal(result.nodes, result_again.nodes);
}

static void test_large_inputs(void **state)
{
	(void)state;
	size_t count = 100000;
	struct greta_pack_buffer *buffers = calloc(count, sizeof(*buffers));
	struct greta_pack_result result;
	uint64_t random = seed;
	assert_non_null(buffers);
	for (size_t i = 0; i < count; i++) {
		uint32_t lower = draw(&random, 1000000);
		buffers[i] = (struct greta_pack_buffer){.size = 1 + draw(&random, 1 << 20),
		    .lower = lower,
		    .upper = lower + 1 + draw(&random, i % 100 ? 100 : 500000),
		    .alignment = 256};
	}
	assert_int_equal(greta_pack(buffers, count, NULL, &result, NULL), GRETA_OK);
	check(buffers, count, &result);
	assert_true(result.peak < 2 * result.lower_bound);
	/* Neighbours in time among all: the first 4,000 by index are enough to see a sweep that mixes lifetimes up. */
	for (size_t i = 0; i < 4000; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(overlap(&buffers[i], &buffers[k]));
	free(buffers);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_and_empty_buffers),
	    cmocka_unit_test(test_lifetimes_are_half_open),
	    cmocka_unit_test(test_alignment_counts_in_the_bound),
	    cmocka_unit_test(test_refuses_what_has_no_meaning),
	    cmocka_unit_test(test_small_peaks_are_the_least_and_proven),
	    cmocka_unit_test(test_rebuilds_rectangles_without_waste),
	    cmocka_unit_test(test_same_input_same_offsets),
	    cmocka_unit_test(test_large_inputs),
	};
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
