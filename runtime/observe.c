#include "runtime/session.h"

#include <string.h>

size_t greta_session_last_program(const struct greta *greta)
{
	return greta->last_program;
}

bool greta_session_find_buffer(const struct greta *greta, size_t program, const char *name, size_t *out_buffer)
{
	const struct greta_plan *plan = &greta->plan;
	for (size_t i = 0; i < plan->buffer_count; i++) {
		const struct greta_plan_buffer *buffer = &plan->buffers[i];
		bool there = buffer->program == program || buffer->program == GRETA_PLAN_NONE;
		if (there && !strcmp(greta_plan_string(plan, buffer->name), name)) {
			*out_buffer = i;
			return true;
		}
	}
	return false;
}

static enum greta_status copy_failed(struct greta *greta, hipError_t code, const char *what, struct greta_error *error)
{
	struct greta_error reason;
	enum greta_status status = greta_hip_fail(greta->hip, code, &reason, "%s", what);
	if (error)
		*error = reason;
	return greta_session_broke(greta, status, &reason);
}

enum greta_status greta_session_read(struct greta *greta, size_t buffer, uint64_t offset, void *out, size_t bytes,
				     struct greta_error *error)
{
	const struct greta_plan *plan = &greta->plan;
	if (buffer >= plan->buffer_count)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "buffer %zu of %zu", buffer, plan->buffer_count);
	const struct greta_plan_buffer *planned = &plan->buffers[buffer];
	const uint8_t *const bases[GRETA_REGION_COUNT] = {
		[GRETA_REGION_KV] = greta->memory.kv,
		[GRETA_REGION_ARENA] = greta->memory.arena,
		[GRETA_REGION_STATE] = greta->memory.state,
		[GRETA_REGION_IO] = greta->memory.io,
	};
	if (offset > planned->bytes || bytes > planned->bytes - offset)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "bytes %llu to %llu of %s, which has %llu",
				  (unsigned long long)offset, (unsigned long long)offset + bytes,
				  greta_plan_string(plan, planned->name), (unsigned long long)planned->bytes);
	enum greta_status status = greta_session_drain(greta, error);
	if (status != GRETA_OK)
		return status;
	const uint8_t *from = bases[planned->region] + planned->offset + offset;
	if (planned->region == GRETA_REGION_IO) {
		memcpy(out, from, bytes);
		return GRETA_OK;
	}
	hipError_t code = greta->hip->hipMemcpy(out, from, bytes, hipMemcpyDeviceToHost);
	return code == hipSuccess ? GRETA_OK : copy_failed(greta, code, "hipMemcpy of a buffer", error);
}

enum greta_status greta_session_fill(struct greta *greta, enum greta_region region, uint8_t byte,
				     struct greta_error *error)
{
	void *base = region == GRETA_REGION_KV ? greta->memory.kv : greta->memory.arena;
	size_t bytes = (size_t)greta->plan.header->region_bytes[region];
	if (region != GRETA_REGION_KV && region != GRETA_REGION_ARENA)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "region %d holds what steps need", (int)region);
	if (!bytes)
		return GRETA_OK;
	hipError_t code = greta->hip->hipMemsetAsync(base, byte, bytes, greta->stream);
	return code == hipSuccess ? GRETA_OK : copy_failed(greta, code, "hipMemsetAsync of a region", error);
}

enum greta_status greta_session_run_launches(struct greta *greta, const int32_t *tokens, size_t count,
					     size_t program, uint32_t launches, struct greta_error *error)
{
	const struct greta_plan_program *planned = &greta->plan.programs[program];
	size_t start = greta->length;
	struct greta_error reason;
	if (greta->broken)
		return greta_fail(error, GRETA_ERROR_DEVICE, "the session is broken since: %.400s",
				  greta->broken_by.message);
	if (!count || count > planned->chunk_tokens || count > greta->plan.header->context - start ||
	    launches > planned->launch_count || greta->position < start)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "%zu tokens behind %zu, %u launches of program %s",
				  count, start, launches, greta_plan_string(&greta->plan, planned->name));
	for (size_t i = 0; i < count; i++)
		greta_session_tokens(greta)[start + i] = (uint32_t)tokens[i];
	enum greta_status status = greta_session_write_state(greta, start, start + count, error);
	if (status != GRETA_OK)
		return status;
	for (uint32_t i = 0; i < launches && status == GRETA_OK; i++)
		status = greta_programs_launch_one(&greta->programs, planned->first_launch + i, greta->stream, &reason);
	if (status != GRETA_OK) {
		if (error)
			*error = reason;
		return greta_session_broke(greta, status, &reason);
	}
	greta->last_program = program;
	greta->stale = true;
	return greta_session_drain(greta, error);
}
