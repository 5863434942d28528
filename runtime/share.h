/* Work at load time that several host threads share: pieces with numbers, taken by whoever is free. */
#ifndef GRETA_SHARE_H
#define GRETA_SHARE_H

#include "models/error.h"

#include <stdbool.h>
#include <stddef.h>

struct greta_shared_work {
	size_t count;      /* pieces */
	unsigned
		threads; /* that may work, the calling one included; 0: one for each processor the process may run on */
	void *context;

	/* Does piece `index` in `worker` (0: the calling thread). On an error no further pieces are begun. */
	enum greta_status (*work)(void *context, size_t index, unsigned worker, struct greta_error *error);

	/* Called in the calling thread after each of its pieces, and at the end; may be NULL. */
	void (*after)(void *context);
};

/* Threads that greta_share would use for so many pieces. */
unsigned greta_share_threads(unsigned threads, size_t count);

/* Does all pieces and waits for them. The first error of any piece; a thread that cannot be created is done without. */
enum greta_status greta_share(const struct greta_shared_work *work, struct greta_error *error);

#endif
