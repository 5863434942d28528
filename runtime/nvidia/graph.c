/* Capture and graphs. Modes and states of capture have CUDA's numbers. */
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

hipError_t greta_nvidia_hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode mode)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_result(cuda, cuda->stream_begin_capture(stream, (int)mode), "cuStreamBeginCapture",
	    "mode %d", (int)mode) : code;
}

hipError_t greta_nvidia_hipStreamEndCapture(hipStream_t stream, hipGraph_t *out_graph)
{
	hipError_t code;
	hipGraph_t graph = NULL;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	code = greta_nvidia_status(cuda, cuda->stream_end_capture(stream, &graph), "cuStreamEndCapture");
	if (!code && out_graph)
		*out_graph = graph;
	return code;
}

hipError_t greta_nvidia_hipStreamIsCapturing(hipStream_t stream, hipStreamCaptureStatus *out_status)
{
	hipError_t code;
	int status = 0;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!out_status)
		return greta_nvidia_error(hipErrorInvalidValue, "hipStreamIsCapturing: nowhere to write to");
	code = greta_nvidia_status(cuda, cuda->stream_is_capturing(stream, &status), "cuStreamIsCapturing");
	if (!code)
		*out_status = (hipStreamCaptureStatus)status;
	return code;
}

hipError_t greta_nvidia_hipGraphInstantiate(hipGraphExec_t *out_exec, hipGraph_t graph, hipGraphNode_t *out_error_node,
    char *log, size_t log_size)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (out_error_node)
		*out_error_node = NULL; /* the call of today's CUDA names neither node nor reason */
	if (log && log_size)
		log[0] = '\0';
	return greta_nvidia_status(cuda, cuda->graph_instantiate(out_exec, graph, 0), "cuGraphInstantiateWithFlags");
}

hipError_t greta_nvidia_hipGraphGetNodes(hipGraph_t graph, hipGraphNode_t *out_nodes, size_t *inout_count)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->graph_get_nodes(graph, out_nodes, inout_count), "cuGraphGetNodes")
		    : code;
}

hipError_t greta_nvidia_hipGraphLaunch(hipGraphExec_t exec, hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->graph_launch(exec, stream), "cuGraphLaunch") : code;
}

hipError_t greta_nvidia_hipGraphDestroy(hipGraph_t graph)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->graph_destroy(graph), "cuGraphDestroy") : code;
}

hipError_t greta_nvidia_hipGraphExecDestroy(hipGraphExec_t exec)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->graph_exec_destroy(exec), "cuGraphExecDestroy") : code;
}
