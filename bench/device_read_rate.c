#include "bench/device_read_rate.h"

#include <stdlib.h>

#include "kernels/gpu/bench.h"

#define PASSES        8           /* between two time stamps */
#define BLOCKS_A_UNIT 1           /* that read until all is read: more than run at one time would start after one another */
#define PATTERN       0x01010101u /* what hipMemset with 1 leaves in every word */

struct reading {
	const struct bench_device *device;
	hipFunction_t function;
	hipStream_t stream;
	hipEvent_t begin, end;
	void *data, *sums;
	uint64_t bytes;
	unsigned blocks;
};

static enum greta_status told(const struct reading *reading, hipError_t code, const char *call,
                              struct greta_error *error)
{
	return code == hipSuccess ? GRETA_OK : greta_hip_fail(reading->device->hip, code, error, "%s", call);
}

/* Leaves bytes 0 where nothing sensible fits. */
static enum greta_status acquire(struct reading *reading, uint64_t most, uint64_t least, struct greta_error *error)
{
	const struct greta_hip *hip = reading->device->hip;
	size_t left = 0, total = 0;
	enum greta_status status = told(reading, hip->hipMemGetInfo(&left, &total), "hipMemGetInfo", error);
	uint64_t bytes = most, tile = GRETA_BENCH_READ_THREADS * GRETA_BENCH_READ_TILE * 16;
	while (bytes >= least && bytes > left / 2)
		bytes /= 2;
	if (status != GRETA_OK || bytes < least)
		return status;
	reading->blocks = (unsigned)reading->device->units * BLOCKS_A_UNIT;
	if (reading->blocks > bytes / tile)
		reading->blocks = (unsigned)(bytes / tile);
	status = told(reading, hip->hipMalloc(&reading->data, bytes), "hipMalloc of the buffer to read", error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipMalloc(&reading->sums, reading->blocks * sizeof(uint32_t)), "hipMalloc",
		              error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipStreamCreateWithFlags(&reading->stream, hipStreamNonBlocking),
		              "hipStreamCreate", error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipEventCreateWithFlags(&reading->begin, hipEventDefault), "hipEventCreate",
		              error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipEventCreateWithFlags(&reading->end, hipEventDefault), "hipEventCreate",
		              error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipMemsetAsync(reading->data, 1, bytes, reading->stream), "hipMemsetAsync",
		              error);
	reading->bytes = bytes;
	return status;
}

static void release(struct reading *reading)
{
	const struct greta_hip *hip = reading->device->hip;
	if (reading->stream) {
		hip->hipStreamSynchronize(reading->stream);
		hip->hipStreamDestroy(reading->stream);
	}
	if (reading->begin)
		hip->hipEventDestroy(reading->begin);
	if (reading->end)
		hip->hipEventDestroy(reading->end);
	if (reading->data)
		hip->hipFree(reading->data);
	if (reading->sums)
		hip->hipFree(reading->sums);
}

static enum greta_status pass(struct reading *reading, double *out_rate, struct greta_error *error)
{
	const struct greta_hip *hip = reading->device->hip;
	struct greta_read_rate_args args = {
	    .data = reading->data, .vectors = reading->bytes / 16, .sums = reading->sums};
	float ms = 0;
	enum greta_status status =
	    told(reading, hip->hipEventRecord(reading->begin, reading->stream), "hipEventRecord", error);
	for (int i = 0; i < PASSES && status == GRETA_OK; i++)
		status = bench_device_launch(reading->device, reading->function, reading->blocks,
		                             GRETA_BENCH_READ_THREADS, &args, sizeof(args), reading->stream, error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipEventRecord(reading->end, reading->stream), "hipEventRecord", error);
	if (status == GRETA_OK)
		status =
		    told(reading, hip->hipEventSynchronize(reading->end), "hipEventSynchronize after reading", error);
	if (status == GRETA_OK)
		status = told(reading, hip->hipEventElapsedTime(&ms, reading->begin, reading->end),
		              "hipEventElapsedTime", error);
	if (status == GRETA_OK)
		*out_rate = ms > 0 ? PASSES * (double)reading->bytes / ms * 1e3 : 0;
	return status;
}

static enum greta_status check_sum(const struct reading *reading, struct greta_error *error)
{
	const struct greta_hip *hip = reading->device->hip;
	uint32_t sum = 0, wanted = (uint32_t)(reading->bytes / sizeof(uint32_t)) * PATTERN;
	uint32_t *sums = malloc(reading->blocks * sizeof(*sums));
	if (!sums)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %u sums", reading->blocks);
	enum greta_status status =
	    told(reading, hip->hipMemcpy(sums, reading->sums, reading->blocks * sizeof(*sums), hipMemcpyDeviceToHost),
	         "hipMemcpy of the sums", error);
	for (unsigned b = 0; b < reading->blocks && status == GRETA_OK; b++)
		sum += sums[b];
	free(sums);
	if (status == GRETA_OK && sum != wanted)
		return greta_fail(error, GRETA_ERROR_DEVICE,
		                  "%s read something else than was written: sum %08x, not %08x", reading->device->name,
		                  sum, wanted);
	return status;
}

enum greta_status bench_device_read_rate(const struct bench_device *device, uint64_t most, uint64_t least,
                                         struct bench_read_rate *out_rate, struct greta_error *error)
{
	struct reading reading = {.device = device};
	struct bench_read_rate rate = {.bytes = 0};
	double unused;
	enum greta_status status = bench_device_function(device, "greta_read_rate", &reading.function, error);
	if (status == GRETA_OK)
		status = acquire(&reading, most, least, error);
	if (status == GRETA_OK && reading.bytes)
		status = pass(&reading, &unused, error);
	if (status == GRETA_OK && reading.bytes)
		status = check_sum(&reading, error);
	for (size_t i = 0; i < BENCH_READ_SAMPLES && status == GRETA_OK && reading.bytes; i++)
		status = pass(&reading, &rate.samples[i], error);
	rate.bytes = reading.bytes;
	release(&reading);
	if (status == GRETA_OK)
		*out_rate = rate;
	return status;
}
