#include "runtime/cpu/graph.h"
#include "runtime/cpu/calls.h"
#include "runtime/cpu/capture.h"
#include "runtime/cpu/stream.h"

#include <stdlib.h>
#include <string.h>

/* Nodes and arguments in one block of memory: the replay runs through it from front to back. */
struct hipGraphExec {
	struct greta_cpu_object object;
	size_t count;
	struct greta_cpu_node *nodes;
};

bool greta_cpu_set_has(const struct greta_cpu_set *set, uint32_t index)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->at[i] == index)
			return true;
	}
	return false;
}

static bool set_reserve(struct greta_cpu_set *set, size_t more)
{
	if (set->count + more <= set->capacity)
		return true;
	size_t capacity = 2 * (set->count + more);
	uint32_t *at = realloc(set->at, capacity * sizeof(*at));
	if (!at)
		return false;
	set->at = at;
	set->capacity = capacity;
	return true;
}

bool greta_cpu_set_add(struct greta_cpu_set *set, uint32_t index)
{
	if (greta_cpu_set_has(set, index))
		return true;
	if (!set_reserve(set, 1))
		return false;
	set->at[set->count++] = index;
	return true;
}

bool greta_cpu_set_add_all(struct greta_cpu_set *set, const struct greta_cpu_set *other)
{
	if (!set_reserve(set, other->count))
		return false;
	for (size_t i = 0; i < other->count; i++)
		greta_cpu_set_add(set, other->at[i]);
	return true;
}

void greta_cpu_set_finish(struct greta_cpu_set *set)
{
	free(set->at);
	*set = (struct greta_cpu_set){ 0 };
}

struct ihipGraph *greta_cpu_graph_create(void)
{
	return calloc(1, sizeof(struct ihipGraph));
}

void greta_cpu_graph_destroy(struct ihipGraph *graph)
{
	for (size_t i = 0; i < graph->count; i++) {
		greta_cpu_set_finish(&graph->nodes[i]->after);
		free(graph->nodes[i]);
	}
	free(graph->nodes);
	free(graph);
}

static struct hipGraphNode *node_create(const struct greta_cpu_node *work, size_t args_size)
{
	struct hipGraphNode *node;
	if (posix_memalign((void **)&node, 64, sizeof(*node) + args_size))
		return NULL;
	*node = (struct hipGraphNode){ .work = *work, .args_size = args_size };
	if (args_size)
		memcpy(node->args, work->args, args_size);
	node->work.args = node->args;
	return node;
}

bool greta_cpu_graph_add(struct ihipGraph *graph, const struct greta_cpu_node *work, size_t args_size,
    struct greta_cpu_set *inout_after)
{
	if (graph->count == UINT32_MAX || !set_reserve(inout_after, 1))
		return false;
	if (graph->count == graph->capacity) {
		size_t capacity = graph->capacity ? 2 * graph->capacity : 64;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
		struct hipGraphNode **nodes = realloc(graph->nodes, capacity * sizeof(*nodes));
		if (!nodes)
			return false;
		graph->nodes = nodes;
		graph->capacity = capacity;
	}
	struct hipGraphNode *node = node_create(work, args_size);
	if (!node)
		return false;
	if (!greta_cpu_set_add_all(&node->after, inout_after)) {
		free(node);
		return false;
	}
	for (size_t i = 0; i < inout_after->count; i++)
		graph->nodes[inout_after->at[i]]->followed = true;
	inout_after->count = 0;
	inout_after->at[inout_after->count++] = (uint32_t)graph->count;
	graph->nodes[graph->count++] = node;
	return true;
}

static void release_graph(void *object)
{
	greta_cpu_graph_destroy(object);
}

void greta_cpu_graph_publish(struct greta_cpu_device *device, struct ihipGraph *graph)
{
	greta_cpu_object_add(device, graph, GRETA_CPU_GRAPH, release_graph);
}

static void release_exec(void *object)
{
	struct hipGraphExec *exec = object;
	free(exec->nodes);
	free(exec);
}

