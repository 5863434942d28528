#include "tests/kernels/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/numbers.h"

#define BAND 256
#define BAND_BYTE 0xa5
#define POISON_BYTE 0xff /* as floats: NaN */
#define HEADER 64

/* In front of each buffer. */
struct header {
	struct header *next;
	size_t bytes;
};

static uint64_t random_state;
static struct header *buffers;

int check_start(int argc, char **argv)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	random_state = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 20;
	int bench = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--bench") == 0)
			bench = 1;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			random_state = strtoull(argv[++i], NULL, 0);
	}
	printf("seed %llu\n", (unsigned long long)random_state);
	return bench;
}

/* splitmix64 */
uint64_t check_random(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t check_below(uint32_t n) { return (uint32_t)((check_random() >> 32) * n >> 32); }

uint32_t check_between(uint32_t low, uint32_t high) { return low + check_below(high - low + 1); }

float check_uniform(float low, float high) { return low + (high - low) * (float)(check_random() >> 40) * 0x1p-24f; }

void check_fill(float *x, size_t n, float scale, unsigned outliers)
{
	for (size_t i = 0; i < n; i++) {
		float sum = check_uniform(-1, 1) + check_uniform(-1, 1) + check_uniform(-1, 1);
		x[i] = sum * scale * (check_below(1000) < outliers ? 50.0f : 1.0f);
	}
}

void check_fill_nasty(float *x, size_t n)
{
	check_fill(x, n, greta_pow2f((int)check_between(0, 8) - 4), check_below(2) * 3);
	if (check_below(4))
		return;
	for (size_t b = 0; b < n; b += 256)
		for (size_t i = b, end = b + 256 < n ? b + 256 : n, kind = check_below(6); i < end; i++) {
			switch (kind) {
			case 0: x[i] = 0; break;
			case 1: x[i] = greta_float((uint32_t)check_random() & 0x807fffff); break; /* denormal */
			case 2: x[i] *= 0x1p100f; break;
			case 3: x[i] *= 0x1p-110f; break;
			case 4: x[i] = -0.0f; break;
			default: break;
			}
		}
}

void *check_alloc(size_t bytes)
{
	uint8_t *base = aligned_alloc(64, (HEADER + BAND + bytes + BAND + 63) / 64 * 64);
	assert_non_null(base);
	struct header *header = (struct header *)base;
	*header = (struct header){.next = buffers, .bytes = bytes};
	buffers = header;
	memset(base + HEADER, BAND_BYTE, BAND);
	memset(base + HEADER + BAND, POISON_BYTE, bytes);
	memset(base + HEADER + BAND + bytes, BAND_BYTE, BAND);
	return base + HEADER + BAND;
}

void check_free(void *data)
{
	if (!data)
		return;
	uint8_t *base = (uint8_t *)data - HEADER - BAND;
	struct header *header = (struct header *)base;
	size_t bytes = header->bytes;
	for (struct header **at = &buffers; *at; at = &(*at)->next)
		if (*at == header) {
			*at = header->next;
			break;
		}
	for (size_t i = 0; i < BAND; i++) {
		if (base[HEADER + i] != BAND_BYTE)
			fail_msg("a byte %zu before a buffer was written", BAND - i);
		if (base[HEADER + BAND + bytes + i] != BAND_BYTE)
			fail_msg("a byte %zu after a buffer of %zu was written", i, bytes);
	}
	free(base);
}

int check_find(const void *inside, void **out_data, size_t *out_bytes)
{
	for (struct header *header = buffers; header; header = header->next) {
		uint8_t *data = (uint8_t *)header + HEADER + BAND;
		if ((const uint8_t *)inside < data || (const uint8_t *)inside >= data + header->bytes)
			continue;
		*out_data = data;
		*out_bytes = header->bytes;
		return 1;
	}
	return 0;
}

size_t check_forms(const char *names[CHECK_FORMS_MAX])
{
	static const char *const all[] = {"amx", "avx512", "avx2", "portable"};
	size_t count = 0;
	for (size_t i = 0; i < 4; i++)
		if (greta_cpu_module(all[i]))
			names[count++] = all[i];
	return count;
}

greta_cpu_kernel *check_kernel(const char *form, enum greta_kernel kernel)
{
	const struct greta_cpu_module *module = greta_cpu_module(form);
	assert_non_null(module);
	for (size_t i = 0; i < module->count; i++)
		if (strcmp(module->functions[i].name, greta_kernel_info(kernel)->name) == 0)
			return module->functions[i].kernel;
	fail_msg("%s has no kernel %s", form, greta_kernel_info(kernel)->name);
	return NULL;
}

void check_run(greta_cpu_kernel *kernel, uint32_t grid_x, uint32_t grid_y, size_t shared_bytes, const void *args)
{
	uint32_t count = grid_x * grid_y;
	uint32_t *order = malloc(count * sizeof(*order));
	uint8_t *shared[2] = {check_alloc(shared_bytes), check_alloc(shared_bytes)};
	int fresh[2] = {1, 1};
	assert_non_null(order);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = check_below(i + 1);
		order[i] = order[other];
		order[other] = i;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t worker = check_below(2);
		struct greta_cpu_block block = {.x = order[i] % grid_x, .y = order[i] / grid_x, .grid_x = grid_x,
		                                .grid_y = grid_y, .grid_z = 1, .worker = worker,
		                                .fresh = (uint32_t)fresh[worker], .shared = shared[worker]};
		fresh[worker] = 0;
		kernel(&block, args);
	}
	check_free(shared[0]);
	check_free(shared[1]);
	free(order);
}

