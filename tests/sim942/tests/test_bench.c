/* Speed: instructions a second on kernels of different kinds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "harness.h"

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void measure(const char *kernel, struct dims blocks, struct dims threads, const struct argument *args)
{
	double best = 1e9, best_cpu = 1e9;
	if (!have_kernel(kernel))
		return;
	for (int i = 0; i < 3; i++) {
		double start = now(), cpu = (double)clock();
		if (try_launch(kernel, blocks, threads, 0, args)) {
			printf("%s: %s\n", kernel, last_error);
			return;
		}
		double seconds = now() - start;
		cpu = ((double)clock() - cpu) / CLOCKS_PER_SEC;
		best = seconds < best ? seconds : best;
		best_cpu = cpu < best_cpu ? cpu : best_cpu;
	}
	printf("%-16s %6.3f s %9llu wave instructions, %6.1f M/s (%5.1f M/s and %5.2f G lanes/s a core)  "
			"valu %2.0f%% vmem %2.0f%% lds %2.0f%% mfma %2.0f%%\n", kernel, best,
		(unsigned long long)last_stats.instructions, 1e-6 * (double)last_stats.instructions / best,
				1e-6 * (double)last_stats.instructions / best_cpu,
		64e-9 * (double)last_stats.instructions / best_cpu,
		100 * (double)last_stats.valu / (double)last_stats.instructions,
				100 * (double)last_stats.vmem / (double)last_stats.instructions,
		100 * (double)last_stats.lds / (double)last_stats.instructions,
				100 * (double)last_stats.mfma / (double)last_stats.instructions);
}

void bench(void)
{
	int n = 1 << 20, rows = 1024, blocks = 16, length = 4096, groups = 4, columns = 512, depth = 512;
	float *x = gpu_alloc((size_t)n * 4), *y = gpu_alloc((size_t)n * 4 * 16), *z = gpu_alloc((size_t)n * 4);
	char *w = gpu_alloc((size_t)rows * (size_t)blocks * 144);
	short *h = gpu_alloc((size_t)n * 16);
	for (int i = 0; i < n; i++) {
		x[i] = random_float(-1, 1);
		z[i] = random_float(-1, 1);
	}
	memset(w, 0x11, (size_t)rows * (size_t)blocks * 144);
	memset(h, 0x2c, (size_t)n * 16);
	measure("vadd", D1((uint32_t)n / 256), D1(256), ARGS(ARG(x), ARG(z), ARG(y), ARG(n)));
	measure("math_f32", D1((uint32_t)n / 256), D1(256), ARGS(ARG(x), ARG(z), ARG(y), ARG(n)));
	measure("divergent", D1((uint32_t)n / 256), D1(256), ARGS(ARG(w), ARG(y), ARG(rows)));
	measure("matvec_q4_k", D1((uint32_t)rows / 4), D1(256), ARGS(ARG(w), ARG(x), ARG(y), ARG(rows), ARG(blocks)));
	measure("attention_split", D2(32, 4), D1(256), ARGS(ARG(x), ARG(h), ARG(h), ARG(y), ARG(length), ARG(groups)));
	measure("gemm_f16", D2((uint32_t)columns / 64, 8), D1(256), ARGS(ARG(h), ARG(h), ARG(y), ARG(columns), ARG(depth)));
	measure("gemm_i8", D2((uint32_t)columns / 16, 32), D1(64), ARGS(ARG(w), ARG(w), ARG(y), ARG(columns), ARG(depth)));
	gpu_free_all("bench");
}
