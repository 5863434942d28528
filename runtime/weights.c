#include "runtime/weights.h"

#include "runtime/cache.h"
#include "runtime/clock.h"
#include "runtime/pieces.h"
#include "runtime/share.h"
#include "runtime/upload.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define PACK_PIECE_BYTES (UINT64_C(1) << 20) /* small enough to keep threads level, large enough to be worth taking */

struct job {
	const struct greta_hip *hip;
	const struct greta_plan *plan;
	const struct greta_gguf *gguf;
	const struct greta_weights_options *options;
	struct greta_resident_weights *out;
	const struct greta_pieces *pieces; /* being made */
	uint8_t *base;                     /* there */
	XXH64_hash_t *hashes;              /* of the pieces as they are there; NULL: not wanted */
	const char *what;                  /* for progress */
	_Atomic(uint64_t) done;
};

static void tell(void *pointer)
{
	struct job *job = pointer;
	if (job->options->progress)
		job->options->progress(job->options->progress_user, job->what, atomic_load(&job->done),
				       job->pieces->bytes);
}

static enum greta_status pack_piece(void *pointer, size_t index, unsigned worker, struct greta_error *error)
{
	struct job *job = pointer;
	const struct greta_piece *piece = &job->pieces->items[index];
	(void)worker;
	(void)error;
	greta_piece_write(piece, job->base + piece->offset);
	if (job->hashes) /* while the processor still has it at hand */
		job->hashes[index] = XXH3_64bits(job->base + piece->offset, piece->bytes);
	atomic_fetch_add(&job->done, piece->bytes);
	return GRETA_OK;
}

static enum greta_status hash_piece(void *pointer, size_t index, unsigned worker, struct greta_error *error)
{
	struct job *job = pointer;
	const struct greta_piece *piece = &job->pieces->items[index];
	(void)worker;
	(void)error;
	job->hashes[index] = XXH3_64bits(job->base + piece->offset, piece->bytes);
	atomic_fetch_add(&job->done, piece->bytes);
	return GRETA_OK;
}

typedef enum greta_status piece_work(void *job, size_t index, unsigned worker, struct greta_error *error);

/* Does something with all pieces behind `base`, in host memory. */
static enum greta_status share_pieces(struct job *job, const struct greta_pieces *pieces, void *base, piece_work *work,
				      const char *what, struct greta_error *error)
{
	job->pieces = pieces;
	job->base = base;
	job->what = what;
	atomic_store(&job->done, 0);
	return greta_share(
		&(struct greta_shared_work){
			.count = pieces->count,
			.threads = job->options->threads,
			.context = job,
			.work = work,
			.after = tell,
		},
		error);
}

/* Lays them out. */
static enum greta_status pack(struct job *job, const struct greta_pieces *pieces, void *base, struct greta_error *error)
{
	double start = greta_clock_ms();
	enum greta_status status = share_pieces(job, pieces, base, pack_piece, "packing weights", error);
	job->out->pack_ms += greta_clock_ms() - start;
	return status;
}

static enum greta_status make_hashes(struct job *job, const struct greta_pieces *pieces, struct greta_error *error)
{
	job->hashes = calloc(pieces->count + 1, sizeof(*job->hashes));
	return job->hashes ? GRETA_OK
			   : greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu hashes", pieces->count);
}

/* One hash over those of the pieces, which are no longer needed. */
static uint64_t finish_hashes(struct job *job, const struct greta_pieces *pieces)
{
	uint64_t hash = XXH3_64bits(job->hashes, pieces->count * sizeof(*job->hashes));
	free(job->hashes);
	job->hashes = NULL;
	return hash;
}

static size_t region_bytes(const struct job *job, enum greta_region region)
{
	return (size_t)job->plan->header->region_bytes[region];
}

/* Has the device read host memory that is there already. */
static enum greta_status map_for_device(const struct greta_hip *hip, void *host, size_t bytes, const char *what,
                                        void **out_host, void **out_device, struct greta_error *error)
{
	void *device = NULL;
	hipError_t code = hip->hipHostRegister(host, bytes, hipHostRegisterMapped);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipHostRegister of the %s (%zu bytes)", what, bytes);
	code = hip->hipHostGetDevicePointer(&device, host, 0);
	if (code != hipSuccess) {
		enum greta_status status = greta_hip_fail(hip, code, error, "hipHostGetDevicePointer of the %s", what);
		hip->hipHostUnregister(host);
		return status;
	}
	*out_host = host;
	*out_device = device;
	return GRETA_OK;
}

static enum greta_status map_model(struct job *job, struct greta_error *error)
{
	/* The device is only ever given it to read, though HIP does not say so. */
	union {
		const void *to_read;
		void *to_register;
	} file = {.to_read = greta_gguf_data(job->gguf)};
	job->out->mapped_bytes += region_bytes(job, GRETA_REGION_MODEL);
	return map_for_device(job->hip, file.to_register, greta_gguf_size(job->gguf), "mapped model",
	                      &job->out->registered_model, &job->out->model_base, error);
}

