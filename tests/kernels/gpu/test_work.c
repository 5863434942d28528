/* What code of AMD's (argument: gfx942, gfx1100 or gfx1201) executes for a weight when one token is decoded at x32,
 * counted by the simulator: vector instructions, and the width of its loads. Two sizes of one block are run, and the
 * difference taken, so that what is done once does not count. The budgets stand here; a figure beyond its budget
 * fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "planner/lower.h"
#include "tests/kernels/gpu/count.h"

#define SKIPPED 77
#define COLS 4096
#define FORMS_MAX 96

/* Vector instructions a weight: those of the vector unit in all lanes, without the matrix instructions, over the
 * weights.
 * wide: bytes a weight that loads of 16 bytes must bring at least, which is what a tile has in planes of 16-byte
 * vectors (kernels/tile16.h); narrow: those that other loads may bring at most, again and again from the cache: scales,
 * mins, Q5_K's fifth bits. Unquantised weights are read value by value. */
static const struct budget {
	uint32_t types[3];
	double instructions, wide, narrow;
} CDNA_BUDGETS[] = {
    {{GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K}, 3.0, 0.5, 0.3},
    {{GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_0}, 3.0, 0.5, 0.1},
    {{GRETA_TYPE_Q5_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q5_K}, 3.3, 0.5, 0.45},
    {{GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K}, 3.6, 0.75, 0.55},
    {{GRETA_TYPE_Q8_0, GRETA_TYPE_Q8_0, GRETA_TYPE_Q8_0}, 2.5, 1.0, 0.1},
    {{GRETA_TYPE_F16, GRETA_TYPE_F16, GRETA_TYPE_F16}, 12.0, 0.0, 2.1},
    {{GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K}, 3.3, 0.6, 0.5},
};
#define BUDGET_COUNT (sizeof(CDNA_BUDGETS) / sizeof(CDNA_BUDGETS[0]))

/* Two instructions that are issued as one count as one. A line of a tile is also read ahead by a load of four bytes a
 * lane; and on RDNA3 both halves of a wave read the same. */
static const struct budget RDNA_BUDGETS[BUDGET_COUNT] = {
    {{GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K, GRETA_TYPE_Q4_K}, 3.0, 0.5, 0.3},
    {{GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_0}, 5.0, 0.5, 0.1},
    {{GRETA_TYPE_Q5_K, GRETA_TYPE_Q5_K, GRETA_TYPE_Q5_K}, 3.8, 0.5, 0.6},
    {{GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K}, 4.5, 0.75, 0.6},
    {{GRETA_TYPE_Q8_0, GRETA_TYPE_Q8_0, GRETA_TYPE_Q8_0}, 4.0, 1.0, 0.1},
    {{GRETA_TYPE_F16, GRETA_TYPE_F16, GRETA_TYPE_F16}, 12.0, 0.0, 2.1},
    {{GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q6_K}, 3.9, 0.6, 0.5},
};

static const char *target_name = "gfx942";
static const struct budget *budgets = CDNA_BUDGETS;
static double wave = 64;
static uint32_t groups = 2; /* of the smaller size, of each matrix; the larger one has twice as many */
static struct gpu_counter counter;

/* The target with so few compute units that one block has all rows. */
static const struct greta_target *one_block(void)
{
	static struct greta_form forms[FORMS_MAX];
	static struct greta_target target;
	target = *greta_target_find(target_name);
	assert_true(target.form_count <= FORMS_MAX);
	memcpy(forms, target.forms, target.form_count * sizeof(*forms));
	for (size_t i = 0; i < target.form_count; i++)
		forms[i].blocks = forms[i].blocks ? 1 : 0;
	target.forms = forms;
	return &target;
}

static void all_pointers(struct greta_op *op, const char *but)
{
	const struct greta_kernel_info *info = greta_kernel_info(op->kernel);
	uint8_t *args = (uint8_t *)&op->args;
	for (uint32_t f = 0; f < info->field_count && info->fields[f].kind <= GRETA_IO; f++) {
		int given = strcmp(info->fields[f].name, but) != 0;
		op->refs[f].kind = given ? GRETA_REF_VALUE : GRETA_REF_NULL;
		memset(args + info->fields[f].offset, given, sizeof(void *));
	}
}

