/* The packet processor: one thread a queue takes AQL packets in order and finishes each before the next, so the
 * barrier bit always holds. Kernels of different queues run one at a time (see device.c). */
#include "simhsa.h"
#include "simhsa_control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_PM4_IB 1

static atomic_bool held, skipping;

void simhsa_hold(int hold)
{
	atomic_store(&held, hold != 0);
	simhsa_changed();
}

void simhsa_skip_kernels(int skip)
{
	atomic_store(&skipping, skip != 0);
}

union packet {
	uint16_t header;
	hsa_kernel_dispatch_packet_t kernel;
	hsa_barrier_and_packet_t barrier;         /* the OR packet has the same fields */
	hsa_amd_barrier_value_packet_t value;
	struct {
		uint8_t unused[56];
		hsa_signal_t completion;                /* every kind of packet has it here */
	};
};
_Static_assert(sizeof(union packet) == 64, "an AQL packet has 64 bytes");

static unsigned field(uint16_t header, unsigned at, unsigned width)
{
	return (unsigned)header >> at & ((1u << width) - 1);
}

static void fail(struct queue *queue, hsa_status_t status)
{
	atomic_store(&queue->failed, true);
	if (queue->callback)
		queue->callback(status, &queue->amd.hsa_queue, queue->callback_data);
	else
		abort();
}

/* A kernel that the simulator stopped. */
static void kernel_failed(struct queue *queue, const char *name, const char *why)
{
	static const char *const fault_words[] = {"outside all tracked memory", "no user address"};
	simhsa_message("kernel %s failed on queue %u: %s", name, queue->number, why);
	for (size_t i = 0; i < sizeof fault_words / sizeof *fault_words; i++)
		if (strstr(why, fault_words[i])) {
			const char *number = strstr(why, " at 0x");
			atomic_store(&queue->failed, true);
			if (simhsa_raise_memory_fault(number ? strtoull(number + 4, NULL, 16) : 0) != HSA_STATUS_SUCCESS) {
				simhsa_message("memory access fault by the simulated GPU: aborting, as the driver would");
				abort();
			}
			return;
		}
	fail(queue, strstr(why, "instruction") ? HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION : HSA_STATUS_ERROR_EXCEPTION);
}

static const char *complaint(const hsa_kernel_dispatch_packet_t *packet)
{
	uint32_t items = (uint32_t)packet->workgroup_size_x * packet->workgroup_size_y * packet->workgroup_size_z;
	unsigned dimensions = packet->setup & 3;
	if (!dimensions)
		return "no dimensions";
	if (!items || !packet->grid_size_x || !packet->grid_size_y || !packet->grid_size_z)
		return "an empty grid or work-group";
	if (items > 1024)
		return "a work-group of more than 1,024 work-items";
	if (packet->group_segment_size > SIMHSA_LDS_BYTES)
		return "more LDS than a compute unit has";
	if ((uintptr_t)packet->kernarg_address % 16)
		return "kernel arguments that are not 16-byte aligned";
	if (packet->kernarg_address && !simhsa_accessible(packet->kernarg_address, 1))
		return "kernel arguments in memory that the device cannot access";
	return NULL;
}

static bool run_kernel(struct queue *queue, const hsa_kernel_dispatch_packet_t *packet)
{
	char err[1024] = "", name[256];
	const void *descriptor = (const void *)(uintptr_t)packet->kernel_object;
	if (!simhsa_kernel_name(descriptor, name, sizeof name)) {
		simhsa_message("queue %u: dispatch of %p, which is no loaded kernel", queue->number, descriptor);
		fail(queue, HSA_STATUS_ERROR_INVALID_CODE_OBJECT);
		return false;
	}
	const char *wrong = complaint(packet);
	if (wrong) {
		simhsa_message("queue %u: dispatch of %s with %s", queue->number, name, wrong);
		fail(queue, HSA_STATUS_ERROR_INVALID_PACKET_FORMAT);
		return false;
	}
	unsigned dimensions = packet->setup & 3;
	struct sim942_dispatch dispatch = {
		.descriptor = descriptor,
		.grid = {packet->grid_size_x, dimensions > 1 ? packet->grid_size_y : 1, dimensions > 2 ? packet->grid_size_z : 1},
		.workgroup = {packet->workgroup_size_x, packet->workgroup_size_y, packet->workgroup_size_z},
		.kernarg = packet->kernarg_address,
		.lds_bytes = packet->group_segment_size,
	};
	if (!atomic_load(&skipping) && simhsa_run(&dispatch, err, sizeof err)) {
		kernel_failed(queue, name, err);
		return false;
	}
	return true;
}

/* Whether a wait on these signals is over: all zero, or any. */
static bool resolved(const union packet *packet, bool all)
{
	bool any = false, every = true, one = false;
	for (int i = 0; i < 5; i++) {
		struct signal *signal = simhsa_signal(packet->barrier.dep_signal[i]);
		if (!signal)
			continue;
		bool zero = simhsa_signal_value(signal) == 0;
		one = true;
		any |= zero;
		every &= zero;
	}
	return all ? every : any || !one;
}

