#include "runtime/session.h"

#include "runtime/clock.h"

#include <sched.h>
#include <string.h>

/* ---- Memory ---- */

static enum greta_status allocate(const struct greta_hip *hip, const char *what, uint64_t bytes, void **out,
                                  uint64_t *total, struct greta_error *error)
{
	if (!bytes)
		return GRETA_OK;
	hipError_t code = hip->hipMalloc(out, (size_t)bytes);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipMalloc of the %s (%llu bytes)", what,
		                      (unsigned long long)bytes);
	*total += bytes;
	return GRETA_OK;
}

static enum greta_status allocate_host(const struct greta_hip *hip, const char *what, uint64_t bytes, unsigned flags,
				       void **out, uint64_t *total, struct greta_error *error)
{
	hipError_t code = hip->hipHostMalloc(out, (size_t)bytes, flags);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipHostMalloc of %s (%llu bytes)", what,
		                      (unsigned long long)bytes);
	memset(*out, 0, (size_t)bytes);
	*total += bytes;
	return GRETA_OK;
}

enum greta_status greta_device_memory_init(struct greta_device_memory *memory, const struct greta_hip *hip,
					   const struct greta_plan *plan, struct greta_error *error)
{
	struct greta_device_memory made = {0};
	const uint64_t *bytes = plan->header->region_bytes;
	void *pinned = NULL;
	enum greta_status status =
	    allocate(hip, "KV cache", bytes[GRETA_REGION_KV], &made.kv, &made.device_bytes, error);
	if (status == GRETA_OK)
		status = allocate(hip, "arena", bytes[GRETA_REGION_ARENA], &made.arena, &made.device_bytes, error);
	if (status == GRETA_OK)
		status = allocate(hip, "state", bytes[GRETA_REGION_STATE], &made.state, &made.device_bytes, error);
	if (status == GRETA_OK)
		status = allocate_host(hip, "ring and logits", bytes[GRETA_REGION_IO],
				       hipHostMallocMapped | hipHostMallocCoherent, &made.io, &made.host_bytes, error);
	if (status == GRETA_OK)
		status = allocate_host(hip, "staged tokens", greta_plan_staging_bytes(plan->header),
		                       hipHostMallocDefault, &pinned, &made.host_bytes, error);
	if (status != GRETA_OK) {
		greta_device_memory_finish(&made, hip);
		return status;
	}
	made.staging = pinned;
	*memory = made;
	return GRETA_OK;
}

void greta_device_memory_finish(struct greta_device_memory *memory, const struct greta_hip *hip)
{
	void *device[] = {memory->kv, memory->arena, memory->state};
	void *host[] = {memory->io, memory->staging};
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++)
		if (device[i])
			hip->hipFree(device[i]);
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
		if (host[i])
			hip->hipHostFree(host[i]);
	*memory = (struct greta_device_memory){0};
}

/* ---- Steps ---- */

enum greta_status greta_session_broke(struct greta *greta, enum greta_status status, const struct greta_error *error)
{
	greta->broken = true;
	greta->broken_by = *error;
	return status;
}

static enum greta_status fail(struct greta *greta, hipError_t code, const char *what, struct greta_error *error)
{
	struct greta_error reason;
	enum greta_status status = greta_hip_fail(greta->hip, code, &reason, "%s", what);
	if (error)
		*error = reason;
	return greta_session_broke(greta, status, &reason);
}

enum greta_status greta_session_drain(struct greta *greta, struct greta_error *error)
{
	hipError_t code = greta->hip->hipStreamSynchronize(greta->stream);
	return code == hipSuccess ? GRETA_OK : fail(greta, code, "hipStreamSynchronize after enqueued steps", error);
}

static uint32_t *ring(const struct greta *greta)
{
	return (uint32_t *)(void *)((uint8_t *)greta->memory.io + greta->plan.header->ring_offset);
}

enum greta_status greta_session_write_state(struct greta *greta, size_t start, size_t end, struct greta_error *error)
{
	const struct greta_hip *hip = greta->hip;
	const struct greta_plan_header *header = greta->plan.header;
	struct greta_state *state = (struct greta_state *)(void *)greta->memory.staging;
	uint8_t *device = greta->memory.state;
	enum greta_status status = greta_session_drain(greta, error);
	if (status != GRETA_OK)
		return status;
	*state = (struct greta_state){
		.position = (uint32_t)start,
		.prompt_end = (uint32_t)end,
		.context = header->context,
		.seed = greta->sampling.seed,
		.temperature = greta->sampling.temperature,
		.top_p = greta->sampling.top_p,
		.min_p = greta->sampling.min_p,
		.top_k = greta->sampling.top_k,
	};
	__atomic_store_n(ring(greta) + end, 0, __ATOMIC_RELEASE);
	hipError_t code = hip->hipMemcpyAsync(device + header->state_offset, state, sizeof(*state),
	                                      hipMemcpyHostToDevice, greta->stream);
	if (code == hipSuccess)
		code = hip->hipMemcpyAsync(device + header->tokens_offset + start * sizeof(uint32_t),
					   greta_session_tokens(greta) + start, (end - start) * sizeof(uint32_t),
					   hipMemcpyHostToDevice, greta->stream);
	if (code != hipSuccess)
		return fail(greta, code, "hipMemcpyAsync of the tokens", error);
	greta->position = start;
	greta->stale = false;
	return GRETA_OK;
}