/* The kernel over `count` groups of 16 rows of each matrix; *out_weights: how many weights these have. */
static struct greta_op operation(enum greta_kernel kernel, const uint32_t types[3], uint32_t count,
                                 uint64_t *out_weights)
{
	struct greta_op op = {.kernel = kernel};
	uint32_t rows = 16 * count, matrices = 1;
	switch (kernel) {
	case GRETA_KERNEL_gate_up:
		op.args.gate_up = (struct greta_gate_up_args){.gate_type = types[0], .up_type = types[1], .rows = rows,
		                                              .cols = COLS, .activations = 4, .chunk = 1, .eps = 1e-5f};
		matrices = 2;
		break;
	case GRETA_KERNEL_qkv:
		op.args.qkv = (struct greta_qkv_args){
		    .q_type = types[0], .k_type = types[1], .v_type = types[2], .heads = count, .kv_heads = count,
		    .head_dim = 16, .cols = COLS, .context = 64, .activations = 4, .chunk = 1, .eps = 1e-5f};
		matrices = 3;
		break;
	case GRETA_KERNEL_lm_head:
		op.args.lm_head = (struct greta_lm_head_args){.rows = rows, .cols = COLS, .type = types[0], .activations = 4,
		                                              .chunk = 1, .eps = 1e-5f};
		break;
	default:
		op.args.product = (struct greta_product_args){.rows = rows, .cols = COLS, .type = types[0], .activations = 4,
		                                              .chunk = 1, .eps = 1e-5f};
		break;
	}
	*out_weights = (uint64_t)matrices * rows * COLS;
	all_pointers(&op, "digits");
	return op;
}

static void run(enum greta_kernel kernel, const uint32_t types[3], uint32_t count, struct sim942_stats *out_stats,
                uint64_t *out_weights, const char **out_symbol)
{
	struct greta_op op = operation(kernel, types, count, out_weights);
	struct greta_lowered lowered;
	struct greta_error error;
	struct greta_state state = {.context = 64, .top_p = 1};
	if (greta_lower(&op, one_block(), &lowered, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	struct gpu_grid grid = {lowered.grid[0], lowered.grid[1], lowered.threads, lowered.shared_bytes};
	if (gpu_count(&counter, kernel, lowered.symbol, &grid, &op.args, &state, out_stats))
		fail_msg("%s: %s", lowered.symbol, counter.error);
	assert_int_equal(lowered.grid[0], 1);
	*out_symbol = lowered.symbol;
}

static int hold(enum greta_kernel kernel, const struct budget *budget)
{
	struct sim942_stats small, large;
	uint64_t few, many;
	const char *symbol;
	run(kernel, budget->types, groups, &small, &few, &symbol);
	run(kernel, budget->types, 2 * groups, &large, &many, &symbol);
	double weights = (double)(many - few), wide = (double)(large.bytes_read_x4 - small.bytes_read_x4) / weights;
	double narrow = (double)(large.bytes_read - small.bytes_read) / weights - wide;
	double instructions = wave * (double)(large.valu - small.valu) / weights;
	int within = instructions <= budget->instructions && wide >= budget->wide && narrow <= budget->narrow;
	printf("%-20s %6.2f (at most %4.1f) %7.3f %6.2f %7.3f (at least %4.2f) %7.3f (at most %4.2f)%s\n", symbol,
	       instructions, budget->instructions, wave * (double)(large.mfma - small.mfma) / weights,
	       wave * (double)(large.lds - small.lds) / weights, wide, budget->wide, narrow, budget->narrow,
	       within ? "" : "  BEYOND ITS BUDGET");
	return within ? 0 : 1;
}

static void test_work_of_a_weight(void **context)
{
	static const enum greta_kernel kernels[] = {GRETA_KERNEL_product, GRETA_KERNEL_gate_up, GRETA_KERNEL_qkv,
	                                            GRETA_KERNEL_lm_head};
	int beyond = 0;
	(void)context;
	printf("of a weight            vector instructions  matrix    LDS  bytes in loads of 16    bytes in other loads\n");
	for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++)
		for (size_t b = 0; b < BUDGET_COUNT; b++) {
			int mixes = kernels[k] == GRETA_KERNEL_gate_up || kernels[k] == GRETA_KERNEL_qkv;
			if (mixes || budgets[b].types[0] == budgets[b].types[1])
				beyond += hold(kernels[k], &budgets[b]);
		}
	assert_int_equal(beyond, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_work_of_a_weight)};
	if (argc > 1)
		target_name = argv[1];
	if (strncmp(target_name, "gfx1", 4) == 0) {
		budgets = RDNA_BUDGETS;
		wave = 32;
		groups = 1; /* each of the waves, which are twice as many, has sums of its own in shared memory */
	}
	if (gpu_counter_init(&counter, target_name)) {
		printf("skipped: %s\n", counter.error);
		return SKIPPED;
	}
	int failed = cmocka_run_group_tests_name("instructions", tests, NULL, NULL);
	gpu_counter_finish(&counter);
	return failed;
}
