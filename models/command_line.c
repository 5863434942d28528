#include "models/command_line.h"

#include "models/terminal.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What getopt calls an option: its letter, if that was given, else LONG and its place in the table. */
enum { OPTIONS_MAX = 40, LONG = 256, HELP = LONG + OPTIONS_MAX, VERSION };

const struct greta_word GRETA_ACTIVATION_WORDS[] = {{"x8", 1}, {"x16", 2}, {"x24", 3}, {"x32", 4}, {0}};

const char *greta_word_of(const struct greta_word *words, unsigned value)
{
	while (words->value != value)
		words++;
	return words->text;
}

/* ---- Values ---- */

static uint64_t most_of(const struct greta_option *option)
{
	return option->most ? option->most : option->large || option->bytes ? UINT64_MAX : UINT_MAX;
}

/* Returns what stands behind the number, NULL when there is none within the option's bounds. */
static const char *read_whole(const struct greta_option *option, const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	const char *unit = option->bytes && *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	if (*text < '0' || *text > '9' || errno || value > UINT64_MAX >> shift)
		return NULL;
	value <<= shift;
	if (value < option->least || value > most_of(option))
		return NULL;
	*out = value;
	return end + (unit != NULL);
}

static const struct greta_word *find_word(const struct greta_word *words, const char *text, size_t length)
{
	for (; words->text; words++)
		if (strlen(words->text) == length && memcmp(words->text, text, length) == 0)
			return words;
	return NULL;
}

static bool read_list(const struct greta_option *option, const char *text)
{
	const char *rest = text;
	size_t count = 0;
	memset(option->list, 0, option->room * sizeof(*option->list));
	for (bool more = *text || !option->empty; more; rest += *rest == ',') {
		const char *end = rest + strcspn(rest, ",");
		const struct greta_word *word =
		    option->words ? find_word(option->words, rest, (size_t)(end - rest)) : NULL;
		uint64_t value = word ? word->value : 0;
		bool again = false;
		for (size_t i = 0; word && i < count; i++)
			again = again || option->list[i] == word->value;
		if (count == option->room || again || (option->words && !word) ||
		    (!word && (read_whole(option, rest, &value) != end || (count && value <= option->list[count - 1]))))
			return false;
		option->list[count++] = (unsigned)value;
		more = *end == ',';
		rest = end;
	}
	if (option->count)
		*option->count = count;
	return true;
}

static bool read_real(const struct greta_option *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !isfinite(value) || (option->positive && value <= 0))
		return false;
	*option->real = value;
	return true;
}

static bool read_number(const struct greta_option *option, const char *text)
{
	uint64_t value = 0;
	const char *end = read_whole(option, text, &value);
	if (!end || *end)
		return false;
	if (option->number)
		*option->number = (unsigned)value;
	else
		*(option->large ? option->large : option->bytes) = value;
	return true;
}

static bool read_value(const struct greta_option *option, const char *text)
{
	if (option->given)
		*option->given = true;
	if (option->flag)
		return *option->flag = true;
	if (option->text) {
		*option->text = text;
		return true;
	}
	if (option->real)
		return read_real(option, text);
	if (option->list)
		return read_list(option, text);
	if (!option->word)
		return read_number(option, text);
	const struct greta_word *word = text ? find_word(option->words, text, strlen(text)) : NULL;
	*option->word = word ? word->value : text ? 0 : option->bare;
	return word || !text || ((option->number || option->large) && read_number(option, text));
}

/* ---- What is said ---- */

enum { EXPECTED_MAX = 300 };

static void describe_words(const struct greta_word *words, char *out, size_t room)
{
	*out = '\0';
	for (const struct greta_word *word = words; word->text && strlen(out) < room - 1; word++)
		snprintf(out + strlen(out), room - strlen(out), "%s%s", word == words ? "" : ", ", word->text);
}