/* The program with the smallest chunk that takes all of `remaining`, else the one with the largest. */
static size_t choose_program(const struct greta *greta, size_t remaining)
{
	const struct greta_plan *plan = &greta->plan;
	size_t best = greta->decode;
	for (size_t i = 0; i < plan->program_count; i++) {
		uint32_t chunk = plan->programs[i].chunk_tokens, have = plan->programs[best].chunk_tokens;
		if (have < remaining ? chunk > have : chunk >= remaining && chunk < have)
			best = i;
	}
	return best;
}

static enum greta_status enqueue(struct greta *greta, size_t program, size_t after, struct greta_error *error)
{
	struct greta_error reason;
	enum greta_status status = GRETA_OK;
	if (greta->eager)
		status = greta_programs_launch(&greta->programs, program, greta->stream, &reason);
	else if ((status = greta_programs_capture(&greta->programs, program, greta->stream, &reason)) == GRETA_OK)
		status = greta_programs_replay(&greta->programs, program, greta->stream, &reason);
	if (status != GRETA_OK) {
		if (error)
			*error = reason;
		return greta_session_broke(greta, status, &reason);
	}
	hipError_t code = greta->hip->hipEventRecord(greta->events[after % GRETA_SESSION_EVENTS], greta->stream);
	return code == hipSuccess ? GRETA_OK : fail(greta, code, "hipEventRecord after a step", error);
}

enum greta_status greta_session_step(struct greta *greta, size_t remaining, size_t *out_tokens,
                                     struct greta_error *error)
{
	size_t program = choose_program(greta, remaining);
	const struct greta_plan_program *plan = &greta->plan.programs[program];
	size_t tokens = plan->chunk_tokens < remaining ? plan->chunk_tokens : remaining;
	size_t after = greta->position + tokens;
	struct greta_timeline_event event = {
		.kind = GRETA_TIMELINE_ENQUEUE, .program = (uint32_t)program, .position = (uint32_t)greta->position};
	if (tokens == remaining)
		__atomic_store_n(ring(greta) + after, 0, __ATOMIC_RELEASE); /* an older sequence may have been here */
	greta_range_begin(&greta->ranges, greta_plan_string(&greta->plan, plan->name));
	event.begin_ns = greta->timeline ? greta_clock_ns() : 0;
	enum greta_status status = enqueue(greta, program, after, error);
	greta_range_end(&greta->ranges);
	if (status != GRETA_OK)
		return status;
	if (greta->timeline) {
		event.end_ns = greta_clock_ns();
		greta_timeline_add(greta->timeline, &event);
	}
	greta->last_program = program;
	greta->position = after;
	*out_tokens = tokens;
	return GRETA_OK;
}

/* Until the step is over that reaches `position`; on a device of its own, until its token is there. */
static enum greta_status await_step(struct greta *greta, size_t position, struct greta_error *error)
{
	hipEvent_t event = greta->events[position % GRETA_SESSION_EVENTS];
	if (greta->in_place) {
		hipError_t code = greta->hip->hipEventSynchronize(event);
		return code == hipSuccess ? GRETA_OK : fail(greta, code, "hipEventSynchronize after a step", error);
	}
	for (unsigned spins = 1; !__atomic_load_n(ring(greta) + position, __ATOMIC_ACQUIRE); spins++) {
		if (spins % 256)
			continue;
		hipError_t code = greta->hip->hipEventQuery(event);
		if (code == hipSuccess)
			break;
		if (code != hipErrorNotReady)
			return fail(greta, code, "hipEventQuery after a step", error);
		sched_yield();
	}
	return GRETA_OK;
}

static enum greta_status take_token(struct greta *greta, size_t position, uint32_t *out_token,
                                    struct greta_error *error)
{
	uint32_t entry = __atomic_load_n(ring(greta) + position, __ATOMIC_ACQUIRE);
	if (!entry) {
		enum greta_status status = await_step(greta, position, error);
		if (status != GRETA_OK)
			return status;
		entry = __atomic_load_n(ring(greta) + position, __ATOMIC_ACQUIRE);
	}
	if (!entry)
		return greta_fail(error, GRETA_ERROR_NUMBERS,
		                  "the logits of position %zu are not finite numbers: the model is "
		                  "damaged, or its activations overflow",
		                  position - 1);
	if (entry - 1 >= greta->plan.header->n_vocab)
		return greta_fail(error, GRETA_ERROR_DEVICE, "the device gave token %u of a vocabulary of %u",
		                  entry - 1, greta->plan.header->n_vocab);
	*out_token = entry - 1;
	return GRETA_OK;
}

enum greta_status greta_session_wait(struct greta *greta, size_t position, uint32_t *out_token,
                                     struct greta_error *error)
{
	struct greta_timeline_event event = {.kind = GRETA_TIMELINE_WAIT, .position = (uint32_t)position};
	greta_range_begin(&greta->ranges, "wait");
	event.begin_ns = greta->timeline ? greta_clock_ns() : 0;
	enum greta_status status = take_token(greta, position, out_token, error);
	greta_range_end(&greta->ranges);
	if (greta->timeline && status == GRETA_OK) {
		event.end_ns = greta_clock_ns();
		event.token = *out_token;
		greta_timeline_add(greta->timeline, &event);
	}
	return status;
}
