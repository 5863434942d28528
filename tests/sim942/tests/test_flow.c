/* Scratch, calls, and work-groups that wait for each other. */
#include <stdlib.h>
#include <string.h>
#include "harness.h"

static void local_array(void)
{
	int *in = gpu_alloc(1200), *out = gpu_alloc(128 * 4), rounds = 40, want[128];
	for (int i = 0; i < 300; i++)
		in[i] = (int)(random_bits() & 0xffff);
	for (int t = 0; t < 128; t++) {
		uint32_t a[300], sum = 0;
		for (int i = 0; i < 300; i++)
			a[i] = (uint32_t)(in[i] + t);
		for (int r = 0; r < rounds; r++) {
			int i = (t * 31 + r * 17) % 300, j = (t * 7 + r * 29) % 300;
			uint32_t x = a[i];
			a[i] = a[j] * 3;
			a[j] = x + (uint32_t)r;
			((uint16_t *)a)[(i + j) % 600] ^= (uint16_t)r;
			((uint8_t *)a)[(i * 3 + j) % 1200] += 1;
		}
		for (int i = 0; i < 300; i++)
			sum = sum * 31 + a[i];
		want[t] = (int)sum;
	}
	if (launch("local array", "local_array", D1(2), D1(64), 0, ARGS(ARG(in), ARG(out), ARG(rounds))))
		check_words("a large local array in scratch", out, want, 128);
	gpu_free_all("local array");
}

static int minus7(int x) { return 2 * x - (x & 15) * (x & 15) - 7; }
static void calls(void)
{
	int *in = gpu_alloc(256), *out = gpu_alloc(512), want[128];
	for (int t = 0; t < 64; t++) {
		int x = in[t] = (int)(random_bits() % 10000), by = t % 20, b[20];
		for (int i = 0; i < 20; i++)
			b[i] = x * ((i + by) % 20) + by;
		want[t] = minus7(x) + b[3] + b[19];
		want[64 + t] = x % 3 == 0 ? 2 * x : x % 3 == 1 ? x * x : minus7(x);
	}
	if (launch("calls", "calls", D1(1), D1(64), 0, ARGS(ARG(in), ARG(out))))
		check_words("calls, structures by value, function pointers", out, want, 128);
	gpu_free_all("calls");
}

static int depth(int n, int *path)
{
	int here[4] = { n, n + 1, n + 2, n + 3 };
	path[0] += here[n & 3];
	return n <= 0 ? 1 : depth(n - 1, path) + here[(n + 1) & 3];
}
static void recursion(void)
{
	int *out = gpu_alloc(256), want[64];
	for (int t = 0; t < 64; t++) {
		int path = 0, d = depth(t % 12, &path);
		want[t] = d * 1000 + path;
	}
	if (launch("recursion", "recursion", D1(1), D1(64), 0, ARGS(ARG(out))))
		check_words("recursion", out, want, 64);
	gpu_free_all("recursion");
}

static void persistent(const char *test, unsigned blocks, int sleepy)
{
	int n = 5000, phases = 6, *a = gpu_alloc(20000), *b = gpu_alloc(20000);
	unsigned *counter = gpu_alloc(4);
	uint32_t *x = malloc(20000), *y = malloc(20000);
	*counter = 0;
	for (int i = 0; i < n; i++)
		x[i] = (uint32_t)(a[i] = (int)random_bits());
	for (int p = 0; p < phases; p++) {
		for (int i = 0; i < n; i++)
			y[i] = x[(i + 1) % n] + 2 * x[(i + n - 7) % n] + (uint32_t)p;
		uint32_t *swap = x;
		x = y;
		y = swap;
	}
	if (launch(test, "persistent", D1(blocks), D1(128), 0,
			ARGS(ARG(a), ARG(b), ARG(counter), ARG(n), ARG(phases), ARG(sleepy))))
		check_words(test, a, x, (size_t)n);
	free(x);
	free(y);
	gpu_free_all(test);
}

static void chain(void)
{
	enum { BLOCKS = 400 };
	unsigned *flag = gpu_alloc(4 * BLOCKS);
	int *out = gpu_alloc(4 * BLOCKS), want[BLOCKS];
	memset(flag, 0, 4 * BLOCKS);
	for (int i = BLOCKS - 1; i >= 0; i--)
		want[i] = i + 1 < BLOCKS ? want[i + 1] + i : 5;
	if (launch("chain", "chain", D1(BLOCKS), D1(64), 0, ARGS(ARG(flag), ARG(out))))
		check_words("blocks that wait for later blocks", out, want, BLOCKS);
	gpu_free_all("chain");
}

static void never(void)
{
	unsigned *flag = gpu_alloc(4);
	*flag = 0;
	sim942_set_patience(20);
	bool failed = try_launch("never", D1(8), D1(64), 0, ARGS(ARG(flag))) != 0;
	sim942_set_patience(60);
	report("a launch that never ends is given up", failed && strstr(last_error, "no progress"), "%s",
			failed ? "" : "it ended");
	unsigned *counter = gpu_alloc(4), blocks = 304 + 1;   /* with all LDS in use, one block more than the device holds */
	int n = 1, phases = 1, sleepy = 1, *a = gpu_alloc(4), *b = gpu_alloc(4);
	*counter = 0;
	sim942_set_patience(20);
	failed = try_launch("persistent", D1(blocks), D1(128), 65536,
			ARGS(ARG(a), ARG(b), ARG(counter), ARG(n), ARG(phases), ARG(sleepy))) != 0;
	sim942_set_patience(60);
	report("a grid barrier of more blocks than the device holds is given up", failed && strstr(last_error, "hold no more"),
			"%s", failed ? last_error : "it ended");
	gpu_free_all("never");
}

static void token(void)
{
	int *out = gpu_alloc(1024 * 4), want[1024], lanes = (int)wave_lanes();
	for (int i = 0; i < 1024; i++)
		want[i] = i / lanes * 100 + i % lanes;
	if (launch("token", "token", D1(1), D1(1024), 0, ARGS(ARG(out))))
		check_words("waves that wait for each other in LDS", out, want, 1024);
	gpu_free_all("token");
}

TEST(flow)
{
	local_array();
	calls();
	recursion();
	persistent("grid barrier, 304 blocks, polling with sleep", 304, 1);
	persistent("grid barrier, 304 blocks, polling without", 304, 0);
	persistent("grid barrier, several blocks a unit", wave_lanes() == 64 ? 1000 : 500, 1);
	sim942_set_threads(1);
	persistent("grid barrier on one host thread", 64, 0);
	sim942_set_threads(0);
	chain();
	never();
	token();
}
