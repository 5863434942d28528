#include "tests/provider/fault.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAMES_KEPT 65536u

/* The calls by number, to count each. */
enum call {
#define FAULT_NUMBER(name, parameters, arguments) CALL_##name,
	GRETA_HIP_STATUS_CALLS(FAULT_NUMBER)
#undef FAULT_NUMBER
	CALLS
};

static const char *const names[CALLS] = {
#define FAULT_NAME(name, parameters, arguments) [CALL_##name] = #name,
	GRETA_HIP_STATUS_CALLS(FAULT_NAME)
#undef FAULT_NAME
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct greta_hip *inner;
static unsigned long total, injected, each[CALLS];
static unsigned char kept[NAMES_KEPT];
static struct {
	enum call call; /* CALLS: any */
	unsigned long nth;
	hipError_t code;
} fault;
static _Thread_local char detail[64]; /* "" when the thread's last failure was the inner provider's */

_Static_assert(CALLS <= 256, "a kept name is a byte");

static const enum call giving_back[] = {
	CALL_hipFree, CALL_hipHostFree, CALL_hipHostUnregister, CALL_hipStreamDestroy, CALL_hipEventDestroy,
	CALL_hipGraphDestroy, CALL_hipGraphExecDestroy, CALL_hipModuleUnload, CALL_hipStreamEndCapture,
};

static bool gives_back(enum call call)
{
	for (size_t i = 0; i < sizeof(giving_back) / sizeof(giving_back[0]); i++) {
		if (giving_back[i] == call)
			return true;
	}
	return false;
}

/* Counts a call; true when it is to fail with *out_code. */
static bool count(enum call call, hipError_t *out_code)
{
	bool polls = call == CALL_hipEventQuery || call == CALL_hipStreamQuery;
	pthread_mutex_lock(&lock);
	unsigned long nth = polls ? total : ++total, nth_of = ++each[call];
	if (!polls && nth <= NAMES_KEPT)
		kept[nth - 1] = (unsigned char)call;
	bool fails = call != CALL_hipGetLastError && fault.nth &&
	    (fault.call == CALLS ? !polls && nth == fault.nth : fault.call == call && nth_of == fault.nth);
	if (fails)
		injected++;
	*out_code = fault.code;
	pthread_mutex_unlock(&lock);
	detail[0] = '\0';
	if (fails)
		snprintf(detail, sizeof(detail), "injected into call %lu, %s", nth, names[call]);
	return fails;
}

/* A trampoline for each call. */
#define FAULT_STATUS_CALL(name, parameters, arguments) \
	static hipError_t fault_##name parameters \
	{ \
		hipError_t code; \
		if (!count(CALL_##name, &code)) \
			return inner->name arguments; \
		if (gives_back(CALL_##name)) \
			inner->name arguments; \
		return code; \
	}
GRETA_HIP_STATUS_CALLS(FAULT_STATUS_CALL)
#undef FAULT_STATUS_CALL

#define FAULT_TEXT_CALL(name, parameters, arguments) \
	static const char *fault_##name parameters \
	{ \
		return inner->name arguments; \
	}
GRETA_HIP_TEXT_CALLS(FAULT_TEXT_CALL)
#undef FAULT_TEXT_CALL

/* What a failed end of a capture was to hand over is nobody's. */
static hipError_t end_capture(hipStream_t stream, hipGraph_t *out_graph)
{
	hipGraph_t graph = NULL;
	hipError_t code = fault_hipStreamEndCapture(stream, &graph);
	if (code == hipSuccess)
		*out_graph = graph;
	else if (graph)
		inner->hipGraphDestroy(graph);
	return code;
}

static const char *fault_detail(void)
{
	return detail[0] ? detail : inner->detail();
}

static enum call find(const char *name)
{
	enum call call = 0;
	while (call < CALLS && strcmp(names[call], name) != 0)
		call++;
	return call;
}

void fault_wrap(const struct greta_hip *wrapped, struct greta_hip *out_hip)
{
	pthread_mutex_lock(&lock);
	inner = wrapped;
	total = injected = 0;
	memset(each, 0, sizeof(each));
	fault.nth = 0;
	pthread_mutex_unlock(&lock);
	*out_hip = (struct greta_hip){
		.provider = wrapped->provider,
#define FAULT_ENTRY(name, parameters, arguments) .name = fault_##name,
		GRETA_HIP_CALLS(FAULT_ENTRY)
#undef FAULT_ENTRY
		.detail = fault_detail,
		.architecture = wrapped->architecture,
	};
	out_hip->hipStreamEndCapture = end_capture;
}

void fault_fail_nth(unsigned long nth, hipError_t code)
{
	pthread_mutex_lock(&lock);
	fault.call = CALLS;
	fault.nth = nth;
	fault.code = code;
	pthread_mutex_unlock(&lock);
}

void fault_fail_nth_of(const char *name, unsigned long nth, hipError_t code)
{
	enum call call = name ? find(name) : CALLS;
	pthread_mutex_lock(&lock);
	fault.call = call;
	fault.nth = call == CALLS ? 0 : nth;
	fault.code = code;
	pthread_mutex_unlock(&lock);
}

bool fault_gives_back(const char *name)
{
	return gives_back(find(name));
}

unsigned long fault_count(void)
{
	pthread_mutex_lock(&lock);
	unsigned long count_now = total;
	pthread_mutex_unlock(&lock);
	return count_now;
}

unsigned long fault_count_of(const char *name)
{
	enum call call = find(name);
	pthread_mutex_lock(&lock);
	unsigned long count_now = call == CALLS ? 0 : each[call];
	pthread_mutex_unlock(&lock);
	return count_now;
}

const char *fault_name(unsigned long nth)
{
	pthread_mutex_lock(&lock);
	const char *name = nth && nth <= total && nth <= NAMES_KEPT ? names[kept[nth - 1]] : NULL;
	pthread_mutex_unlock(&lock);
	return name;
}

unsigned long fault_injected(void)
{
	pthread_mutex_lock(&lock);
	unsigned long count_now = injected;
	pthread_mutex_unlock(&lock);
	return count_now;
}