static size_t round_up_64(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

static struct hipGraphExec *flatten(const struct ihipGraph *graph)
{
	/* no overflow: every term is smaller than what its node takes in memory already */
	size_t size = round_up_64(graph->count * sizeof(struct greta_cpu_node)), at = size;
	for (size_t i = 0; i < graph->count; i++)
		size += round_up_64(graph->nodes[i]->args_size);
	struct hipGraphExec *exec = calloc(1, sizeof(*exec));
	unsigned char *bytes;
	if (!exec || posix_memalign((void **)&bytes, 64, size ? size : 64)) {
		free(exec);
		return NULL;
	}
	exec->count = graph->count;
	exec->nodes = (void *)bytes;
	for (size_t i = 0; i < graph->count; i++) {
		const struct hipGraphNode *node = graph->nodes[i];
		memcpy(bytes + at, node->args, node->args_size);
		exec->nodes[i] = node->work;
		exec->nodes[i].args = bytes + at;
		at += round_up_64(node->args_size);
	}
	return exec;
}

hipError_t greta_cpu_hipGraphInstantiate(hipGraphExec_t *out_exec, hipGraph_t graph, hipGraphNode_t *out_error_node,
    char *log, size_t log_size)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (out_error_node)
		*out_error_node = NULL;
	if (log && log_size)
		log[0] = '\0';
	if (!out_exec || !greta_cpu_object_is(graph, GRETA_CPU_GRAPH))
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipGraphInstantiate: no graph");
	struct hipGraphExec *exec = flatten(graph);
	if (!exec)
		return greta_cpu_reject(device, hipErrorOutOfMemory, "no memory for an executable graph of %zu nodes",
		    graph->count);
	greta_cpu_object_add(device, exec, GRETA_CPU_EXEC, release_exec);
	*out_exec = exec;
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipGraphGetNodes(hipGraph_t graph, hipGraphNode_t *out_nodes, size_t *inout_count)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!inout_count || !greta_cpu_object_is(graph, GRETA_CPU_GRAPH))
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipGraphGetNodes: no graph or no count");
	if (!out_nodes) {
		*inout_count = graph->count;
		return greta_cpu_unlock(device, hipSuccess);
	}
	/* as in HIP: places beyond the last node become NULL, and the count what was written */
	for (size_t i = 0; i < *inout_count; i++)
		out_nodes[i] = i < graph->count ? graph->nodes[i] : NULL;
	if (*inout_count > graph->count)
		*inout_count = graph->count;
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipGraphLaunch(hipGraphExec_t exec, hipStream_t stream)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	hipError_t code = greta_cpu_stream_check(device, stream, "hipGraphLaunch");
	if (code)
		return greta_cpu_unlock(device, code);
	if (!greta_cpu_object_is(exec, GRETA_CPU_EXEC))
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipGraphLaunch: no executable graph");
	if (stream && stream->capture)
		return greta_cpu_unlock(device, greta_cpu_capture_break(stream->capture,
		    hipErrorStreamCaptureUnsupported, "hipGraphLaunch: a graph inside a capture is not supported"));
	greta_cpu_unlock(device, hipSuccess);
	greta_cpu_queue_replay(device->queue, exec->nodes, exec->count, stream ? &stream->ticket : NULL);
	return hipSuccess;
}

hipError_t greta_cpu_hipGraphDestroy(hipGraph_t graph)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(graph, GRETA_CPU_GRAPH))
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipGraphDestroy: no graph");
	greta_cpu_object_remove(graph);
	greta_cpu_graph_destroy(graph);
	return greta_cpu_unlock(device, hipSuccess);
}

hipError_t greta_cpu_hipGraphExecDestroy(hipGraphExec_t exec)
{
	struct greta_cpu_device *device = greta_cpu_lock();
	if (!device)
		return hipErrorNotInitialized;
	if (!greta_cpu_object_is(exec, GRETA_CPU_EXEC))
		return greta_cpu_reject(device, hipErrorInvalidValue, "hipGraphExecDestroy: no executable graph");
	greta_cpu_object_remove(exec);
	greta_cpu_unlock(device, hipSuccess);
	greta_cpu_queue_call(device->queue, release_exec, exec, NULL,
	    NULL); /* after the replays that are on their way */
	return hipSuccess;
}
