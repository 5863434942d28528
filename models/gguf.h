/* Reads GGUF files (versions 2 and 3, little-endian), the container that holds a model: typed key/value metadata and
 * named tensors. The file is mapped read-only and checked once, completely, when it is opened; nothing is copied, so
 * every string, array and tensor below is a view into the mapping and lives until the file is closed. An open file is
 * never changed: any number of threads may read it.
 *
 * What open checks: magic and version; every length and count against what is left of the file, before memory is asked
 * for; key and tensor names (not empty, no repetition); value types; alignment (a power of two); dimensions (1 to 4,
 * none zero, product within 64 bits, rows of whole blocks); tensor types (those of models/types.h); tensor data
 * (aligned, inside the file, no two overlapping).
 *
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
#ifndef GRETA_GGUF_H
#define GRETA_GGUF_H

#include "models/error.h"
#include "models/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct greta_gguf;

/* Bytes as they stand in the file: UTF-8 by convention, not terminated, possibly with zeros inside. Printed with
 * printf("%.*s", GRETA_GGUF_PRINT(s)), which cuts at 200 bytes. */
struct greta_gguf_string {
	const char *data;
	size_t length;
};

#define GRETA_GGUF_PRINT(s) (int)((s).length < 200 ? (s).length : 200), (s).data

/* Is s the same bytes as the C string? */
bool greta_gguf_string_is(struct greta_gguf_string s, const char *text);

/* The types of metadata values, as GGUF numbers them. */
enum greta_gguf_kind {
	GRETA_GGUF_UINT8 = 0,
	GRETA_GGUF_INT8 = 1,
	GRETA_GGUF_UINT16 = 2,
	GRETA_GGUF_INT16 = 3,
	GRETA_GGUF_UINT32 = 4,
	GRETA_GGUF_INT32 = 5,
	GRETA_GGUF_FLOAT32 = 6,
	GRETA_GGUF_BOOL = 7,
	GRETA_GGUF_STRING = 8,
	GRETA_GGUF_ARRAY = 9,
	GRETA_GGUF_UINT64 = 10,
	GRETA_GGUF_INT64 = 11,
	GRETA_GGUF_FLOAT64 = 12,
};

/* "uint8", "string", ... */
const char *greta_gguf_kind_name(enum greta_gguf_kind kind);

/* A metadata array. Numbers lie in a row from `data`, unaligned; strings and inner arrays have no fixed size and
 * are walked from the front. */
struct greta_gguf_array {
	enum greta_gguf_kind kind; /* of the elements */
	size_t count;
	const unsigned char *data;
	size_t bytes;
};

/* Element i < count of an array of numbers. The caller has checked the kind: integers of any width, and bool, for _int
 * (a uint64 above INT64_MAX is given as INT64_MAX), float32 and float64 besides for _float. */
int64_t greta_gguf_array_int(const struct greta_gguf_array *array, size_t i);
double greta_gguf_array_float(const struct greta_gguf_array *array, size_t i);

/* Takes the first string off an array of strings; false when none is left. */
bool greta_gguf_array_next_string(struct greta_gguf_array *array, struct greta_gguf_string *out_string);

struct greta_gguf_tensor {
	struct greta_gguf_string name;
	const struct greta_type_info *type;
	uint32_t n_dims;  /* 1 to 4 */
	uint64_t dims[4]; /* dims[0] is the row length (values that lie next to each other); 1 beyond n_dims */
	const void *data; /* in the mapping, aligned in the file to greta_gguf_alignment */
	size_t bytes;
	size_t offset;    /* of data, from the start of the file */
};

/* Maps and checks the file. GRETA_ERROR_IO when it cannot be opened or mapped, GRETA_ERROR_FORMAT when it is
 * damaged, GRETA_ERROR_UNSUPPORTED for another version, byte order or tensor type, GRETA_ERROR_MEMORY. Messages
 * name the file and the key or tensor. Reading a mapped file that another process cuts short ends the process
 * (SIGBUS), as with any mapping. */
enum greta_status greta_gguf_open(const char *path, struct greta_gguf **out_gguf, struct greta_error *error);

/* The same over bytes in memory (8-byte aligned), which must stay until the file is closed. `name` stands for the path
 * in messages. */
enum greta_status greta_gguf_open_memory(const void *data, size_t size, const char *name,
					 struct greta_gguf **out_gguf, struct greta_error *error);

void greta_gguf_close(struct greta_gguf *gguf);

