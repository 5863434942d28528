/* Streams and events. Flags of both are CUDA's bits. */
#include "runtime/nvidia/calls.h"
#include "runtime/nvidia/driver.h"

hipError_t greta_nvidia_hipStreamCreateWithFlags(hipStream_t *out_stream, unsigned int flags)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_result(cuda, cuda->stream_create(out_stream, flags), "cuStreamCreate", "flags %#x", flags) :
	    code;
}

/* CUDA takes 0 for its default stream where a stream of one's own is meant. */
static hipError_t no_stream(const char *call)
{
	return greta_nvidia_error(hipErrorInvalidHandle, "%s: no stream", call);
}

hipError_t greta_nvidia_hipStreamDestroy(hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	if (!cuda)
		return code;
	if (!stream)
		return no_stream("hipStreamDestroy");
	return greta_nvidia_status(cuda, cuda->stream_destroy(stream), "cuStreamDestroy");
}

hipError_t greta_nvidia_hipStreamSynchronize(hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->stream_synchronize(stream), "cuStreamSynchronize") : code;
}

hipError_t greta_nvidia_hipStreamQuery(hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->stream_query(stream), "cuStreamQuery") : code;
}

hipError_t greta_nvidia_hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned int flags)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->stream_wait_event(stream, event, flags), "cuStreamWaitEvent") :
	    code;
}

hipError_t greta_nvidia_hipEventCreateWithFlags(hipEvent_t *out_event, unsigned int flags)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_result(cuda, cuda->event_create(out_event, flags), "cuEventCreate", "flags %#x", flags) :
	    code;
}

hipError_t greta_nvidia_hipEventDestroy(hipEvent_t event)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->event_destroy(event), "cuEventDestroy") : code;
}

hipError_t greta_nvidia_hipEventRecord(hipEvent_t event, hipStream_t stream)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->event_record(event, stream), "cuEventRecord") : code;
}

hipError_t greta_nvidia_hipEventSynchronize(hipEvent_t event)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->event_synchronize(event), "cuEventSynchronize") : code;
}

hipError_t greta_nvidia_hipEventQuery(hipEvent_t event)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->event_query(event), "cuEventQuery") : code;
}

hipError_t greta_nvidia_hipEventElapsedTime(float *out_ms, hipEvent_t start, hipEvent_t stop)
{
	hipError_t code;
	const struct greta_cuda *cuda = greta_nvidia_enter(&code);
	return cuda ? greta_nvidia_status(cuda, cuda->event_elapsed_time(out_ms, start, stop), "cuEventElapsedTime") :
	    code;
}
