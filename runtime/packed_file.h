/* A weights region kept in a file, so that later starts map it instead of laying the weights out again: a header of
 * 4,096 bytes, then the region as it is in memory. */
#ifndef GRETA_PACKED_FILE_H
#define GRETA_PACKED_FILE_H

#include "models/new_file.h"
#include "runtime/content.h"
#include "runtime/plan.h"

#define GRETA_PACKED_HEADER_BYTES 4096

struct greta_packed_file {
	uint8_t *mapping; /* header first, then the region; page-aligned */
	size_t mapping_bytes;
	uint64_t contents; /* as it was committed: a hash of the region's contents, which its maker can compare */
};

/* What the region's contents follow from, besides the model: every tensor's place, layout and source, and the
 * constants. */
uint64_t greta_packed_layout_hash(const struct greta_plan *plan);

/* Maps the file read-only, if its header is sound and it holds the region of this plan and a model of these contents.
 * IO (also when there is none); UNSUPPORTED when it is of another version; FORMAT when it is damaged or for another
 * plan; MEMORY. The region is not read: its contents may still be other ones than file->contents says. */
enum greta_status greta_packed_file_open(struct greta_packed_file *file, const char *path,
					 const struct greta_plan *plan, const struct greta_content *content,
					 struct greta_error *error);

/* Begins the file beside its place, its size reserved on the disk (so that writing to the mapping cannot fail for want
 * of space) and mapped for writing, all zero. IO (no space, not permitted); MEMORY. */
enum greta_status greta_packed_file_create(struct greta_packed_file *file, struct greta_new_file *out_new,
                                           const char *path, const struct greta_plan *plan, struct greta_error *error);

/* Writes the header over contents that are complete, makes the mapping read-only and puts the file in its place. `new`
 * is finished in any case, `contents` stays in the file; after an error the mapping stays usable, though no file has
 * its name. IO. */
enum greta_status greta_packed_file_commit(struct greta_packed_file *file, struct greta_new_file *new,
					   const struct greta_plan *plan, const struct greta_content *content,
					   uint64_t contents, struct greta_error *error);

/* Unmaps. */
void greta_packed_file_finish(struct greta_packed_file *file);

#endif
