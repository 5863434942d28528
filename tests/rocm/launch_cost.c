/* What the host pays for a step with AMD's own HIP runtime: the time inside hipModuleLaunchKernel of every launch of a
 * plan's decode program, and inside hipGraphLaunch of its graph.
 *
 *     launch-cost [-r REPETITIONS] PLAN...
 *
 * Runs on the simulated device only (tests/sim942/hsa), which is held while a step is enqueued and then takes its
 * packets without running a kernel. The times are processor times of the enqueueing thread, so that neither the
 * device's threads nor anybody else's count; the device's threads have a core of their own where there are two. So what
 * is timed is AMD's runtime alone. Stores that cross the bus to a real device (doorbells, arguments in its memory) are
 * stores to host memory.
 *
 * Steps are enqueued four in a row, as a session does. A row of the table says what a step costs behind others (the
 * median, in brackets the fastest and the 90th of 100), what the first costs that meets an idle device, and the same
 * loop of launches over calls that do nothing, which is the price of the loop and of reading the clock. */
#include "kernels/gpu/image.h"
#include "runtime/programs.h"
#include "tests/sim942/hsa/simhsa_control.h"
#include "tests/sim942/hsa/simhsa_counters.h"

#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGION_BYTES ((size_t)1 << 20) /* no kernel runs, so that any address will do */
#define WARM_UP 20
#define IN_A_ROW 4

enum what { EAGER, GRAPH, EVENT, NOTHING, WHATS };

/* Of one plan, sorted when measured. */
struct times {
	double *first;     /* [WHATS][repetitions], us */
	double *following; /* [WHATS][repetitions][IN_A_ROW - 1], us */
	double doorbells[2]; /* a step: EAGER, GRAPH */
	size_t repetitions;
};

struct device {
	struct greta_hip *hip;
	hipStream_t stream;
	hipModule_t module;
	hipEvent_t event;
	void *memory;
	void (*hold)(int), (*skip_kernels)(int);
	void (*get_counters)(struct simhsa_counters *out);
};

static enum greta_status must(const struct greta_hip *hip, hipError_t code, const char *call, struct greta_error *error)
{
	return code == hipSuccess ? GRETA_OK : greta_hip_fail(hip, code, error, "%s", call);
}

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

/* Threads that AMD's runtime makes from here on, the device's among them, stay on the first core that there is. Returns
 * the last one. */
static int settle_device(void)
{
	cpu_set_t may, set;
	int first = CPU_SETSIZE, last = 0;
	CPU_ZERO(&may);
	CPU_ZERO(&set);
	(void)sched_getaffinity(0, sizeof(may), &may);
	for (int i = CPU_SETSIZE - 1; i >= 0; i--)
		if (CPU_ISSET(i, &may)) {
			last = last > i ? last : i;
			first = i;
		}
	CPU_SET(first, &set);
	(void)sched_setaffinity(0, sizeof(set), &set); /* a failure leaves it to the kernel where threads run */
	return last;
}

static void settle_host(int core)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static enum greta_status find_controls(struct device *device, struct greta_error *error)
{
	void *library = dlopen("libhsa-runtime64.so.1", RTLD_NOW | RTLD_NOLOAD);
	void *hold = library ? dlsym(library, "simhsa_hold") : NULL;
	void *skip = library ? dlsym(library, "simhsa_skip_kernels") : NULL;
	void *counters = library ? dlsym(library, "simhsa_get_counters") : NULL;
	if (!hold || !skip || !counters)
		return greta_fail(error, GRETA_ERROR_DEVICE, "the HIP runtime here is not over the simulated device");
	memcpy(&device->hold, &hold, sizeof(hold));
	memcpy(&device->skip_kernels, &skip, sizeof(skip));
	memcpy(&device->get_counters, &counters, sizeof(counters));
	device->skip_kernels(1);
	return GRETA_OK;
}