static bool value_met(const hsa_amd_barrier_value_packet_t *packet)
{
	struct signal *signal = simhsa_signal(packet->signal);
	return !signal || simhsa_condition(packet->cond, simhsa_signal_value(signal) & packet->mask, packet->value);
}

/* AMD's runtime waits for a memory value (hipStreamWaitValue) by a kernel that polls it. Simulated, it would keep the
 * kernel that writes the value from running, so the packet processor does the polling itself. Its arguments, from its
 * metadata: */
struct stream_wait {
	const volatile uint32_t *narrow;     /* either this or wide is set */
	const volatile uint64_t *wide;
	uint64_t value, compare, mask;       /* compare: hipStreamWaitValueGte, Eq, And, Nor */
};

static const struct stream_wait *stream_wait(const union packet *packet, unsigned type)
{
	char name[64];
	bool is = type == HSA_PACKET_TYPE_KERNEL_DISPATCH
			&& simhsa_kernel_name((const void *)(uintptr_t)packet->kernel.kernel_object, name, sizeof name)
			&& !strcmp(name, "__amd_rocclr_streamOpsWait")
			&& simhsa_accessible(packet->kernel.kernarg_address, sizeof(struct stream_wait));
	return is ? packet->kernel.kernarg_address : NULL;
}

static bool stream_wait_over(const struct stream_wait *wait)
{
	const volatile void *address = wait->narrow ? (const volatile void *)wait->narrow : (const volatile void *)wait->wide;
	if (!simhsa_accessible((const void *)address, wait->narrow ? 4 : 8)) {
		simhsa_message("a wait for a value at %p, which the device cannot access", (const void *)address);
		return true;
	}
	uint64_t now = (wait->narrow ? *wait->narrow : *wait->wide) & wait->mask;
	switch (wait->compare) {
	case 0:
		return now >= wait->value;
	case 1:
		return now == wait->value;
	case 2:
		return (now & wait->value) != 0;
	default:
		return ~(now | wait->value) != 0;
	}
}

static bool may_proceed(const union packet *packet, unsigned type, const struct stream_wait *wait)
{
	if (wait)
		return stream_wait_over(wait);
	switch (type) {
	case HSA_PACKET_TYPE_BARRIER_AND:
		return resolved(packet, true);
	case HSA_PACKET_TYPE_BARRIER_OR:
		return resolved(packet, false);
	case HSA_PACKET_TYPE_VENDOR_SPECIFIC:
		return packet->value.header.AmdFormat != HSA_AMD_PACKET_TYPE_BARRIER_VALUE || value_met(&packet->value);
	}
	return true;
}

static void count(const struct queue *queue, const union packet *packet, unsigned type)
{
	unsigned acquire = field(packet->header, HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE, 2);
	unsigned release = field(packet->header, HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE, 2);
	switch (type) {
	case HSA_PACKET_TYPE_KERNEL_DISPATCH:
		COUNT(kernels, 1);
		COUNT(kernels_cooperative, queue->cooperative);
		break;
	case HSA_PACKET_TYPE_BARRIER_AND:
		COUNT(barrier_and, 1);
		break;
	case HSA_PACKET_TYPE_BARRIER_OR:
		COUNT(barrier_or, 1);
		break;
	case HSA_PACKET_TYPE_VENDOR_SPECIFIC:
		if (packet->value.header.AmdFormat == HSA_AMD_PACKET_TYPE_BARRIER_VALUE)
			COUNT(barrier_value, 1);
		else
			COUNT(pm4, 1);
		break;
	default:
		COUNT(other, 1);
	}
	COUNT(with_barrier_bit, field(packet->header, HSA_PACKET_HEADER_BARRIER, 1));
	COUNT(with_completion_signal, packet->completion.handle != 0);
	COUNT(acquire_agent, acquire == HSA_FENCE_SCOPE_AGENT);
	COUNT(acquire_system, acquire == HSA_FENCE_SCOPE_SYSTEM);
	COUNT(release_agent, release == HSA_FENCE_SCOPE_AGENT);
	COUNT(release_system, release == HSA_FENCE_SCOPE_SYSTEM);
}