/* Of a number beyond what the type holds, that is told, too. */
static void describe_bounds(const struct greta_option *option, const char *value, char *out, size_t room)
{
	bool whole = value && *value && !value[strspn(value, "0123456789")];
	*out = '\0';
	errno = 0;
	if (whole && !option->most && (strtoull(value, NULL, 10) > most_of(option) || errno))
		snprintf(out, room, " from %llu to %llu", (unsigned long long)option->least,
			 (unsigned long long)most_of(option));
	else if (option->most)
		snprintf(out, room, " from %llu to %llu", (unsigned long long)option->least,
			 (unsigned long long)option->most);
	else if (option->least)
		snprintf(out, room, " above %llu", (unsigned long long)option->least - 1);
}

static void describe_value(const struct greta_option *option, const char *value, char out[EXPECTED_MAX])
{
	char words[160] = "", bounds[64];
	describe_bounds(option, value, bounds, sizeof(bounds));
	if (option->words)
		describe_words(option->words, words, sizeof(words));
	if (option->real)
		snprintf(out, EXPECTED_MAX, "a number%s%s", option->positive ? " above 0" : "",
			 value && isinf(strtod(value, NULL)) ? " that 64 bits hold" : "");
	else if (option->words && option->list)
		snprintf(out, EXPECTED_MAX, "one or more of %s, each once, with commas between", words);
	else if (option->list)
		snprintf(out, EXPECTED_MAX, "up to %zu ascending whole numbers%s, with commas between", option->room,
			 bounds);
	else if (option->number || option->large)
		snprintf(out, EXPECTED_MAX, "a whole number%s%s%s", bounds, option->words ? " or " : "", words);
	else if (option->words)
		snprintf(out, EXPECTED_MAX, "one of %s", words);
	else
		snprintf(out, EXPECTED_MAX, "%s", option->bytes ? "a size in bytes, as in 800M or 20G" : "a value");
}

void greta_command_warn(const char *tool, const char *message)
{
	greta_terminal_line("%s", "");
	fprintf(stderr, "%s: warning: %s\n", tool, message);
}

int greta_command_failed(const char *tool, const struct greta_error *error)
{
	greta_terminal_line("%s", "");
	fprintf(stderr, "%s: %s\n", tool, error->message);
	return error->status == GRETA_ERROR_ARGUMENT ? 2 : 1;
}

/* As it was given. */
static const char *name_of(int code, const struct greta_option *option, char out[64])
{
	if (code < LONG)
		snprintf(out, 64, "-%c", code);
	else
		snprintf(out, 64, "--%s", option->name);
	return out;
}

/* `expected` NULL: what the table says; `value` NULL: there was none. */
static int unexpected(const struct greta_command_line *line, int code, const struct greta_option *option,
		      const char *expected, const char *value)
{
	struct greta_error error; /* whose message is one printable line, whatever the value is */
	char name[64], wanted[EXPECTED_MAX];
	name_of(code, option, name);
	describe_value(option, value, wanted);
	greta_fail(&error, GRETA_ERROR_ARGUMENT, "%s: expected %s, got %s%s%s", name, expected ? expected : wanted,
		   value ? "'" : "", value ? value : "nothing", value ? "'" : "");
	return greta_command_failed(line->tool, &error);
}

static int contradicted(const struct greta_command_line *line, int code, const struct greta_option *option,
			const char *before, const char *value)
{
	struct greta_error error;
	char name[64];
	greta_fail(&error, GRETA_ERROR_ARGUMENT, "%s: expected one value, got '%.100s' and '%.100s'",
		   name_of(code, option, name), before, value);
	return greta_command_failed(line->tool, &error);
}

int greta_command_line_wrong(const struct greta_command_line *line, const char *format, ...)
{
	char text[400];
	struct greta_error error;
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list); /* NOLINT(clang-analyzer-valist.Uninitialized): it is, one line above */
	va_end(list);
	greta_fail(&error, GRETA_ERROR_ARGUMENT, "%s (%s --help says more)", text, line->tool);
	return greta_command_failed(line->tool, &error);
}

/* ---- The line ---- */

static const struct greta_option *find_option(const struct greta_command_line *line, int code)
{
	if (code >= LONG)
		return &line->options[code - LONG];
	const struct greta_option *option = line->options;
	while (option->letter != code)
		option++;
	return option;
}