static enum greta_status open_device(struct device *device, struct greta_error *error)
{
	const struct greta_gpu_image *image = greta_gpu_image("gfx942");
	int core = settle_device();
	enum greta_status status = greta_hip_load("amd", NULL, &device->hip, error);
	if (status == GRETA_OK)
		status = find_controls(device, error);
	if (status != GRETA_OK)
		return status;
	if (!image)
		return greta_fail(error, GRETA_ERROR_MISMATCH, "this build has no kernels for gfx942");
	const struct greta_hip *hip = device->hip;
	status = must(hip, hip->hipModuleLoadData(&device->module, image->data), "hipModuleLoadData", error);
	if (status == GRETA_OK)
		status = must(hip, hip->hipStreamCreateWithFlags(&device->stream, hipStreamNonBlocking),
			      "hipStreamCreateWithFlags", error);
	if (status == GRETA_OK)
		status = must(hip, hip->hipEventCreateWithFlags(&device->event, hipEventDisableTiming),
			      "hipEventCreateWithFlags", error);
	if (status == GRETA_OK)
		status = must(hip, hip->hipMalloc(&device->memory, REGION_BYTES), "hipMalloc", error);
	/* The first use of the stream makes its queue. */
	if (status == GRETA_OK)
		status = must(hip, hip->hipMemsetAsync(device->memory, 0, REGION_BYTES, device->stream),
			      "hipMemsetAsync", error);
	if (status == GRETA_OK)
		status = must(hip, hip->hipStreamSynchronize(device->stream), "hipStreamSynchronize", error);
	settle_host(core);
	return status;
}

/* ---- One step ---- */

static hipError_t launch_nothing(hipFunction_t function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
				 unsigned int block_x, unsigned int block_y, unsigned int block_z,
				 unsigned int shared_bytes, hipStream_t stream, void **params, void **extra)
{
	(void)function, (void)grid_x, (void)grid_y, (void)grid_z, (void)block_x, (void)block_y, (void)block_z;
	(void)shared_bytes, (void)stream, (void)params, (void)extra;
	return hipSuccess;
}

static enum greta_status enqueue(const struct device *device, const struct greta_programs *programs, size_t decode,
				 enum what what, struct greta_error *error)
{
	static const char record[] = "hipEventRecord";
	const struct greta_hip *hip = device->hip;
	switch (what) {
	case GRAPH: return greta_programs_replay(programs, decode, device->stream, error);
	case EVENT: return must(hip, hip->hipEventRecord(device->event, device->stream), record, error);
	default: return greta_programs_launch(programs, decode, device->stream, error);
	}
}

/* Enqueues on the held device, each time timed: out_us [IN_A_ROW]. Then lets the device go and waits. */
static enum greta_status time_steps(const struct device *device, const struct greta_programs *programs, size_t decode,
				    enum what what, double out_us[IN_A_ROW], double *out_doorbells,
				    struct greta_error *error)
{
	struct greta_hip nothing = *device->hip;
	struct greta_programs measured = *programs;
	struct simhsa_counters before, after;
	enum greta_status status = GRETA_OK;
	nothing.hipModuleLaunchKernel = launch_nothing;
	measured.hip = what == NOTHING ? &nothing : device->hip;
	device->get_counters(&before);
	device->hold(1);
	for (size_t i = 0; i < IN_A_ROW && status == GRETA_OK; i++) {
		double start = now_us();
		status = enqueue(device, &measured, decode, what, error);
		out_us[i] = now_us() - start;
	}
	device->get_counters(&after);
	device->hold(0);
	*out_doorbells = (double)(after.doorbells - before.doorbells) / IN_A_ROW;
	if (status == GRETA_OK)
		status = must(device->hip, device->hip->hipStreamSynchronize(device->stream), "hipStreamSynchronize", error);
	return status;
}

/* ---- Many ---- */

static int in_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The kinds of step take turns, so that whatever else the machine does meets them all. */
static enum greta_status measure(const struct device *device, const struct greta_programs *programs, size_t decode,
				 struct times *times, struct greta_error *error)
{
	const size_t count = times->repetitions, behind = IN_A_ROW - 1;
	enum greta_status status = GRETA_OK;
	for (size_t i = 0; i < WARM_UP + count; i++)
		for (size_t what = 0; what < WHATS && status == GRETA_OK; what++) {
			double us[IN_A_ROW], doorbells;
			status = time_steps(device, programs, decode, (enum what)what, us, &doorbells, error);
			if (i < WARM_UP)
				continue;
			times->first[what * count + i - WARM_UP] = us[0];
			memcpy(times->following + (what * count + i - WARM_UP) * behind, us + 1, behind * sizeof(*us));
			if (what == EAGER || what == GRAPH)
				times->doorbells[what] = doorbells;
		}
	for (size_t what = 0; what < WHATS; what++) {
		qsort(times->first + what * count, count, sizeof(double), in_order);
		qsort(times->following + what * count * behind, count * behind, sizeof(double), in_order);
	}
	return status;
}