static void trace(const struct queue *queue, uint64_t index, const union packet *packet, unsigned type)
{
	static const char *const scopes[] = {"none", "agent", "system", "?"};
	char what[512], name[256];
	const hsa_kernel_dispatch_packet_t *kernel = &packet->kernel;
	switch (type) {
	case HSA_PACKET_TYPE_KERNEL_DISPATCH:
		if (!simhsa_kernel_name((const void *)(uintptr_t)kernel->kernel_object, name, sizeof name))
			snprintf(name, sizeof name, "(unknown)");
		snprintf(what, sizeof what, "kernel %s grid %u,%u,%u work-group %u,%u,%u LDS %u scratch %u arguments %p", name,
				kernel->grid_size_x, kernel->grid_size_y, kernel->grid_size_z, kernel->workgroup_size_x,
				kernel->workgroup_size_y, kernel->workgroup_size_z, kernel->group_segment_size,
				kernel->private_segment_size, kernel->kernarg_address);
		break;
	case HSA_PACKET_TYPE_BARRIER_AND:
	case HSA_PACKET_TYPE_BARRIER_OR:
		snprintf(what, sizeof what, "barrier-%s on %#lx %#lx %#lx %#lx %#lx",
				type == HSA_PACKET_TYPE_BARRIER_AND ? "and" : "or", (long)packet->barrier.dep_signal[0].handle,
				(long)packet->barrier.dep_signal[1].handle, (long)packet->barrier.dep_signal[2].handle,
				(long)packet->barrier.dep_signal[3].handle, (long)packet->barrier.dep_signal[4].handle);
		break;
	case HSA_PACKET_TYPE_VENDOR_SPECIFIC:
		snprintf(what, sizeof what, "vendor format %u signal %#lx value %#lx", packet->value.header.AmdFormat,
				(long)packet->value.signal.handle, (long)packet->value.value);
		break;
	default:
		snprintf(what, sizeof what, "type %u", type);
	}
	simhsa_trace("queue %u #%lu %s%s acquire %s release %s completion %#lx", queue->number, (unsigned long)index, what,
			field(packet->header, HSA_PACKET_HEADER_BARRIER, 1) ? " BARRIER" : "",
			scopes[field(packet->header, HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE, 2)],
			scopes[field(packet->header, HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE, 2)], (long)packet->completion.handle);
}

static bool execute(struct queue *queue, const union packet *packet, unsigned type)
{
	switch (type) {
	case HSA_PACKET_TYPE_KERNEL_DISPATCH:
		return run_kernel(queue, &packet->kernel);
	case HSA_PACKET_TYPE_BARRIER_AND:
	case HSA_PACKET_TYPE_BARRIER_OR:
		return true;
	case HSA_PACKET_TYPE_VENDOR_SPECIFIC:
		if (packet->value.header.AmdFormat == HSA_AMD_PACKET_TYPE_BARRIER_VALUE
				|| packet->value.header.AmdFormat == FORMAT_PM4_IB)
			return true;
	}
	simhsa_message("queue %u: a packet of type %u, vendor format %u, which is not simulated", queue->number, type,
			packet->value.header.AmdFormat);
	fail(queue, HSA_STATUS_ERROR_INVALID_PACKET_FORMAT);
	return false;
}

/* Takes the packet at the read index; its slot is free afterwards. Returns false while it is not written yet. */
static bool take(struct queue *queue, uint64_t index, union packet *out)
{
	hsa_queue_t *api = &queue->amd.hsa_queue;
	union packet *slot = (union packet *)api->base_address + (index & (api->size - 1));
	uint16_t header = __atomic_load_n(&slot->header, __ATOMIC_ACQUIRE);
	if (field(header, HSA_PACKET_HEADER_TYPE, 8) == HSA_PACKET_TYPE_INVALID)
		return false;
	memcpy(out, slot, sizeof *out);
	out->header = header;
	__atomic_store_n(&slot->header, HSA_PACKET_TYPE_INVALID << HSA_PACKET_HEADER_TYPE, __ATOMIC_RELEASE);
	__atomic_store_n(&queue->amd.read_dispatch_id, index + 1, __ATOMIC_RELEASE);
	return true;
}

static void process(struct queue *queue, uint64_t index, const union packet *packet)
{
	unsigned type = field(packet->header, HSA_PACKET_HEADER_TYPE, 8);
	count(queue, packet, type);
	simhsa_jitter();
	if (simhsa_tracing(1))
		trace(queue, index, packet, type);
	const struct stream_wait *wait = stream_wait(packet, type);
	for (;;) {
		uint32_t seen = simhsa_generation();
		if (may_proceed(packet, type, wait))
			break;
		if (atomic_load(&queue->stop))
			return;
		simhsa_wait_change(seen, UINT64_MAX);
	}
	uint64_t start = simhsa_now();
	if (wait || execute(queue, packet, type))
		simhsa_signal_complete(packet->completion, start, simhsa_now());
}

void *simhsa_packet_processor(void *argument)
{
	struct queue *queue = argument;
	while (!atomic_load(&queue->stop)) {
		uint32_t seen = atomic_load(&queue->wake), changes = simhsa_generation();
		uint64_t index = __atomic_load_n(&queue->amd.read_dispatch_id, __ATOMIC_ACQUIRE);
		union packet packet;
		if (atomic_load(&queue->failed) || index >= atomic_load(&queue->doorbell_value)) {
			atomic_store(&queue->asleep, true);
			if (!atomic_load(&queue->stop))
				simhsa_futex_wait(&queue->wake, seen, UINT64_MAX);
			atomic_store(&queue->asleep, false);
		} else if (atomic_load(&held)) {
			simhsa_wait_change(changes, UINT64_MAX);
		} else if (!take(queue, index, &packet)) {
			simhsa_futex_wait(&queue->wake, seen, 50000);
		} else {
			process(queue, index, &packet);
		}
	}
	return NULL;
}