/* Whether more than one option begins with `text`, which getopt takes for its whole name if only one does. */
static bool is_ambiguous(const struct greta_command_line *line, const char *text)
{
	size_t count = 0, length = strcspn(text, "=");
	for (const struct greta_option *option = line->options; option && option->name && length > 2; option++)
		count += strncmp(option->name, text + 2, length - 2) == 0;
	return count > 1;
}

/* What getopt did not take: `code` is ':' or '?'. */
static int refuse(const struct greta_command_line *line, int code, const char *text)
{
	if (code == ':')
		return unexpected(line, optopt, find_option(line, optopt), NULL, NULL);
	if (optopt >= LONG)
		return greta_command_line_wrong(line, "%.*s takes no value", (int)strcspn(text, "="), text);
	if (optopt)
		return greta_command_line_wrong(line, "no option -%c", optopt);
	return greta_command_line_wrong(line, is_ambiguous(line, text) ? "several options begin with %s" : "no option %s",
					text);
}

static int answer(const struct greta_command_line *line, bool help)
{
	if (help)
		fputs(line->help, stdout);
	else
		printf("%s %s\n", line->tool, line->version);
	if (fflush(stdout) == 0)
		return 0;
	fprintf(stderr, "%s: cannot write: %s\n", line->tool, strerror(errno));
	return 1;
}

/* In getopt's words. */
static void describe(const struct greta_command_line *line, struct option *out_options, char *letters)
{
	int code = LONG;
	*letters++ = ':'; /* nothing is printed by getopt */
	*letters++ = 'h';
	for (const struct greta_option *o = line->options; o && o->name; o++) {
		int takes = o->flag ? no_argument : o->bare ? optional_argument : required_argument;
		*out_options++ = (struct option){o->name, takes, NULL, code++};
		if (o->letter)
			*letters++ = (char)o->letter;
		for (int i = 0; o->letter && i < takes; i++)
			*letters++ = ':';
	}
	*letters = '\0';
	*out_options++ = (struct option){"help", no_argument, NULL, HELP};
	*out_options++ = (struct option){line->version ? "version" : NULL, no_argument, NULL, VERSION};
	*out_options = (struct option){0};
}

int greta_command_line_read(const struct greta_command_line *line, int argc, char **argv, char ***out_operands)
{
	struct option options[OPTIONS_MAX + 3];
	char letters[3 * OPTIONS_MAX + 3];
	const char *values[OPTIONS_MAX] = {NULL}; /* of the options so far */
	describe(line, options, letters);
	signal(SIGXFSZ, SIG_IGN);
	optind = 0; /* begin, even if somebody has used getopt before */
	for (int code; (code = getopt_long(argc, argv, letters, options, NULL)) != -1;) {
		if (code == 'h' || code >= HELP)
			return answer(line, code != VERSION);
		if (code == ':' || code == '?')
			return refuse(line, code, argv[optind - 1]);
		const struct greta_option *option = find_option(line, code);
		const char *expected = option->read ? option->read(option->to, optarg) : NULL;
		if (expected || (!option->read && !read_value(option, optarg)))
			return unexpected(line, code, option, expected, optarg);
		const char **before = &values[option - line->options];
		bool one = !option->flag && !option->bare && !option->read;
		if (one && *before && strcmp(*before, optarg) != 0)
			return contradicted(line, code, option, *before, optarg);
		*before = optarg;
	}
	size_t operands = (size_t)(argc - optind);
	if (operands < line->least)
		return greta_command_line_wrong(line, "expected %s, got %s%s%s", line->operands,
						operands ? "only '" : "nothing", operands ? argv[optind] : "",
						operands ? "'" : "");
	if (operands > line->most)
		return greta_command_line_wrong(line, "expected %s, got '%s' too",
						line->most ? line->operands : "no operand",
						argv[optind + (int)line->most]);
	for (size_t i = 0; i < operands; i++)
		if (!*argv[optind + (int)i])
			return greta_command_line_wrong(line, "expected %s, got ''", line->operands);
	*out_operands = argv + optind;
	return -1;
}
