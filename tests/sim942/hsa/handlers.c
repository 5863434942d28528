/* Asynchronous signal handlers (one thread calls them), system event handlers. */
#include "simhsa.h"
#include <stdlib.h>
#include <unistd.h>

struct handler {
	struct handler *next;
	hsa_signal_t signal;
	hsa_signal_condition_t condition;
	int64_t reference;
	hsa_amd_signal_handler call;
	void *argument;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handler *handlers;         /* armed ones, in the order they were registered */
static bool running, stopping, calling;
static pthread_t thread;
static _Atomic uint32_t armed;           /* changes whenever a handler is added, for the idle thread */

static struct { hsa_amd_system_event_callback_t call; void *data; } system_handlers[16];
static size_t system_handler_count;

static void append(struct handler *handler)
{
	struct handler **at = &handlers;
	while (*at)
		at = &(*at)->next;
	handler->next = NULL;
	*at = handler;
}

/* Under the lock: takes out the first handler whose condition holds. */
static struct handler *take_met(int64_t *value)
{
	for (struct handler **at = &handlers; *at; at = &(*at)->next) {
		struct handler *handler = *at;
		*value = handler->signal.handle ? simhsa_signal_value(simhsa_signal(handler->signal)) : 0;
		if (!handler->signal.handle || simhsa_condition(handler->condition, *value, handler->reference)) {
			*at = handler->next;
			return handler;
		}
	}
	return NULL;
}

static void discard(struct handler *handler)
{
	if (handler->signal.handle)
		simhsa_signal_release(simhsa_signal(handler->signal));
	free(handler);
}

static void *serve(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	while (!stopping) {
		uint32_t seen = simhsa_generation(), seen_armed = atomic_load(&armed);
		int64_t value = 0;
		struct handler *handler = take_met(&value);
		bool idle = !handlers;
		calling = handler != NULL;
		pthread_mutex_unlock(&lock);
		if (handler) {
			if (simhsa_tracing(2))
				simhsa_trace("handler of signal %#lx called, value %ld", (long)handler->signal.handle, (long)value);
			COUNT(handlers_called, 1);
			bool again = handler->call(value, handler->argument);
			pthread_mutex_lock(&lock);
			calling = false;
			if (again)
				append(handler);
			else
				discard(handler);
			continue;
		}
		if (idle)
			simhsa_futex_wait(&armed, seen_armed, UINT64_MAX);
		else
			simhsa_wait_change(seen, UINT64_MAX);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void wake(void)
{
	atomic_fetch_add(&armed, 1);
	simhsa_futex_wake(&armed);
	simhsa_changed();
}

static hsa_status_t arm(hsa_signal_t signal, hsa_signal_condition_t condition, int64_t reference,
		hsa_amd_signal_handler call, void *argument)
{
	struct handler *handler = malloc(sizeof *handler);
	hsa_status_t status = handler ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	pthread_mutex_lock(&lock);
	if (handler && !running) {
		stopping = false;
		running = pthread_create(&thread, NULL, serve, NULL) == 0;
		if (!running)
			status = HSA_STATUS_ERROR_OUT_OF_RESOURCES;
	}
	if (status == HSA_STATUS_SUCCESS) {
		*handler = (struct handler){NULL, signal, condition, reference, call, argument};
		if (signal.handle)
			simhsa_signal_retain(simhsa_signal(signal));
		append(handler);
	} else {
		free(handler);
	}
	pthread_mutex_unlock(&lock);
	COUNT(handlers_registered, 1);
	wake();
	return status;
}

hsa_status_t hsa_amd_signal_async_handler(hsa_signal_t signal, hsa_signal_condition_t condition,
		hsa_signal_value_t reference, hsa_amd_signal_handler call, void *argument)
{
	REQUIRE_READY();
	if (!call || !signal.handle)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	if (simhsa_tracing(2))
		simhsa_trace("handler armed on signal %#lx", (long)signal.handle);
	return arm(signal, condition, reference, call, argument);
}

struct function { void (*call)(void *); void *argument; };

static bool call_function(hsa_signal_value_t value, void *data)
{
	struct function *function = data;
	(void)value;
	function->call(function->argument);
	free(function);
	return false;
}

hsa_status_t hsa_amd_async_function(void (*callback)(void *), void *argument)
{
	REQUIRE_READY();
	struct function *function = callback ? malloc(sizeof *function) : NULL;
	if (!function)
		return HSA_STATUS_ERROR_INVALID_ARGUMENT;
	*function = (struct function){callback, argument};
	return arm((hsa_signal_t){0}, HSA_SIGNAL_CONDITION_EQ, 0, call_function, function);
}

void simhsa_handlers_stop(void)
{
	pthread_mutex_lock(&lock);
	bool join = running && !pthread_equal(thread, pthread_self());
	stopping = true;
	running = false;
	pthread_mutex_unlock(&lock);
	wake();
	if (join)
		pthread_join(thread, NULL);
}

/* HIP tears its devices down without waiting for the end of the handlers that completed the last commands; on the
 * device the time that it takes to destroy a queue covers for that. */
void simhsa_handlers_settle(void)
{
	for (int i = 0; i < 500; i++) {
		bool due = false;
		pthread_mutex_lock(&lock);
		bool busy = running && !pthread_equal(thread, pthread_self());
		for (struct handler *at = handlers; at && busy && !due; at = at->next)
			due = at->signal.handle && simhsa_condition(at->condition,
					simhsa_signal_value(simhsa_signal(at->signal)), at->reference);
		busy = busy && (calling || due);
		pthread_mutex_unlock(&lock);
		if (!busy)
			return;
		usleep(1000);
	}
}

/* ---- system events ---- */
hsa_status_t hsa_amd_register_system_event_handler(hsa_amd_system_event_callback_t callback, void *data)
{
	REQUIRE_READY();
	pthread_mutex_lock(&lock);
	bool fits = callback && system_handler_count < sizeof system_handlers / sizeof *system_handlers;
	if (fits) {
		system_handlers[system_handler_count].call = callback;
		system_handlers[system_handler_count++].data = data;
	}
	pthread_mutex_unlock(&lock);
	return fits ? HSA_STATUS_SUCCESS : HSA_STATUS_ERROR_INVALID_ARGUMENT;
}

hsa_status_t simhsa_raise_memory_fault(uint64_t address)
{
	hsa_amd_event_t event = {.event_type = HSA_AMD_GPU_MEMORY_FAULT_EVENT};
	hsa_status_t status = HSA_STATUS_ERROR;
	event.memory_fault.agent = agent_handle(&simhsa_gpu);
	event.memory_fault.virtual_address = address;
	event.memory_fault.fault_reason_mask = HSA_AMD_MEMORY_FAULT_PAGE_NOT_PRESENT;
	for (size_t i = 0; i < system_handler_count; i++)
		if (system_handlers[i].call(&event, system_handlers[i].data) == HSA_STATUS_SUCCESS)
			status = HSA_STATUS_SUCCESS;
	return status;
}
