#include "bench/read_rate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/clock.h"

struct reader {
	pthread_t thread;
	const uint64_t *data;
	size_t words;
	uint64_t sum; /* keeps the reads from being optimised away */
};

static void *reader_main(void *argument)
{
	struct reader *reader = argument;
	const uint64_t *data = reader->data;
	uint64_t sum[32] = {0};
	for (size_t i = 0; i + 32 <= reader->words; i += 32)
		for (size_t l = 0; l < 32; l++)
			sum[l] += data[i + l];
	for (size_t l = 0; l < 32; l++)
		reader->sum += sum[l];
	return NULL;
}

/* One pass over the buffer: false when not all threads could be started. Starting them is part of the time; it is some
 * microseconds of many milliseconds. */
static bool read_once(struct reader *readers, unsigned threads, const uint64_t *data, size_t words)
{
	unsigned started = 0;
	for (; started < threads; started++) {
		struct reader *reader = &readers[started];
		*reader = (struct reader){.data = data + started * (words / threads), .words = words / threads};
		if (pthread_create(&reader->thread, NULL, reader_main, reader))
			break;
	}
	for (unsigned t = 0; t < started; t++)
		pthread_join(readers[t].thread, NULL);
	return started == threads;
}

enum greta_status greta_read_rate(unsigned threads, size_t bytes, unsigned passes, double *out_rate,
                                  struct greta_error *error)
{
	struct reader *readers = calloc(threads, sizeof(*readers));
	void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool good = readers && data != MAP_FAILED;
	double best = 0;
	if (good) {
		madvise(data, bytes, MADV_HUGEPAGE);
		memset(data, 1, bytes);
		good = read_once(readers, threads, data, bytes / sizeof(uint64_t));
	}
	for (unsigned pass = 0; good && pass < passes; pass++) {
		double begin = greta_seconds();
		good = read_once(readers, threads, data, bytes / sizeof(uint64_t));
		double rate = (double)bytes / (greta_seconds() - begin);
		best = rate > best ? rate : best;
	}
	if (data != MAP_FAILED)
		munmap(data, bytes);
	free(readers);
	if (!good)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory or threads to read %zu bytes with %u threads",
		                  bytes, threads);
	*out_rate = best;
	return GRETA_OK;
}
