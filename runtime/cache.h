/* The folder that holds what can be made again: plans and packed weights. Files are named after what they were made
 * from, so that a file that is there is the one wanted, or damaged; everything in the folder may be deleted at any
 * time. */
#ifndef GRETA_CACHE_H
#define GRETA_CACHE_H

#include "models/error.h"
#include "models/gguf.h"

/* Path of the folder, made if it is missing, in memory that the caller frees: `chosen` if not NULL, else
 * $XDG_CACHE_HOME/greta, else $HOME/.cache/greta. IO when it cannot be made or is not writable, or when neither
 * variable is set; MEMORY. */
enum greta_status greta_cache_folder(const char *chosen, char **out_folder, struct greta_error *error);

/* "FOLDER/FINGERPRINT-HASH.SUFFIX", in memory that the caller frees; NULL without memory. */
char *greta_cache_path(const char *folder, const uint8_t fingerprint[GRETA_FINGERPRINT_BYTES], uint64_t hash,
		       const char *suffix);

/* `hash` mixed with the size of the file at `path` and the time of its last change, so that what was made from a file is not
 * taken for what an edited one would give: fingerprints look at the ends of tensors only. Just `hash` if there is no such
 * file. */
uint64_t greta_cache_of_file(const char *path, uint64_t hash);

#endif
