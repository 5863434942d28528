/* See harness.h. */
#include "harness.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CODES = 64, MAX_BUFFERS = 128, GUARD = 256 };

const char *run_label = "";
struct sim942_stats last_stats;
char last_error[1024];
uint64_t seed = 1;

static struct sim942_code *codes[MAX_CODES];
static int code_count;
static struct { unsigned char *base; size_t size; } buffers[MAX_BUFFERS];
static int buffer_count;
static unsigned passed_count, failed_count;

static const struct sim942_kernel *find_kernel(const char *name)
{
	for (int i = 0; i < code_count; i++) {
		const struct sim942_kernel *k = sim942_kernel_by_name(codes[i], name);
		if (k)
			return k;
	}
	return NULL;
}
bool have_kernel(const char *name) { return find_kernel(name) != NULL; }

void load_code(const char *path)
{
	char err[1024] = "cannot read it";
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	long size = 0;
	bool read = f && !fseek(f, 0, SEEK_END) && (size = ftell(f)) > 0 && (data = malloc((size_t)size));
	if (read) {
		rewind(f);
		read = fread(data, 1, (size_t)size, f) == (size_t)size;
	}
	if (!read || code_count == MAX_CODES || sim942_load(data, (size_t)size, &codes[code_count], err, sizeof err)) {
		fprintf(stderr, "%s: %s\n", path, err);
		exit(1);
	}
	code_count++;
	fclose(f);
	free(data);
}
void *symbol_address(const char *name, size_t *size)
{
	for (int i = 0; i < code_count; i++) {
		void *p = sim942_symbol(codes[i], name, size);
		if (p)
			return p;
	}
	return NULL;
}

unsigned wave_lanes(void) { return code_count ? sim942_kernel_at(codes[0], 0)->lanes : 0; }

void *gpu_alloc(size_t bytes)
{
	size_t total = bytes + 2 * GUARD;
	unsigned char *base = aligned_alloc(256, (total + 255) & ~(size_t)255);
	if (!base || buffer_count == MAX_BUFFERS) {
		fprintf(stderr, "out of buffers\n");
		exit(1);
	}
	memset(base, 0x5a, total);
	memset(base + GUARD, 0xa5, bytes);
	buffers[buffer_count].base = base;
	buffers[buffer_count++].size = bytes;
	sim942_track(base + GUARD, bytes);
	return base + GUARD;
}
void gpu_free_all(const char *test)
{
	bool intact = true;
	while (buffer_count) {
		unsigned char *base = buffers[--buffer_count].base, *end = base + GUARD + buffers[buffer_count].size;
		for (size_t i = 0; i < GUARD; i++)
			intact &= base[i] == 0x5a && end[i] == 0x5a;
		sim942_untrack(base + GUARD);
		free(base);
	}
	if (!intact)
		report(test, false, "bytes beside a buffer were changed");
}

int try_launch(const char *kernel, struct dims blocks, struct dims threads, uint32_t dynamic_lds,
		const struct argument *args)
{
	const struct sim942_kernel *k = find_kernel(kernel);
	if (!k) {
		snprintf(last_error, sizeof last_error, "no kernel %s", kernel);
		return -1;
	}
	const struct sim942_arg *places;
	size_t count = sim942_kernel_args(k, &places);
	unsigned char *kernarg = calloc(1, k->kernarg_bytes + 64);
	struct sim942_dispatch d = {
		.descriptor = k->descriptor, .grid = { blocks.x * threads.x, blocks.y * threads.y, blocks.z * threads.z },
		.workgroup = { threads.x, threads.y, threads.z }, .kernarg = kernarg, .lds_bytes = k->lds_bytes + dynamic_lds,
	};
	for (size_t i = 0; args && args[i].value; i++) {
		if (i >= count || args[i].size != places[i].size) {
			snprintf(last_error, sizeof last_error, "argument %zu of %s has %zu bytes", i, kernel, args[i].size);
			free(kernarg);
			return -1;
		}
		memcpy(kernarg + places[i].offset, args[i].value, args[i].size);
	}
	sim942_fill_hidden(k, kernarg, d.grid, d.workgroup, dynamic_lds);
	memset(&last_stats, 0, sizeof last_stats);
	int result = sim942_run(&d, &last_stats, last_error, sizeof last_error);
	free(kernarg);
	return result;
}
bool launch(const char *test, const char *kernel, struct dims blocks, struct dims threads, uint32_t dynamic_lds,
		const struct argument *args)
{
	if (try_launch(kernel, blocks, threads, dynamic_lds, args) == 0)
		return true;
	report(test, false, "%s", last_error);
	return false;
}

void report(const char *test, bool passed, const char *format, ...)
{
	va_list args;
	printf("%s %s %s", passed ? "PASS" : "FAIL", run_label, test);
	if (*format) {
		printf(": ");
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
	}
	printf("\n");
	fflush(stdout);
	passed_count += passed;
	failed_count += !passed;
}

void check_doubles(const char *test, const double *got, const double *want, size_t n, double absolute, double relative)
{
	double worst = 0;
	size_t bad = n;
	for (size_t i = 0; i < n; i++) {
		if (isnan(want[i]) ? isnan(got[i]) : got[i] == want[i])
			continue;
		double error = fabs(got[i] - want[i]) / (absolute + relative * fabs(want[i]));
		if (!(error <= 1) && bad == n)
			bad = i;
		worst = error > worst ? error : worst;
	}
	if (bad < n)
		report(test, false, "element %zu of %zu is %.17g, not %.17g", bad, n, got[bad], want[bad]);
	else
		report(test, true, "%zu values, error up to %.2g of what is allowed", n, worst);
}
void check_floats(const char *test, const float *got, const float *want, size_t n, double absolute, double relative)
{
	double *g = malloc(2 * n * sizeof *g), *w = g + n;
	for (size_t i = 0; i < n; i++) {
		g[i] = (double)got[i];
		w[i] = (double)want[i];
	}
	check_doubles(test, g, w, n, absolute, relative);
	free(g);
}
void check_words(const char *test, const void *got, const void *want, size_t n)
{
	const uint32_t *g = got, *w = want;
	for (size_t i = 0; i < n; i++)
		if (g[i] != w[i]) {
			report(test, false, "element %zu of %zu is 0x%08x, not 0x%08x", i, n, g[i], w[i]);
			return;
		}
	report(test, true, "%zu values", n);
}
void check_bits_f32(const char *test, const float *got, const float *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(&got[i], &want[i], 4) && !(isnan(got[i]) && isnan(want[i]))) {
			report(test, false, "element %zu of %zu is %a, not %a", i, n, (double)got[i], (double)want[i]);
			return;
		}
	report(test, true, "%zu values, equal to the bit", n);
}
void check_bits_f64(const char *test, const double *got, const double *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(&got[i], &want[i], 8) && !(isnan(got[i]) && isnan(want[i]))) {
			report(test, false, "element %zu of %zu is %a, not %a", i, n, got[i], want[i]);
			return;
		}
	report(test, true, "%zu values, equal to the bit", n);
}

int finish_tests(void)
{
	printf("%u passed, %u failed\n", passed_count, failed_count);
	for (int i = 0; i < code_count; i++)
		sim942_unload(codes[i]);
	return failed_count != 0;
}

uint32_t random_bits(void)   /* splitmix64 */
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) >> 16);
}
float random_float(float low, float high) { return low + (high - low) * (float)(random_bits() >> 8) * 0x1p-24f; }
