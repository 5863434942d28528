#include "planner/scan.h"

#include "kernels/exponent.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define PART_BYTES ((size_t)4 << 20) /* what a thread takes at a time */
#define THREADS_MAX 8

/* A run of blocks of one weight. */
struct part {
	uint32_t weight;
	size_t first, count; /* blocks */
	size_t done;         /* blocks before the first bad one */
	int exponent;
};

struct scan {
	const struct greta_weights *weights;
	struct part *parts;
	size_t count;
	atomic_size_t next;
	atomic_uint_least64_t bytes;
};

static bool scan_part(struct scan *scan)
{
	size_t i = atomic_fetch_add(&scan->next, 1);
	if (i >= scan->count)
		return false;
	struct part *part = &scan->parts[i];
	const struct greta_weight *weight = &scan->weights->items[part->weight];
	size_t block_bytes = weight->tensor->type->block_bytes;
	const uint8_t *data = (const uint8_t *)weight->tensor->data + part->first * block_bytes;
	part->done = greta_weight_exponent(weight->type, data, part->count, &part->exponent);
	atomic_fetch_add(&scan->bytes, part->count * block_bytes);
	return true;
}

static void *helper(void *argument)
{
	while (scan_part(argument))
		;
	return NULL;
}

/* Cuts the product weights into parts; *out_parts may be NULL, to count only. */
static size_t cut(const struct greta_weights *weights, struct part *out_parts, uint64_t *out_total)
{
	size_t count = 0;
	uint64_t total = 0;
	for (size_t w = 0; w < weights->count; w++) {
		const struct greta_weight *weight = &weights->items[w];
		if (!weight->product)
			continue;
		size_t blocks = weight->source_bytes / weight->tensor->type->block_bytes;
		size_t step = PART_BYTES / weight->tensor->type->block_bytes;
		total += weight->source_bytes;
		for (size_t first = 0; first < blocks; first += step, count++)
			if (out_parts)
				out_parts[count] = (struct part){
				    .weight = (uint32_t)w,
				    .first = first,
				    .count = blocks - first < step ? blocks - first : step,
				};
	}
	*out_total = total;
	return count;
}

static enum greta_status collect(struct greta_weights *weights, const struct scan *scan, struct greta_error *error)
{
	for (size_t i = 0; i < scan->count; i++) {
		const struct part *part = &scan->parts[i];
		struct greta_weight *weight = &weights->items[part->weight];
		if (part->done < part->count)
			return greta_fail(error, GRETA_ERROR_FORMAT, "tensor %.*s, block %zu: its scale is not finite",
					  GRETA_GGUF_PRINT(weight->tensor->name), part->first + part->done);
		if (part->first == 0 || part->exponent > weight->exponent)
			weight->exponent = part->exponent;
	}
	return GRETA_OK;
}

enum greta_status greta_weights_scan(struct greta_weights *weights, uint32_t threads,
				     void (*progress)(void *user, uint64_t done, uint64_t total), void *user,
				     struct greta_error *error)
{
	uint64_t total;
	struct scan scan = {.weights = weights, .count = cut(weights, NULL, &total)};
	scan.parts = calloc(scan.count ? scan.count : 1, sizeof(*scan.parts));
	if (!scan.parts)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %zu parts of the weights", scan.count);
	cut(weights, scan.parts, &total);

	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t wanted = threads ? threads : processors > 0 ? (uint32_t)processors : 1;
	wanted = wanted < THREADS_MAX ? wanted : THREADS_MAX;
	pthread_t helpers[THREADS_MAX];
	uint32_t started = 0;
	while (started + 1 < wanted && started + 1 < scan.count &&
	       pthread_create(&helpers[started], NULL, helper, &scan) == 0)
		started++;
	while (scan_part(&scan))
		if (progress)
			progress(user, atomic_load(&scan.bytes), total);
	for (uint32_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	if (progress)
		progress(user, total, total);

	enum greta_status status = collect(weights, &scan, error);
	free(scan.parts);
	return status;
}
