/* What the link to a device gives: the rate of plain copies from pinned host memory to the device's and back.
 *
 *     bench-copy PROVIDER [MIB [REPETITIONS]]
 *
 * Copies of 4 MiB one behind the other, as an upload makes them, and one copy of everything; the median of the
 * repetitions. */
#include "runtime/clock.h"
#include "runtime/hip.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)4 << 20)
#define REPETITIONS_MAX 101

static const struct greta_hip *hip;

static void must(hipError_t code, const char *call)
{
	struct greta_error error;
	if (code == hipSuccess)
		return;
	greta_hip_fail(hip, code, &error, "%s", call);
	fprintf(stderr, "bench-copy: %s\n", error.message);
	exit(1);
}

static int in_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double rate(uint8_t *to, const uint8_t *from, size_t bytes, size_t piece, hipMemcpyKind kind, hipStream_t stream,
		   int repetitions)
{
	double ms[REPETITIONS_MAX];
	for (int i = -1; i < repetitions; i++) { /* the first is not kept */
		double start = greta_clock_ms();
		for (size_t at = 0; at < bytes; at += piece)
			must(hip->hipMemcpyAsync(to + at, from + at, bytes - at < piece ? bytes - at : piece, kind,
						 stream),
			     "hipMemcpyAsync");
		must(hip->hipStreamSynchronize(stream), "hipStreamSynchronize");
		if (i >= 0)
			ms[i] = greta_clock_ms() - start;
	}
	qsort(ms, (size_t)repetitions, sizeof(*ms), in_order);
	return (double)bytes * 1e-6 / ms[repetitions / 2];
}

int main(int argc, char **argv)
{
	struct greta_hip *loaded;
	struct greta_error error;
	char name[128];
	void *host, *device;
	hipStream_t stream;
	size_t bytes = (argc > 2 ? strtoul(argv[2], NULL, 10) : 1024) << 20;
	int repetitions = argc > 3 ? atoi(argv[3]) : 5;
	if (argc < 2 || !bytes || repetitions < 1 || repetitions > REPETITIONS_MAX) {
		fputs("usage: bench-copy PROVIDER [MIB [REPETITIONS]]\n", stderr);
		return 2;
	}
	if (greta_hip_load(argv[1], NULL, &loaded, &error) != GRETA_OK) {
		fprintf(stderr, "bench-copy: %s\n", error.message);
		return 1;
	}
	hip = loaded;
	must(hip->hipSetDevice(0), "hipSetDevice");
	must(hip->hipDeviceGetName(name, sizeof(name), 0), "hipDeviceGetName");
	must(hip->hipStreamCreateWithFlags(&stream, hipStreamNonBlocking), "hipStreamCreateWithFlags");
	must(hip->hipHostMalloc(&host, bytes, hipHostMallocDefault), "hipHostMalloc");
	must(hip->hipMalloc(&device, bytes), "hipMalloc");
	memset(host, 1, bytes);
	printf("%s, %zu MiB, median of %d\n", name, bytes >> 20, repetitions);
	printf("to the device    in pieces of 4 MiB %7.2f GB/s   at once %7.2f GB/s\n",
	       rate(device, host, bytes, PIECE, hipMemcpyHostToDevice, stream, repetitions),
	       rate(device, host, bytes, bytes, hipMemcpyHostToDevice, stream, repetitions));
	printf("from the device  in pieces of 4 MiB %7.2f GB/s   at once %7.2f GB/s\n",
	       rate(host, device, bytes, PIECE, hipMemcpyDeviceToHost, stream, repetitions),
	       rate(host, device, bytes, bytes, hipMemcpyDeviceToHost, stream, repetitions));
	must(hip->hipFree(device), "hipFree");
	must(hip->hipHostFree(host), "hipHostFree");
	must(hip->hipStreamDestroy(stream), "hipStreamDestroy");
	greta_hip_unload(loaded);
	return 0;
}
