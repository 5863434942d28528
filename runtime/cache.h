/* The folder that holds what can be made again: plans and packed weights. Files are named after what they were made
 * from, so that a file that is there is the one wanted, or damaged; everything in the folder may be deleted at any
 * time, and what was not used for the longest is, when the folder grows too large. */
#ifndef GRETA_CACHE_H
#define GRETA_CACHE_H

#include "models/error.h"
#include "models/gguf.h"

/* Path of the folder, made if it is missing, in memory that the caller frees: `chosen` if not NULL, else
 * $XDG_CACHE_HOME/greta, else $HOME/.cache/greta. IO when it cannot be made or is not writable, or when neither
 * variable is set; MEMORY. */
enum greta_status greta_cache_folder(const char *chosen, char **out_folder, struct greta_error *error);

/* "FOLDER/CONTENT-HASH.SUFFIX", in memory that the caller frees; NULL without memory. CONTENT says what was made from
 * which bytes (runtime/content.h), HASH how. Suffixes: plan, weights, content. */
char *greta_cache_path(const char *folder, const uint8_t content[GRETA_FINGERPRINT_BYTES], uint64_t hash,
		       const char *suffix);

/* Marks a file as used now, for greta_cache_trim. */
void greta_cache_used(const char *path);

/* Removes the files that have not been used for the longest until the rest takes most_bytes of the disk or less; never
 * the one at `keep`, and no file that is not the cache's by its name. Who has a file mapped keeps it. */
void greta_cache_trim(const char *folder, uint64_t most_bytes, const char *keep);

#endif
