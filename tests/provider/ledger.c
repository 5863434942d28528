#include "tests/provider/ledger.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 4096

enum kind { DEVICE, HOST, REGISTERED, STREAM, EVENT, CAPTURE, GRAPH, EXEC, MODULE, KINDS };

static const char *const words[KINDS] = {
	"device allocation", "host allocation", "registered range", "stream", "event", "open capture", "graph",
	"executable graph", "module",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct greta_hip inner;
static struct entry {
	const void *handle;
	size_t bytes;
	enum kind kind;
} entries[ENTRIES_MAX];
static size_t count, held_bytes[KINDS], peak_bytes[KINDS];
static unsigned long wrong;

static hipError_t enter(hipError_t code, enum kind kind, const void *handle, size_t bytes)
{
	if (code != hipSuccess)
		return code;
	pthread_mutex_lock(&lock);
	if (count < ENTRIES_MAX)
		entries[count++] = (struct entry){ handle, bytes, kind };
	else
		wrong++;
	held_bytes[kind] += bytes;
	if (held_bytes[kind] > peak_bytes[kind])
		peak_bytes[kind] = held_bytes[kind];
	pthread_mutex_unlock(&lock);
	return hipSuccess;
}

static void strike(enum kind kind, const void *handle)
{
	size_t i = 0;
	pthread_mutex_lock(&lock);
	while (i < count && (entries[i].kind != kind || entries[i].handle != handle))
		i++;
	if (i < count) {
		held_bytes[kind] -= entries[i].bytes;
		entries[i] = entries[--count];
	} else {
		wrong++;
	}
	pthread_mutex_unlock(&lock);
}

/* ---- What is acquired ---- */

static hipError_t book_malloc(void **out_address, size_t size)
{
	hipError_t code = inner.hipMalloc(out_address, size);
	return enter(code, DEVICE, code ? NULL : *out_address, size);
}

static hipError_t book_host_malloc(void **out_address, size_t size, unsigned int flags)
{
	hipError_t code = inner.hipHostMalloc(out_address, size, flags);
	return enter(code, HOST, code ? NULL : *out_address, size);
}

static hipError_t book_register(void *address, size_t size, unsigned int flags)
{
	return enter(inner.hipHostRegister(address, size, flags), REGISTERED, address, size);
}

static hipError_t book_stream(hipStream_t *out_stream, unsigned int flags)
{
	hipError_t code = inner.hipStreamCreateWithFlags(out_stream, flags);
	return enter(code, STREAM, code ? NULL : *out_stream, 0);
}

static hipError_t book_event(hipEvent_t *out_event, unsigned int flags)
{
	hipError_t code = inner.hipEventCreateWithFlags(out_event, flags);
	return enter(code, EVENT, code ? NULL : *out_event, 0);
}

static hipError_t book_begin_capture(hipStream_t stream, hipStreamCaptureMode mode)
{
	return enter(inner.hipStreamBeginCapture(stream, mode), CAPTURE, stream, 0);
}

static hipError_t book_end_capture(hipStream_t stream, hipGraph_t *out_graph)
{
	strike(CAPTURE, stream);
	hipError_t code = inner.hipStreamEndCapture(stream, out_graph);
	return code == hipSuccess && *out_graph ? enter(code, GRAPH, *out_graph, 0) : code;
}

static hipError_t book_instantiate(
    hipGraphExec_t *out_exec, hipGraph_t graph, hipGraphNode_t *out_error_node, char *log, size_t log_size)
{
	hipError_t code = inner.hipGraphInstantiate(out_exec, graph, out_error_node, log, log_size);
	return enter(code, EXEC, code ? NULL : *out_exec, 0);
}

static hipError_t book_module(hipModule_t *out_module, const void *image)
{
	hipError_t code = inner.hipModuleLoadData(out_module, image);
	return enter(code, MODULE, code ? NULL : *out_module, 0);
}

/* ---- What is given back ---- */

#define GIVEN_BACK(X) \
	X(hipFree, void *, DEVICE) \
	X(hipHostFree, void *, HOST) \
	X(hipHostUnregister, void *, REGISTERED) \
	X(hipStreamDestroy, hipStream_t, STREAM) \
	X(hipEventDestroy, hipEvent_t, EVENT) \
	X(hipGraphDestroy, hipGraph_t, GRAPH) \
	X(hipGraphExecDestroy, hipGraphExec_t, EXEC) \
	X(hipModuleUnload, hipModule_t, MODULE)

#define BOOK_BACK(name, type, kind) \
	static hipError_t book_##name(type handle) \
	{ \
		strike(kind, handle); \
		return inner.name(handle); \
	}
GIVEN_BACK(BOOK_BACK)
#undef BOOK_BACK

void ledger_wrap(const struct greta_hip *wrapped, struct greta_hip *out_hip)
{
	pthread_mutex_lock(&lock);
	inner = *wrapped;
	count = 0;
	wrong = 0;
	memset(held_bytes, 0, sizeof(held_bytes));
	memset(peak_bytes, 0, sizeof(peak_bytes));
	pthread_mutex_unlock(&lock);
	*out_hip = *wrapped;
	out_hip->hipMalloc = book_malloc;
	out_hip->hipHostMalloc = book_host_malloc;
	out_hip->hipHostRegister = book_register;
	out_hip->hipStreamCreateWithFlags = book_stream;
	out_hip->hipEventCreateWithFlags = book_event;
	out_hip->hipStreamBeginCapture = book_begin_capture;
	out_hip->hipStreamEndCapture = book_end_capture;
	out_hip->hipGraphInstantiate = book_instantiate;
	out_hip->hipModuleLoadData = book_module;
#define BOOK_ENTRY(name, type, kind) out_hip->name = book_##name;
	GIVEN_BACK(BOOK_ENTRY)
#undef BOOK_ENTRY
}

size_t ledger_held(char *out_text, size_t size)
{
	size_t of_kind[KINDS] = { 0 }, used = 0;
	pthread_mutex_lock(&lock);
	size_t held = count;
	for (size_t i = 0; i < count; i++)
		of_kind[entries[i].kind]++;
	pthread_mutex_unlock(&lock);
	if (out_text && size)
		out_text[0] = '\0';
	for (int kind = 0; kind < KINDS && out_text; kind++) {
		if (!of_kind[kind] || used >= size)
			continue;
		int added = snprintf(out_text + used, size - used, "%s%zu %s%s", used ? ", " : "", of_kind[kind],
		    words[kind], of_kind[kind] > 1 ? "s" : "");
		used += added > 0 ? (size_t)added : 0;
	}
	return held;
}

static size_t read_size(const size_t *value)
{
	pthread_mutex_lock(&lock);
	size_t read = *value;
	pthread_mutex_unlock(&lock);
	return read;
}

unsigned long ledger_wrong(void)
{
	pthread_mutex_lock(&lock);
	unsigned long read = wrong;
	pthread_mutex_unlock(&lock);
	return read;
}

size_t ledger_device_peak(void) { return read_size(&peak_bytes[DEVICE]); }
size_t ledger_host_peak(void) { return read_size(&peak_bytes[HOST]); }
size_t ledger_host_bytes(void) { return read_size(&held_bytes[HOST]); }
