/* The bench's own kernels as gfx942 machine code in the simulator: read_rate reads every byte once, 16 at a time,
 * also by way of the calls that measure the read rate. Skipped where the build has none, or nothing here takes the code
 * apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/device_read_rate.h"
#include "kernels/gpu/bench.h"
#include "kernels/gpu/image_table.h"
#include "sim942.h"
#include "tests/provider/sim.h"

#define SKIPPED 77
#define THREADS 256
#define BLOCKS  3

static const struct greta_gpu_image *image;
static struct sim942_code *code;

static void run(const char *name, const void *args, size_t bytes, uint32_t blocks, struct sim942_stats *out_stats)
{
	const struct sim942_kernel *kernel = sim942_kernel_by_name(code, name);
	const struct sim942_arg *places;
	char why[1024];
	assert_non_null(kernel);
	assert_true(sim942_kernel_args(kernel, &places) > 0);
	assert_int_equal(places[0].size, bytes);
	uint8_t *kernarg = calloc(1, kernel->kernarg_bytes);
	assert_non_null(kernarg);
	memcpy(kernarg + places[0].offset, args, bytes);
	struct sim942_dispatch dispatch = {.descriptor = kernel->descriptor,
	                                   .grid = {blocks * THREADS, 1, 1},
	                                   .workgroup = {THREADS, 1, 1},
	                                   .kernarg = kernarg,
	                                   .lds_bytes = kernel->lds_bytes};
	sim942_fill_hidden(kernel, kernarg, dispatch.grid, dispatch.workgroup, 0);
	*out_stats = (struct sim942_stats){.instructions = 0};
	if (sim942_run(&dispatch, out_stats, why, sizeof(why)))
		fail_msg("%s", why);
	free(kernarg);
	assert_int_equal(kernel->scratch_bytes, 0);
}

/* More tiles than blocks, and not as many for each. */
static void read_rate_reads_everything_once(void **context)
{
	(void)context;
	uint64_t vectors = 7ull * GRETA_BENCH_READ_TILE * THREADS;
	size_t words = vectors * 4;
	uint32_t sums[BLOCKS] = {0}, sum = 0, wanted = 0;
	uint32_t *data = aligned_alloc(256, words * sizeof(*data));
	struct sim942_stats stats;
	assert_non_null(data);
	for (size_t i = 0; i < words; i++)
		wanted += data[i] = (uint32_t)(i * 2654435761u + 12345u);
	sim942_track(data, words * sizeof(*data));
	sim942_track(sums, sizeof(sums));
	struct greta_read_rate_args args = {.data = data, .vectors = vectors, .sums = sums};
	run("greta_read_rate", &args, sizeof(args), BLOCKS, &stats);
	sim942_untrack(data);
	sim942_untrack(sums);
	for (size_t b = 0; b < BLOCKS; b++)
		sum += sums[b];
	assert_int_equal(sum, wanted);
	assert_true(stats.bytes_read >= words * sizeof(*data) && stats.bytes_read < words * sizeof(*data) + 4096);
	assert_int_equal(stats.vmem_width_bytes_max, 16);
	free(data);
}

static void empty_does_nothing(void **context)
{
	(void)context;
	struct greta_empty_args args = {.unused = 0};
	struct sim942_stats stats;
	run("greta_empty", &args, sizeof(args), 1, &stats);
	assert_int_equal(stats.bytes_written, 0);
	assert_true(stats.instructions <= 8 * stats.waves);
}

/* A simulated device on top of the cpu provider. */
struct simulated {
	struct greta_hip *cpu;
	struct greta_hip hip;
	struct bench_device device;
};

static void open_simulated(struct simulated *s)
{
	struct greta_error error;
	assert_int_equal(greta_hip_load("cpu", NULL, &s->cpu, &error), GRETA_OK);
	assert_true(sim_wrap(s->cpu, &s->hip));
	s->device = (struct bench_device){.hip = &s->hip, .units = 2, .name = "simulated"};
	assert_int_equal(s->hip.hipModuleLoadData(&s->device.module, image->data), hipSuccess);
}

static void close_simulated(struct simulated *s)
{
	assert_int_equal(s->hip.hipModuleUnload(s->device.module), hipSuccess);
	assert_int_equal(sim_used_bytes(), 0);
	greta_hip_unload(s->cpu);
}

static void the_read_rate_of_a_device_is_measured(void **context)
{
	(void)context;
	struct simulated s;
	struct greta_error error;
	struct bench_read_rate rate;
	open_simulated(&s);
	if (bench_device_read_rate(&s.device, 1 << 20, 1 << 18, &rate, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	assert_int_equal(rate.bytes, 1 << 20);
	for (size_t i = 0; i < BENCH_READ_SAMPLES; i++)
		assert_true(rate.samples[i] > 0);
	close_simulated(&s);
}

static void a_full_device_has_a_smaller_buffer_or_none(void **context)
{
	(void)context;
	struct simulated s;
	struct greta_error error;
	struct bench_read_rate rate;
	open_simulated(&s);
	sim_set_memory(600 << 10);
	assert_int_equal(bench_device_read_rate(&s.device, 1 << 20, 1 << 18, &rate, &error), GRETA_OK);
	assert_int_equal(rate.bytes, 1 << 18);
	sim_set_memory(400 << 10);
	assert_int_equal(bench_device_read_rate(&s.device, 1 << 20, 1 << 18, &rate, &error), GRETA_OK);
	assert_int_equal(rate.bytes, 0);
	close_simulated(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_rate_reads_everything_once),
	    cmocka_unit_test(empty_does_nothing),
	    cmocka_unit_test(the_read_rate_of_a_device_is_measured),
	    cmocka_unit_test(a_full_device_has_a_smaller_buffer_or_none),
	};
	char why[1024] = "this build has no kernels for gfx942";
	for (size_t i = 0; i < greta_bench_image_count; i++)
		if (strcmp(greta_bench_images[i].target, "gfx942") == 0)
			image = &greta_bench_images[i];
	if (!image || sim942_load(image->data, image->size, &code, why, sizeof(why))) {
		printf("skipped: %s\n", why);
		return SKIPPED;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	sim942_unload(code);
	return failed;
}
