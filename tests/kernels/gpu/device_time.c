#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/device_read_rate.h"
#include "bench/read_rate.h"
#include "tests/kernels/gpu/device.h"

#define REPLAYS 12      /* at most, and no more … */
#define ENOUGH_SECONDS 2 /* … after so long */
#define READ_BYTES ((size_t)1 << 29) /* of host memory */

struct clock {
	hipStream_t stream;
	hipEvent_t events[2];
	hipGraph_t graph;
	hipGraphExec_t exec;
	double best, spent; /* seconds */
};

static int replay(struct device_runner *device, struct clock *c)
{
	struct greta_hip *hip = device->hip;
	float ms = 0;
	if (device_told(device, hip->hipEventRecord(c->events[0], c->stream), "hipEventRecord") ||
	    device_told(device, hip->hipGraphLaunch(c->exec, c->stream), "hipGraphLaunch") ||
	    device_told(device, hip->hipEventRecord(c->events[1], c->stream), "hipEventRecord") ||
	    device_told(device, hip->hipEventSynchronize(c->events[1]), "hipEventSynchronize") ||
	    device_told(device, hip->hipEventElapsedTime(&ms, c->events[0], c->events[1]), "hipEventElapsedTime"))
		return -1;
	double seconds = (double)ms * 1e-3;
	c->best = c->best == 0 || seconds < c->best ? seconds : c->best;
	c->spent += seconds;
	return 0;
}

static int captured(struct device_runner *device, struct clock *c, const struct gpu_launch *launches, size_t count)
{
	struct greta_hip *hip = device->hip;
	if (device_told(device, hip->hipStreamCreateWithFlags(&c->stream, hipStreamNonBlocking), "hipStreamCreateWithFlags") ||
	    device_told(device, hip->hipEventCreateWithFlags(&c->events[0], hipEventDefault), "hipEventCreateWithFlags") ||
	    device_told(device, hip->hipEventCreateWithFlags(&c->events[1], hipEventDefault), "hipEventCreateWithFlags") ||
	    device_told(device, hip->hipStreamBeginCapture(c->stream, hipStreamCaptureModeThreadLocal), "hipStreamBeginCapture"))
		return -1;
	int status = 0;
	for (size_t i = 0; i < count && !status; i++)
		status = device_enqueue(device, &launches[i], c->stream);
	hipError_t ended = hip->hipStreamEndCapture(c->stream, &c->graph);
	if (status || device_told(device, ended, "hipStreamEndCapture"))
		return -1;
	return device_told(device, hip->hipGraphInstantiate(&c->exec, c->graph, NULL, NULL, 0), "hipGraphInstantiate");
}

int device_time(struct gpu_runner *runner, const struct gpu_launch *launches, size_t count, double *out_seconds)
{
	struct device_runner *device = (struct device_runner *)runner;
	struct greta_hip *hip = device->hip;
	struct clock c = {0};
	int status = captured(device, &c, launches, count);
	for (int i = 0; i < REPLAYS && c.spent < ENOUGH_SECONDS && !status; i++)
		status = replay(device, &c);
	if (c.exec)
		(void)hip->hipGraphExecDestroy(c.exec);
	if (c.graph)
		(void)hip->hipGraphDestroy(c.graph);
	for (int i = 0; i < 2; i++)
		if (c.events[i])
			(void)hip->hipEventDestroy(c.events[i]);
	if (c.stream)
		(void)hip->hipStreamDestroy(c.stream);
	if (!status)
		*out_seconds = c.best;
	return status;
}

/* ---- The read rate ---- */

static int read_host(double *out_rate, struct greta_error *error)
{
	long threads = sysconf(_SC_NPROCESSORS_ONLN);
	return greta_read_rate(threads > 0 ? (unsigned)threads : 1, READ_BYTES, 5, out_rate, error) == GRETA_OK ? 0 : -1;
}

/* The best of its samples, as the times are the fastest of theirs. */
static int read_device(const char *provider, double *out_rate, struct greta_error *error)
{
	struct greta_options options = {.provider = provider};
	struct bench_read_rate rate = {.bytes = 0};
	struct bench_device device;
	if (bench_device_open(&options, &device, error) != GRETA_OK)
		return -1;
	enum greta_status status = bench_device_read_rate(&device, BENCH_READ_MOST, BENCH_READ_LEAST, &rate, error);
	bench_device_close(&device);
	if (status == GRETA_OK && !rate.bytes)
		status = greta_fail(error, GRETA_ERROR_MEMORY, "too little device memory is free to measure the read rate");
	*out_rate = 0;
	for (int i = 0; i < BENCH_READ_SAMPLES; i++)
		*out_rate = rate.samples[i] > *out_rate ? rate.samples[i] : *out_rate;
	return status == GRETA_OK ? 0 : -1;
}

int device_read_rate(struct gpu_runner *runner, double *out_rate)
{
	struct device_runner *device = (struct device_runner *)runner;
	struct greta_error error;
	int status = strcmp(runner->target, "cpu") == 0 ? read_host(out_rate, &error)
	                                                : read_device(device->hip->provider, out_rate, &error);
	if (status)
		snprintf(runner->error, sizeof(runner->error), "%s", error.message);
	return status;
}