void check_same(const char *form, const char *what, const void *expected, const void *actual, size_t bytes)
{
	if (memcmp(expected, actual, bytes) == 0)
		return;
	for (size_t i = 0; i + 4 <= bytes; i += 4) {
		uint32_t e, a;
		memcpy(&e, (const uint8_t *)expected + i, 4);
		memcpy(&a, (const uint8_t *)actual + i, 4);
		if (e != a)
			fail_msg("%s: %s: word %zu of %zu is %08x (%g), the reference has %08x (%g)", form, what, i / 4,
			         bytes / 4, a, (double)greta_float(a), e, (double)greta_float(e));
	}
	fail_msg("%s: %s differs in its last bytes", form, what);
}

static int is_nan(uint32_t bits, size_t bytes_each)
{
	return bytes_each == 4 ? (bits & 0x7fffffff) > 0x7f800000 && bits != 0xffffffff
	                       : (bits & 0x7fff) > 0x7c00 && bits != 0xffff;
}

void check_same_numbers(const char *form, const char *what, const void *expected, const void *actual, size_t count,
                        size_t bytes_each)
{
	if (memcmp(expected, actual, count * bytes_each) == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		uint32_t e = 0, a = 0;
		memcpy(&e, (const uint8_t *)expected + i * bytes_each, bytes_each);
		memcpy(&a, (const uint8_t *)actual + i * bytes_each, bytes_each);
		if (e != a && !(is_nan(e, bytes_each) && is_nan(a, bytes_each)))
			fail_msg("%s: %s: number %zu of %zu is %0*x, the reference has %0*x", form, what, i, count,
			         (int)bytes_each * 2, a, (int)bytes_each * 2, e);
	}
}

double check_time(greta_cpu_kernel *kernel, uint32_t grid_x, uint32_t grid_y, size_t shared_bytes, const void *args)
{
	void *shared = check_alloc(shared_bytes);
	double best = 1e9;
	for (int run = 0; run < 7; run++) {
		struct timespec start, end;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
		for (uint32_t y = 0; y < grid_y; y++)
			for (uint32_t x = 0; x < grid_x; x++) {
				struct greta_cpu_block block = {.x = x, .y = y, .grid_x = grid_x, .grid_y = grid_y, .grid_z = 1,
				                                .fresh = x == 0 && y == 0, .shared = shared};
				kernel(&block, args);
			}
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
		best = seconds < best ? seconds : best;
	}
	check_free(shared);
	return best;
}

struct greta_state check_state(uint32_t position, uint32_t tokens, uint32_t context)
{
	return (struct greta_state){.position = position, .prompt_end = tokens ? position + tokens : 0, .context = context,
	                            .top_p = 1};
}
