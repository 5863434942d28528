/* What a launch costs on the cpu provider: microseconds per node of a chain of empty kernels, eager and as a graph.
 *
 *     bench_launch [THREADS [NODES [REPETITIONS]]]
 *
 * Prints one line per number of blocks; the best of the repetitions, since other work on the machine only ever adds. */
#include "tests/provider/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct greta_hip *hip;

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static void must(hipError_t code)
{
	if (code == hipSuccess)
		return;
	fprintf(stderr, "bench_launch: %s: %s\n", hip->hipGetErrorName(code), hip->detail());
	exit(1);
}

static void enqueue(hipFunction_t function, hipStream_t stream, unsigned blocks, unsigned nodes)
{
	for (unsigned i = 0; i < nodes; i++)
		must(hip->hipModuleLaunchKernel(function, blocks, 1, 1, 64, 1, 1, 0, stream, NULL, NULL));
}

static void measure(hipFunction_t function, hipStream_t stream, unsigned blocks, unsigned nodes, unsigned repetitions)
{
	hipGraph_t graph;
	hipGraphExec_t exec;
	must(hip->hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	enqueue(function, stream, blocks, nodes);
	must(hip->hipStreamEndCapture(stream, &graph));
	must(hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
	double eager = 1e30, replay = 1e30;
	for (unsigned i = 0; i < repetitions; i++) {
		double start = now_us();
		enqueue(function, stream, blocks, nodes);
		must(hip->hipStreamSynchronize(stream));
		double middle = now_us();
		must(hip->hipGraphLaunch(exec, stream));
		must(hip->hipStreamSynchronize(stream));
		double end = now_us();
		eager = middle - start < eager ? middle - start : eager;
		replay = end - middle < replay ? end - middle : replay;
	}
	printf("%6u blocks   eager %8.3f us   graph %8.3f us a node\n", blocks, eager / nodes, replay / nodes);
	must(hip->hipGraphExecDestroy(exec));
	must(hip->hipGraphDestroy(graph));
}

int main(int count, char **words)
{
	unsigned threads = count > 1 ? (unsigned)atoi(words[1]) : 0;
	unsigned nodes = count > 2 ? (unsigned)atoi(words[2]) : 1000;
	unsigned repetitions = count > 3 ? (unsigned)atoi(words[3]) : 20;
	struct greta_hip_options options = { .threads = threads };
	struct greta_hip *loaded;
	struct greta_error error;
	if (greta_hip_load("cpu", &options, &loaded, &error)) {
		fprintf(stderr, "bench_launch: %s\n", error.message);
		return 1;
	}
	hip = loaded;
	char name[256];
	int workers;
	hipStream_t stream;
	hipModule_t module;
	hipFunction_t function;
	must(hip->hipDeviceGetName(name, sizeof(name), 0));
	must(hip->hipDeviceGetAttribute(&workers, hipDeviceAttributeMultiprocessorCount, 0));
	must(hip->hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	must(hip->hipModuleLoadData(&module, &test_module));
	must(hip->hipModuleGetFunction(&function, module, "nothing"));
	printf("%s, %d threads, chains of %u empty kernels, best of %u\n", name, workers, nodes, repetitions);
	static const unsigned blocks[] = { 1, 2, 8, 64, 512 };
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		measure(function, stream, blocks[i], nodes, repetitions);
	greta_hip_unload(loaded);
	return 0;
}
