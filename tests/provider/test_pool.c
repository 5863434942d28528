/* The pool from the inside: the launch counter at the ends of its range, where a mistake would otherwise show after
 * hours. */
#include "tests/provider/fixture.h"

#include "runtime/cpu/pool.c" /* NOLINT(bugprone-suspicious-include): to reach what it keeps to itself */

struct counted {
	_Atomic uint32_t *runs;
};

static void count_run(const struct greta_cpu_block *block, const void *args)
{
	const struct counted *counted = args;
	atomic_fetch_add(&counted->runs[block->x], 1);
}

/* Runs launches of 1 to 9 blocks from a generation on, the claim words as they were left `age` generations ago. */
static void run_from(uint32_t generation, uint32_t age, unsigned workers)
{
	enum { NODES = 40, BLOCKS = 9, ROUNDS = 50 };
	struct greta_cpu_pool *pool;
	struct greta_error error = { 0 };
	_Atomic uint32_t runs[BLOCKS] = { 0 };
	struct counted args = { runs };
	struct greta_cpu_node nodes[NODES];
	uint32_t expected[BLOCKS] = { 0 };
	if (greta_cpu_pool_create(workers, workers, 4096, &pool, &error))
		fail_msg("%s", error.message);
	for (uint32_t i = 0; i < NODES; i++) {
		uint32_t blocks = 1 + i * 5 % BLOCKS;
		nodes[i] = (struct greta_cpu_node){ count_run, &args, blocks, 1, 1, blocks };
		for (uint32_t k = 0; k < blocks; k++)
			expected[k] += ROUNDS;
	}
	for (unsigned i = 0; i < workers; i++)
		atomic_store(&pool->workers[i].claim, word_of(generation - age, 0));
	greta_cpu_park_set(&pool->park, &pool->epoch, word_of(generation, 0));
	for (unsigned round = 0; round < ROUNDS; round++)
		greta_cpu_pool_run(pool, nodes, NODES);
	for (uint32_t k = 0; k < BLOCKS; k++)
		assert_int_equal(atomic_load(&runs[k]), expected[k]);
	greta_cpu_pool_destroy(pool);
}

static void generations_wrap(void **state)
{
	(void)state;
	for (size_t t = 0; t < 3; t++) {
		run_from(0xfffffff0, 0, fixture_threads[t]);
		run_from(0xfffffff0, 0x10000, fixture_threads[t]);
		run_from(0x7ffffff0, 0x80000000, fixture_threads[t]);
		/* so old that they bear the next number; but the next launch is one of those that bring words up to
		 * date */
		run_from(0x0000ffff, 0xffffffff, fixture_threads[t]);
		run_from(0xffffffff, 0xffffffff, fixture_threads[t]);
	}
}

/* Every range of every deal: contiguous, ascending, complete. */
static void deals_are_complete(void **state)
{
	(void)state;
	static const uint32_t counts[] = { 1, 2, 3, 7, 64, 1000, 0xffffffff };
	for (uint32_t workers = 1; workers <= 70; workers++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			struct deal deal = { counts[i] / workers, counts[i] % workers };
			uint32_t end = 0;
			for (uint32_t w = 0; w < workers; w++) {
				assert_int_equal(range_end(deal, w) - range_length(deal, w), end);
				end = range_end(deal, w);
			}
			assert_int_equal(end, counts[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generations_wrap),
		cmocka_unit_test(deals_are_complete),
	};
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
