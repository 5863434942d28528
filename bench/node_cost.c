#include "bench/node_cost.h"

#include "bench/clock.h"
#include "bench/record.h"
#include "kernels/gpu/bench.h"

#define BRANCHES 4
#define WARM_UPS 3
#define REPEATS  20

struct chain {
	const struct bench_device *device;
	hipFunction_t function;
	hipStream_t streams[BRANCHES];
	hipEvent_t events[BRANCHES]; /* [0]: the fork; others: the end of a branch */
};

static enum greta_status told(const struct chain *chain, hipError_t code, const char *call, struct greta_error *error)
{
	return code == hipSuccess ? GRETA_OK : greta_hip_fail(chain->device->hip, code, error, "%s", call);
}

static enum greta_status chain_init(struct chain *chain, struct greta_error *error)
{
	const struct greta_hip *hip = chain->device->hip;
	enum greta_status status = bench_device_function(chain->device, "greta_empty", &chain->function, error);
	for (int b = 0; b < BRANCHES && status == GRETA_OK; b++) {
		status = told(chain, hip->hipStreamCreateWithFlags(&chain->streams[b], hipStreamNonBlocking),
		              "hipStreamCreate", error);
		if (status == GRETA_OK)
			status = told(chain, hip->hipEventCreateWithFlags(&chain->events[b], hipEventDisableTiming),
			              "hipEventCreate", error);
	}
	return status;
}

static void chain_finish(struct chain *chain)
{
	const struct greta_hip *hip = chain->device->hip;
	hip->hipDeviceSynchronize();
	for (int b = 0; b < BRANCHES; b++) {
		if (chain->events[b])
			hip->hipEventDestroy(chain->events[b]);
		if (chain->streams[b])
			hip->hipStreamDestroy(chain->streams[b]);
	}
}

/* Branch b waits for branch a as far as it has been enqueued. */
static enum greta_status after(const struct chain *chain, int b, int a, hipEvent_t event, struct greta_error *error)
{
	const struct greta_hip *hip = chain->device->hip;
	enum greta_status status = told(chain, hip->hipEventRecord(event, chain->streams[a]), "hipEventRecord", error);
	if (status == GRETA_OK)
		status = told(chain, hip->hipStreamWaitEvent(chain->streams[b], event, 0), "hipStreamWaitEvent", error);
	return status;
}

static enum greta_status enqueue(const struct chain *chain, unsigned nodes, int branches, struct greta_error *error)
{
	struct greta_empty_args args = {.unused = 0};
	enum greta_status status = GRETA_OK;
	for (int b = 1; b < branches && status == GRETA_OK; b++)
		status = after(chain, b, 0, chain->events[0], error);
	for (unsigned n = 0; n < nodes && status == GRETA_OK; n++)
		status = bench_device_launch(chain->device, chain->function, 1, 64, &args, sizeof(args),
		                             chain->streams[n % (unsigned)branches], error);
	for (int b = 1; b < branches && status == GRETA_OK; b++)
		status = after(chain, 0, b, chain->events[b], error);
	return status;
}

static enum greta_status capture(const struct chain *chain, unsigned nodes, int branches, hipGraphExec_t *out_exec,
                                 struct greta_error *error)
{
	const struct greta_hip *hip = chain->device->hip;
	hipGraph_t graph = NULL;
	enum greta_status status =
	    told(chain, hip->hipStreamBeginCapture(chain->streams[0], hipStreamCaptureModeThreadLocal),
	         "hipStreamBeginCapture", error);
	if (status != GRETA_OK)
		return status;
	status = enqueue(chain, nodes, branches, error);
	hipError_t code = hip->hipStreamEndCapture(chain->streams[0], &graph);
	if (status == GRETA_OK)
		status = told(chain, code, "hipStreamEndCapture of empty kernels", error);
	if (status == GRETA_OK)
		status =
		    told(chain, hip->hipGraphInstantiate(out_exec, graph, NULL, NULL, 0), "hipGraphInstantiate", error);
	if (graph)
		hip->hipGraphDestroy(graph);
	return status;
}

/* A NULL graph: launched one by one. */
static enum greta_status time_once(const struct chain *chain, unsigned nodes, int branches, hipGraphExec_t exec,
                                   double *out_ns, struct greta_error *error)
{
	const struct greta_hip *hip = chain->device->hip;
	double begin = greta_seconds();
	enum greta_status status =
	    exec ? told(chain, hip->hipGraphLaunch(exec, chain->streams[0]), "hipGraphLaunch", error)
		 : enqueue(chain, nodes, branches, error);
	if (status == GRETA_OK)
		status = told(chain, hip->hipStreamSynchronize(chain->streams[0]),
		              "hipStreamSynchronize after empty kernels", error);
	if (status == GRETA_OK)
		*out_ns = (greta_seconds() - begin) * 1e9;
	return status;
}

static json_t *row_of(bool graph, int branches, unsigned nodes, const double samples[REPEATS])
{
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "mode", graph ? "graph" : "eager", "shape",
	                 branches > 1 ? "forked" : "serial", "branches", branches, "nodes", (int)nodes, "processes", 1,
	                 "samples_ns", bench_samples(samples, REPEATS));
}

static enum greta_status measure(const struct chain *chain, bool graph, int branches, unsigned nodes, json_t *rows,
                                 struct greta_error *error)
{
	hipGraphExec_t exec = NULL;
	double samples[REPEATS];
	enum greta_status status = graph ? capture(chain, nodes, branches, &exec, error) : GRETA_OK;
	for (int i = -WARM_UPS; i < REPEATS && status == GRETA_OK; i++)
		status = time_once(chain, nodes, branches, exec, &samples[i < 0 ? 0 : i], error);
	if (exec)
		chain->device->hip->hipGraphExecDestroy(exec);
	if (status == GRETA_OK && json_array_append_new(rows, row_of(graph, branches, nodes, samples)))
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the cost of launches");
	return status;
}

enum greta_status bench_node_cost(const struct bench_device *device, json_t **out_rows, struct greta_error *error)
{
	static const unsigned counts[] = {1, 10, 100, 1000};
	struct chain chain = {.device = device};
	json_t *rows = json_array();
	enum greta_status status = rows ? chain_init(&chain, error)
	                                : greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the cost of launches");
	for (int branches = 1; branches <= BRANCHES; branches += BRANCHES - 1)
		for (int graph = 0; graph < 2; graph++)
			for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]) && status == GRETA_OK; n++)
				status = measure(&chain, graph, branches, counts[n], rows, error);
	chain_finish(&chain);
	if (status == GRETA_OK)
		*out_rows = rows;
	else
		json_decref(rows);
	return status;
}
