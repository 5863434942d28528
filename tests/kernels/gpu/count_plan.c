/* count-plan PLAN [POSITION]: what the launches of a gfx942 plan's decode program execute at a position (default 127),
 * counted in the simulator, one JSON object a line and launch. Blocks that differ in x alone execute the same but for
 * the last, so that one of them is run and counts for all; where they share the rows by the grid's size, all are
 * run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/plan.h"
#include "tests/kernels/gpu/count.h"

#define ARGS_WORDS 32

/* A launch that was counted; equal ones are not run again. */
struct counted {
	const struct greta_plan_launch *launch;
	uint64_t args[ARGS_WORDS];
	struct sim942_stats stats;
	uint32_t runs; /* of what `stats` counts, in the launch */
};

/* The arguments with 1 in place of every pointer that is given. */
static void plain_args(const struct greta_plan *plan, const struct greta_plan_launch *l, uint64_t args[ARGS_WORDS])
{
	memset(args, 0, ARGS_WORDS * sizeof(*args));
	memcpy(args, plan->args + l->args, l->args_bytes);
	for (uint32_t r = 0; r < l->reloc_count; r++)
		args[plan->relocs[l->first_reloc + r].field / 8] = 1;
}

static int same(const struct greta_plan *plan, const struct counted *a, const struct greta_plan_launch *l,
                const uint64_t args[ARGS_WORDS])
{
	return a->launch->kernel == l->kernel && memcmp(a->launch->grid, l->grid, sizeof(l->grid)) == 0 &&
	       memcmp(a->launch->block, l->block, sizeof(l->block)) == 0 &&
	       a->launch->shared_bytes == l->shared_bytes &&
	       strcmp(greta_plan_string(plan, a->launch->symbol), greta_plan_string(plan, l->symbol)) == 0 &&
	       memcmp(a->args, args, sizeof(a->args)) == 0;
}

static int count(struct gpu_counter *counter, const struct greta_plan *plan, const struct greta_plan_launch *l,
                 uint32_t position, struct counted *out)
{
	int whole = strcmp(greta_plan_string(plan, l->symbol), "greta_qkv_k") == 0;
	struct gpu_grid grid = {whole ? l->grid[0] : 1, l->grid[1], l->block[0], l->shared_bytes};
	struct greta_state state = {.position = position, .context = plan->header->context, .top_p = 1};
	out->launch = l;
	out->runs = whole ? 1 : l->grid[0];
	return gpu_count(counter, (enum greta_kernel)l->kernel, greta_plan_string(plan, l->symbol), &grid, out->args,
	                 &state, &out->stats);
}

static void print(const struct greta_plan *plan, uint32_t index, const struct counted *c)
{
	const struct greta_plan_launch *l = c->launch;
	unsigned long long runs = c->runs, blocks = (unsigned long long)l->grid[0] * l->grid[1];
	unsigned long long all[] = {c->stats.valu, c->stats.mfma, c->stats.lds, c->stats.vmem,
	                            c->stats.waves, c->stats.bytes_read};
	printf("{\"launch\": %u, \"symbol\": \"%s\", \"blocks\": %llu, \"valu\": %llu, \"mfma\": %llu, \"lds\": %llu, "
	       "\"vmem\": %llu, \"waves\": %llu, \"bytes_read\": %llu}\n",
	       index, greta_plan_string(plan, l->symbol), blocks, runs * all[0], runs * all[1], runs * all[2],
	       runs * all[3], runs * all[4], runs * all[5]);
}

static int count_all(struct gpu_counter *counter, const struct greta_plan *plan, uint32_t position)
{
	const struct greta_plan_program *program = plan->programs;
	while (program->kind != GRETA_PROGRAM_DECODE) /* every plan has one */
		program++;
	struct counted *counted = calloc(program->launch_count, sizeof(*counted));
	size_t count_of_counted = 0;
	int status = counted ? 0 : -1;
	for (uint32_t i = 0; i < program->launch_count && !status; i++) {
		const struct greta_plan_launch *l = &plan->launches[program->first_launch + i];
		struct counted *next = &counted[count_of_counted], *found = counted;
		plain_args(plan, l, next->args);
		while (found < next && !same(plan, found, l, next->args))
			found++;
		if (found == next) {
			status = count(counter, plan, l, position, next);
			count_of_counted++;
		}
		if (!status)
			print(plan, i, found);
	}
	free(counted);
	return status;
}

int main(int argc, char **argv)
{
	struct greta_error error;
	struct greta_plan plan;
	struct gpu_counter counter;
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: count-plan PLAN [POSITION]\n");
		return 2;
	}
	if (greta_plan_open(argv[1], &plan, &error) != GRETA_OK) {
		fprintf(stderr, "count-plan: %s\n", error.message);
		return 1;
	}
	int status = strcmp(plan.header->target, "gfx942") == 0 ? gpu_counter_init(&counter, "gfx942") : -1;
	if (strcmp(plan.header->target, "gfx942") != 0)
		counter = (struct gpu_counter){.error = "the plan is for another target than gfx942"};
	if (!status)
		status = count_all(&counter, &plan, argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 127);
	if (status)
		fprintf(stderr, "count-plan: %s\n", counter.error);
	gpu_counter_finish(&counter);
	greta_plan_close(&plan);
	return status ? 1 : 0;
}
