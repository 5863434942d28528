/* The command line of a tool, from one table of its options. Reads the values, answers --help and --version, and says
 * what is wrong in one line on stderr: "greta-bench: -n: expected a whole number above 0, got 'x'". For tools alone: it
 * prints.
 *
 * All tools end alike: 0 it is done, and what was asked is so; 1 it failed, or is not so (two plans differ, say); 2 the
 * command line has no meaning, by itself or for the files that it names. */
#ifndef GRETA_COMMAND_LINE_H
#define GRETA_COMMAND_LINE_H

#include "models/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct greta_word {
	const char *text; /* NULL ends an array of them */
	unsigned value;
};

/* The words of the settings that several tools have: x8 to x32 are 1 to 4. */
extern const struct greta_word GRETA_ACTIVATION_WORDS[];

/* The word with that value, which there must be. */
const char *greta_word_of(const struct greta_word *words, unsigned value);

/* One pointer says by its type what the option takes, and where to. */
struct greta_option {
	int letter;       /* 0: none */
	const char *name; /* without dashes; NULL ends a table */

	bool *flag;             /* no value: becomes true */
	const char **text;      /* anything; stays argv's */
	unsigned *number;       /* a whole number from least to most */
	uint64_t *large;        /* likewise */
	uint64_t *bytes;        /* likewise, with K, M, G or T behind it for 1024 to the power of 1 to 4 */
	double *real;           /* a number; `positive`: above 0 */
	unsigned *word;         /* one of words: its value; `bare`, if not 0, where none is given.
				 * Beside a number: either */
	unsigned *list;         /* up to `room` ascending numbers, or words in any order, each once, with commas
				 between; then zeros */
	const char *(*read)(void *to, const char *value); /* anything else; NULL, or what it had expected instead */

	uint64_t least, most;   /* most 0: whatever the type holds */
	const struct greta_word *words;
	size_t room;            /* of list */
	size_t *count;          /* of list; may be NULL */
	void *to;
	bool *given;            /* becomes true when the option is there; may be NULL */
	unsigned bare;
	bool positive;
	bool empty;             /* a list may be "" */
};

struct greta_command_line {
	const char *tool;     /* begins every line: "greta-bench", "greta-plan build" */
	const char *help;
	const char *version;  /* NULL: no --version */
	const struct greta_option *options; /* up to 40; --help, -h and --version need not be there; NULL: no others */
	const char *operands; /* what else stands there: "one model" */
	size_t least, most;   /* so many operands */
};

/* Returns -1 when there is something to do, with the operands, ended by NULL, in *out_operands; else the exit status:
 * what was asked for has been printed, or what is wrong. An option given twice with two values is wrong, too, but
 * for `bare` ones and those that read them themselves. From then on a limit on file sizes (ulimit -f) is an error
 * like a full disk, not the tool's end. */
int greta_command_line_read(const struct greta_command_line *line, int argc, char **argv, char ***out_operands);

/* Says what is wrong with a command line that could be read; returns 2. */
int greta_command_line_wrong(const struct greta_command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tells in a line what is done without. */
void greta_command_warn(const char *tool, const char *message);

/* Tells the error that a tool ends with; returns 2 if it is ARGUMENT, else 1. */
int greta_command_failed(const char *tool, const struct greta_error *error);

#endif