const char *greta_gguf_path(const struct greta_gguf *gguf);
const void *greta_gguf_data(const struct greta_gguf *gguf);       /* byte 0 of the file */
size_t greta_gguf_size(const struct greta_gguf *gguf);            /* of the file, in bytes */
size_t greta_gguf_data_offset(const struct greta_gguf *gguf);     /* where tensor data begins; metadata lies before */
size_t greta_gguf_alignment(const struct greta_gguf *gguf);       /* general.alignment, 32 by default */
uint32_t greta_gguf_version(const struct greta_gguf *gguf);

/* Metadata by position, in the order of the file: for listings. */
size_t greta_gguf_key_count(const struct greta_gguf *gguf);
struct greta_gguf_string greta_gguf_key(const struct greta_gguf *gguf, size_t i);
enum greta_gguf_kind greta_gguf_key_kind(const struct greta_gguf *gguf, size_t i);

/* Metadata by name. Each fails with GRETA_ERROR_FORMAT, naming file and key, when the key is missing or its value
 * does not convert: an integer of any width and sign serves where its value is in range, float32 and float64 serve
 * as float; nothing else converts. Optional keys are asked for with greta_gguf_has first. */
bool greta_gguf_has(const struct greta_gguf *gguf, const char *key);
enum greta_status greta_gguf_get_u32(const struct greta_gguf *gguf, const char *key, uint32_t *out,
				     struct greta_error *error);
enum greta_status greta_gguf_get_u64(const struct greta_gguf *gguf, const char *key, uint64_t *out,
				     struct greta_error *error);
enum greta_status greta_gguf_get_f32(const struct greta_gguf *gguf, const char *key, float *out,
				     struct greta_error *error);
enum greta_status greta_gguf_get_bool(const struct greta_gguf *gguf, const char *key, bool *out,
				     struct greta_error *error);
enum greta_status greta_gguf_get_string(const struct greta_gguf *gguf, const char *key, struct greta_gguf_string *out,
					struct greta_error *error);
enum greta_status greta_gguf_get_array(const struct greta_gguf *gguf, const char *key, struct greta_gguf_array *out,
				       struct greta_error *error);

/* The same for a key that may be missing: then *out is set to `otherwise`. A key that is there and does not convert
 * is an error all the same. */
enum greta_status greta_gguf_get_u32_or(const struct greta_gguf *gguf, const char *key, uint32_t otherwise,
					uint32_t *out, struct greta_error *error);
enum greta_status greta_gguf_get_f32_or(const struct greta_gguf *gguf, const char *key, float otherwise, float *out,
					struct greta_error *error);
enum greta_status greta_gguf_get_bool_or(const struct greta_gguf *gguf, const char *key, bool otherwise, bool *out,
					 struct greta_error *error);

/* Tensors in the order of the file, and by name (NULL when there is none). */
size_t greta_gguf_tensor_count(const struct greta_gguf *gguf);
const struct greta_gguf_tensor *greta_gguf_tensor(const struct greta_gguf *gguf, size_t i);
const struct greta_gguf_tensor *greta_gguf_find(const struct greta_gguf *gguf, const char *name);

/* What the file system says of a file. All its numbers the same: the same bytes. */
struct greta_gguf_file {
	uint64_t device, inode, bytes;
	uint64_t written_s, written_ns; /* when its bytes were last written, which can be set to anything, */
	uint64_t changed_s, changed_ns; /* and when anything of it changed, which cannot */
};

/* As it was when the file was opened. NULL when a later change could go unseen: it had changed within the last seconds,
 * and clocks of file systems are coarse; or it is no file but memory. */
const struct greta_gguf_file *greta_gguf_file(const struct greta_gguf *gguf);

/* Whether the file system says the same of the path now. */
bool greta_gguf_file_unchanged(const struct greta_gguf *gguf);

#define GRETA_FINGERPRINT_BYTES 16

/* What tells one model from another without reading gigabytes: XXH3-128 (canonical byte order) over the bytes
 * before the data section, then the file's size (8 bytes, little-endian), then of every tensor, in the order of the
 * file, its first 4,096 and its last 4,096 bytes (all of it, once, when it has no more than 8,192). Touches two
 * pages or three per tensor. Two files that differ only inside tensors, away from their ends, have the same
 * fingerprint: it guards against mistakes, not against forgery. */
void greta_gguf_fingerprint(const struct greta_gguf *gguf, uint8_t out_fingerprint[GRETA_FINGERPRINT_BYTES]);

#endif
