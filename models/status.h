/* How a failure is told, everywhere in this project.
 *
 * A function that can fail returns an enum greta_status and, when it is not GRETA_OK, has filled *error with one line
 * for a person: what was wrong, with names and numbers, and what to do about it where that is known. Output parameters
 * are untouched then, and whatever the function had acquired is released. Nothing in the library prints, exits or
 * aborts.
 *
 * These rules hold for every header here and are not repeated there: `init/finish` work on the caller's memory,
 * `create/destroy` and `open/close` on the heap; destroy and close take NULL; out_ parameters come last. */
#ifndef GRETA_STATUS_H
#define GRETA_STATUS_H

enum greta_status {
	GRETA_OK = 0,
	GRETA_ERROR_ARGUMENT,    /* the caller asked for something that has no meaning */
	GRETA_ERROR_IO,          /* the operating system refused a file operation */
	GRETA_ERROR_FORMAT,      /* a file is damaged or not what it claims to be */
	GRETA_ERROR_UNSUPPORTED, /* a file is sound but needs what this build does not do */
	GRETA_ERROR_MISMATCH,    /* a plan does not fit the model, the device or this build */
	GRETA_ERROR_MEMORY,      /* an allocation failed, or the device is too small */
	GRETA_ERROR_CONTEXT,     /* more tokens than the plan's context holds */
	GRETA_ERROR_DEVICE,      /* a HIP call failed */
	GRETA_ERROR_NUMBERS,     /* the model's activations left the finite numbers */
};

struct greta_error {
	enum greta_status status;
	char message[512]; /* UTF-8, one line without newline; cut, never overrun */
};

#endif
