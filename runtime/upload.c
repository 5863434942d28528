#include "runtime/upload.h"

#include "runtime/share.h"

#include <stdatomic.h>
#include <stdlib.h>

struct slot {
	void *buffer;       /* pinned */
	hipEvent_t copied;  /* its last copy is done */
};

struct lane { /* what one thread needs */
	hipStream_t stream;
	struct slot slots[2];
	unsigned turn;
};

struct upload {
	const struct greta_hip *hip;
	const struct greta_pieces *pieces;
	uint8_t *base;
	struct lane *lanes;
	unsigned lane_count;
	void (*after)(void *context);
	void *context;
	_Atomic(uint64_t) *done;
};

static enum greta_status make_lane(const struct greta_hip *hip, struct lane *lane, size_t bytes,
                                   struct greta_error *error)
{
	hipError_t code = hip->hipStreamCreateWithFlags(&lane->stream, hipStreamNonBlocking);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipStreamCreateWithFlags to upload weights");
	for (int i = 0; i < 2; i++) {
		code = hip->hipHostMalloc(&lane->slots[i].buffer, bytes, hipHostMallocDefault);
		if (code != hipSuccess)
			return greta_hip_fail(hip, code, error, "hipHostMalloc of %zu bytes to upload weights", bytes);
		code = hip->hipEventCreateWithFlags(&lane->slots[i].copied, hipEventDisableTiming);
		if (code != hipSuccess)
			return greta_hip_fail(hip, code, error, "hipEventCreateWithFlags to upload weights");
	}
	return GRETA_OK;
}

static void release_lane(const struct greta_hip *hip, struct lane *lane)
{
	for (int i = 0; i < 2; i++) {
		if (lane->slots[i].copied)
			hip->hipEventDestroy(lane->slots[i].copied);
		if (lane->slots[i].buffer)
			hip->hipHostFree(lane->slots[i].buffer);
	}
	if (lane->stream)
		hip->hipStreamDestroy(lane->stream);
}

static enum greta_status upload_piece(void *pointer, size_t index, unsigned worker, struct greta_error *error)
{
	struct upload *upload = pointer;
	const struct greta_hip *hip = upload->hip;
	const struct greta_piece *piece = &upload->pieces->items[index];
	struct lane *lane = &upload->lanes[worker];
	struct slot *slot = &lane->slots[lane->turn++ & 1];
	hipError_t code = hip->hipSetDevice(0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipSetDevice to upload weights");
	code = hip->hipEventSynchronize(slot->copied);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipEventSynchronize while uploading weights");
	greta_piece_write(piece, slot->buffer);
	code = hip->hipMemcpyAsync(upload->base + piece->offset, slot->buffer, piece->bytes, hipMemcpyHostToDevice,
				   lane->stream);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipMemcpyAsync of %llu bytes of weights",
				      (unsigned long long)piece->bytes);
	code = hip->hipEventRecord(slot->copied, lane->stream);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipEventRecord while uploading weights");
	atomic_fetch_add(upload->done, piece->bytes);
	return GRETA_OK;
}

static void tell(void *pointer)
{
	const struct upload *upload = pointer;
	if (upload->after)
		upload->after(upload->context);
}

enum greta_status greta_upload(const struct greta_hip *hip, const struct greta_pieces *pieces, void *base,
                               unsigned threads, void (*after)(void *context), void *context, _Atomic(uint64_t) *done,
                               struct greta_error *error)
{
	struct upload upload = {
		.hip = hip, .pieces = pieces, .base = base, .after = after, .context = context, .done = done,
		.lane_count = greta_share_threads(threads, pieces->count),
	};
	enum greta_status status = GRETA_OK;
	upload.lanes = calloc(upload.lane_count, sizeof(*upload.lanes));
	if (!upload.lanes)
		return greta_fail(error, GRETA_ERROR_MEMORY, "no memory to upload weights");
	for (unsigned i = 0; i < upload.lane_count && status == GRETA_OK; i++)
		status = make_lane(hip, &upload.lanes[i], pieces->most_bytes, error);
	if (status == GRETA_OK)
		status = greta_share(
			&(struct greta_shared_work){
				.count = pieces->count,
				.threads = threads,
				.context = &upload,
				.work = upload_piece,
				.after = tell,
			},
			error);
	for (unsigned i = 0; i < upload.lane_count; i++) {
		/* Also after an error: the buffers must not go while they are being copied from. */
		hipError_t code = upload.lanes[i].stream ? hip->hipStreamSynchronize(upload.lanes[i].stream)
		                                         : hipSuccess;
		if (code != hipSuccess && status == GRETA_OK)
			status = greta_hip_fail(hip, code, error, "hipStreamSynchronize while uploading weights");
		release_lane(hip, &upload.lanes[i]);
	}
	free(upload.lanes);
	return status;
}