/* Starts reading a file that may not be in memory yet, unless it would push out everything else. */
static void read_ahead(const struct greta_packed_file *file)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	if (pages > 0 && page > 0 && file->mapping_bytes / (size_t)page < (size_t)pages / 2)
		(void)madvise(file->mapping, file->mapping_bytes, MADV_WILLNEED);
}

static enum greta_status map_packed(struct job *job, struct greta_error *error)
{
	struct greta_resident_weights *out = job->out;
	void *device = NULL;
	read_ahead(&out->packed);
	enum greta_status status = map_for_device(job->hip, out->packed.mapping, out->packed.mapping_bytes,
	                                          "packed weights", &out->registered_weights, &device, error);
	if (status == GRETA_OK) {
		out->weights_base = (uint8_t *)device + GRETA_PACKED_HEADER_BYTES;
		out->mapped_bytes += region_bytes(job, GRETA_REGION_WEIGHTS);
	}
	return status;
}

/* Whether the packed file has the contents that it was made with. FORMAT, MEMORY. */
static enum greta_status check_packed(struct job *job, const struct greta_pieces *pieces, const char *path,
				      struct greta_error *error)
{
	enum greta_status status = make_hashes(job, pieces, error);
	if (status != GRETA_OK)
		return status;
	status = share_pieces(job, pieces, job->out->packed.mapping + GRETA_PACKED_HEADER_BYTES, hash_piece,
			      "checking weights", error);
	if (finish_hashes(job, pieces) != job->out->packed.contents && status == GRETA_OK)
		status = greta_fail(error, GRETA_ERROR_FORMAT, "%s is damaged", path);
	return status;
}

/* Lays the weights out into a new packed file.
 * After an error of the last step alone `there` is true and the file has no name. */
static enum greta_status make_packed(struct job *job, const struct greta_pieces *pieces, const char *path,
				     const struct greta_content *content, bool *out_there, struct greta_error *error)
{
	struct greta_resident_weights *out = job->out;
	struct greta_new_file new;
	enum greta_status status = greta_packed_file_create(&out->packed, &new, path, job->plan, error);
	if (status != GRETA_OK)
		return status;
	status = make_hashes(job, pieces, error);
	if (status == GRETA_OK) {
		status = pack(job, pieces, out->packed.mapping + GRETA_PACKED_HEADER_BYTES, error);
		uint64_t contents = finish_hashes(job, pieces);
		*out_there = status == GRETA_OK;
		if (status == GRETA_OK && greta_content_is(content, job->gguf, job->options->threads))
			return greta_packed_file_commit(&out->packed, &new, job->plan, content, contents, error);
	}
	greta_new_file_finish(&new);
	return status;
}

/* Opens the packed file, all of it sound as far as that is asked for. A damaged one is told of. */
static bool find_packed(struct job *job, const struct greta_pieces *pieces, const char *path,
			const struct greta_content *content)
{
	const struct greta_weights_options *options = job->options;
	struct greta_resident_weights *out = job->out;
	struct greta_error reason;
	char text[sizeof(reason.message) + 32];
	enum greta_status status = greta_packed_file_open(&out->packed, path, job->plan, content, &reason);
	if (status == GRETA_OK && options->check) {
		status = check_packed(job, pieces, path, &reason);
		if (status != GRETA_OK)
			greta_packed_file_finish(&out->packed);
	}
	if (status == GRETA_ERROR_FORMAT && options->warn) {
		snprintf(text, sizeof(text), "%s: packed again", reason.message);
		options->warn(options->progress_user, text);
	}
	return status == GRETA_OK;
}

/* The packed file of the cache, made if need be. Whatever prevents it, the weights can still be laid out in memory: so
 * this only says whether it did. */
static bool open_packed(struct job *job, const struct greta_pieces *pieces)
{
	const struct greta_weights_options *options = job->options;
	struct greta_resident_weights *out = job->out;
	struct greta_content content;
	struct greta_error reason;
	bool there = false;
	if (!options->cache_folder || !greta_content_find(&content, job->gguf, options->cache_folder, options->threads,
							   options->progress, options->progress_user))
		return false;
	char *path =
	    greta_cache_path(options->cache_folder, content.hash, greta_packed_layout_hash(job->plan), "weights");
	if (!path)
		return false;
	out->reused = there = find_packed(job, pieces, path, &content);
	if (out->reused)
		greta_cache_used(path);
	else if (make_packed(job, pieces, path, &content, &there, &reason) == GRETA_OK)
		greta_cache_trim(options->cache_folder, options->cache_bytes, path);
	else if (options->warn)
		options->warn(options->progress_user, reason.message);
	if (!there)
		greta_packed_file_finish(&out->packed);
	free(path);
	return there;
}

static enum greta_status pack_in_memory(struct job *job, const struct greta_pieces *pieces, struct greta_error *error)
{
	struct greta_resident_weights *out = job->out;
	size_t bytes = region_bytes(job, GRETA_REGION_WEIGHTS);
	hipError_t code = job->hip->hipHostMalloc(&out->host_weights, bytes, hipHostMallocMapped);
	if (code != hipSuccess)
		return greta_hip_fail(job->hip, code, error, "hipHostMalloc of the weights (%zu bytes)", bytes);
	out->host_bytes += bytes;
	code = job->hip->hipHostGetDevicePointer(&out->weights_base, out->host_weights, 0);
	if (code != hipSuccess)
		return greta_hip_fail(job->hip, code, error, "hipHostGetDevicePointer of the weights");
	return pack(job, pieces, out->host_weights, error);
}