static void print(const struct greta_plan *plan, size_t launches, const struct greta_programs *programs,
		  const struct times *times)
{
	const char *path = greta_plan_string(plan, plan->header->model_path), *slash = strrchr(path, '/');
	const size_t count = times->repetitions * (IN_A_ROW - 1);
	printf("| %s | %s | %zu |", slash ? slash + 1 : path, plan->header->fuse == GRETA_FUSE_FULL ? "full" : "none",
	       launches);
	for (int what = EAGER; what <= GRAPH; what++) {
		const double *sorted = times->following + (size_t)what * count;
		printf(" %.1f (%.1f to %.1f) | %.3f | %.0f | %.1f |", sorted[count / 2], sorted[0],
		       sorted[count * 9 / 10], sorted[count / 2] / (double)launches, times->doorbells[what],
		       times->first[((size_t)what * 2 + 1) * times->repetitions / 2]);
	}
	printf(" %.1f | %.1f | %.2f | %.2f |\n", times->following[EVENT * count + count / 2],
	       times->following[NOTHING * count + count / 2], programs->capture_ms, programs->instantiate_ms);
	fflush(stdout);
}

static enum greta_status run(const struct device *device, const struct greta_plan *plan, struct times *times,
			     struct greta_error *error)
{
	struct greta_programs programs;
	void *bases[GRETA_REGION_COUNT];
	size_t decode = 0;
	if (strcmp(plan->header->target, "gfx942") != 0)
		return greta_fail(error, GRETA_ERROR_MISMATCH,
				  "a plan for %.16s: make it with greta-plan build --target gfx942",
				  plan->header->target);
	while (decode + 1 < plan->program_count && plan->programs[decode].kind != GRETA_PROGRAM_DECODE)
		decode++;
	for (size_t i = 0; i < GRETA_REGION_COUNT; i++)
		bases[i] = device->memory;
	enum greta_status status = greta_programs_init(&programs, device->hip, plan, device->module, bases, error);
	if (status != GRETA_OK)
		return status;
	status = greta_programs_capture(&programs, decode, device->stream, error);
	if (status == GRETA_OK)
		status = measure(device, &programs, decode, times, error);
	if (status == GRETA_OK)
		print(plan, plan->programs[decode].launch_count, &programs, times);
	greta_programs_finish(&programs);
	return status;
}

int main(int argc, char **argv)
{
	int first = argc > 2 && strcmp(argv[1], "-r") == 0 ? 3 : 1;
	struct times times = {.repetitions = first == 3 ? strtoul(argv[2], NULL, 10) : 500};
	struct device device = {.hip = NULL};
	struct greta_error error;
	if (first >= argc || times.repetitions < 10 || times.repetitions > 1000000) {
		fputs("usage: launch-cost [-r REPETITIONS] PLAN...\n", stderr);
		return 2;
	}
	times.first = calloc(WHATS * times.repetitions, sizeof(double));
	times.following = calloc(WHATS * times.repetitions * (IN_A_ROW - 1), sizeof(double));
	enum greta_status status = times.first && times.following
		? open_device(&device, &error) : greta_fail(&error, GRETA_ERROR_MEMORY, "no memory for the times");
	if (status == GRETA_OK)
		puts("| model | fuse | launches | eager us/step | us/launch | doorbells | first | graph us/step | us/node | "
		     "doorbells | first | hipEventRecord us | no calls | capture ms | instantiate ms |\n"
		     "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
	for (int i = first; i < argc && status == GRETA_OK; i++) {
		struct greta_plan plan;
		status = greta_plan_open(argv[i], &plan, &error);
		if (status == GRETA_OK) {
			status = run(&device, &plan, &times, &error);
			greta_plan_close(&plan);
		}
	}
	if (status != GRETA_OK)
		fprintf(stderr, "launch-cost: %s\n", error.message);
	free(times.first);
	free(times.following);
	return status != GRETA_OK;
}