static enum greta_status upload_region(struct job *job, enum greta_region region, void **out_memory,
                                       struct greta_error *error)
{
	struct greta_pieces pieces;
	size_t bytes = region_bytes(job, region);
	double start = greta_clock_ms();
	enum greta_status status = greta_pieces_init(&pieces, job->plan, region, greta_gguf_data(job->gguf),
						     greta_gguf_size(job->gguf), GRETA_UPLOAD_PIECE_BYTES, error);
	if (status != GRETA_OK)
		return status;
	hipError_t code = job->hip->hipMalloc(out_memory, bytes);
	if (code != hipSuccess) {
		status = greta_hip_fail(job->hip, code, error, "hipMalloc of the %s (%zu bytes)",
					region == GRETA_REGION_MODEL ? "model" : "weights", bytes);
	} else {
		job->pieces = &pieces;
		job->what = "uploading weights";
		atomic_store(&job->done, 0);
		status = greta_upload(job->hip, &pieces, *out_memory, job->options->threads, tell, job, &job->done,
		                      error);
		job->out->device_bytes += bytes;
		job->out->upload_ms += greta_clock_ms() - start;
	}
	greta_pieces_finish(&pieces);
	return status;
}

static enum greta_status upload_all(struct job *job, struct greta_error *error)
{
	struct greta_resident_weights *out = job->out;
	enum greta_status status = GRETA_OK;
	if (region_bytes(job, GRETA_REGION_WEIGHTS))
		status = upload_region(job, GRETA_REGION_WEIGHTS, &out->device_weights, error);
	if (status == GRETA_OK && region_bytes(job, GRETA_REGION_MODEL))
		status = upload_region(job, GRETA_REGION_MODEL, &out->device_model, error);
	out->weights_base = out->device_weights;
	out->model_base = out->device_model;
	return status;
}

static enum greta_status map_all(struct job *job, struct greta_error *error)
{
	struct greta_pieces pieces;
	enum greta_status status = GRETA_OK;
	if (region_bytes(job, GRETA_REGION_MODEL))
		status = map_model(job, error);
	if (status != GRETA_OK || !region_bytes(job, GRETA_REGION_WEIGHTS))
		return status;
	status = greta_pieces_init(&pieces, job->plan, GRETA_REGION_WEIGHTS, greta_gguf_data(job->gguf),
				   greta_gguf_size(job->gguf), PACK_PIECE_BYTES, error);
	if (status != GRETA_OK)
		return status;
	status = open_packed(job, &pieces) ? map_packed(job, error) : pack_in_memory(job, &pieces, error);
	greta_pieces_finish(&pieces);
	return status;
}

enum greta_status greta_resident_weights_init(struct greta_resident_weights *weights, const struct greta_hip *hip,
					      const struct greta_plan *plan, const struct greta_gguf *gguf,
					      const struct greta_weights_options *options, struct greta_error *error)
{
	struct greta_resident_weights made = {.hip = hip};
	struct job job = {.hip = hip, .plan = plan, .gguf = gguf, .options = options, .out = &made};
	int integrated = 0, maps = 0;
	if (plan->header->region_bytes[GRETA_REGION_MODEL] > greta_gguf_size(gguf))
		return greta_fail(error, GRETA_ERROR_FORMAT, "the plan's model has %llu bytes, %s has %zu",
		                  (unsigned long long)plan->header->region_bytes[GRETA_REGION_MODEL],
		                  greta_gguf_path(gguf), greta_gguf_size(gguf));
	hipError_t code = hip->hipDeviceGetAttribute(&integrated, hipDeviceAttributeIntegrated, 0);
	if (code == hipSuccess)
		code = hip->hipDeviceGetAttribute(&maps, hipDeviceAttributeCanMapHostMemory, 0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipDeviceGetAttribute");
	bool in_place = integrated && maps && !options->force_upload;
	enum greta_status status = in_place ? map_all(&job, error) : upload_all(&job, error);
	if (status != GRETA_OK) {
		greta_resident_weights_finish(&made);
		return status;
	}
	*weights = made;
	return GRETA_OK;
}

void greta_resident_weights_finish(struct greta_resident_weights *weights)
{
	const struct greta_hip *hip = weights->hip;
	if (weights->registered_weights)
		hip->hipHostUnregister(weights->registered_weights);
	if (weights->registered_model)
		hip->hipHostUnregister(weights->registered_model);
	if (weights->host_weights)
		hip->hipHostFree(weights->host_weights);
	if (weights->device_weights)
		hip->hipFree(weights->device_weights);
	if (weights->device_model)
		hip->hipFree(weights->device_model);
	greta_packed_file_finish(&weights->packed);
	*weights = (struct greta_resident_weights){0};
}
