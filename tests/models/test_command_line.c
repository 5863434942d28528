/* Options reach the variables that the table names, and every wrong one is told in one line that names it. */
#include "models/command_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct values {
	bool flag, given;
	const char *text, *taken;
	unsigned number, word, both, list[3], words[2];
	uint64_t large, bytes;
	double real;
	size_t count;
};

static const char *take(void *to, const char *value)
{
	if (strcmp(value, "bad") == 0)
		return "a good one";
	((struct values *)to)->taken = value;
	return NULL;
}

/* Reads a command line of words between blanks; what it says is in `said`, the operands in `operands`. */
static int read_line(const char *text, struct values *v, char said[600], char ***operands)
{
	static const struct greta_word colours[] = {{"red", 7}, {"blue", 9}, {0}};
	static char copy[200];
	static char *argv[20];
	const struct greta_option options[] = {
		{'f', "flag", .flag = &v->flag},
		{'t', "text", .text = &v->text, .given = &v->given},
		{'n', "number", .number = &v->number, .least = 2, .most = 10},
		{0, "large", .large = &v->large, .least = 1},
		{0, "bytes", .bytes = &v->bytes},
		{0, "real", .real = &v->real, .positive = true},
		{0, "word", .word = &v->word, .words = colours, .bare = 3},
		{0, "both", .number = &v->both, .word = &v->word, .words = colours},
		{'l', "list", .list = v->list, .room = 3, .count = &v->count, .empty = true},
		{0, "words", .list = v->words, .room = 2, .words = colours},
		{0, "take", .read = take, .to = v},
		{0},
	};
	const struct greta_command_line line = {.tool = "greta-x", .help = "help\n", .version = "1", .options = options,
						.operands = "one or two files", .least = 1, .most = 2};
	int argc = 0;
	snprintf(copy, sizeof(copy), "greta-x %s", text);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	FILE *file = tmpfile();
	assert_non_null(file);
	fflush(stdout);
	fflush(stderr);
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	int status = greta_command_line_read(&line, argc, argv, operands);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(file);
	said[fread(said, 1, 599, file)] = '\0';
	fclose(file);
	return status;
}

static void test_takes_values(void **state)
{
	(void)state;
	struct values v = {.words = {1, 1}};
	char said[600], **operands;
	assert_int_equal(read_line("-f a -n 10 -tx --large=18446744073709551615 --bytes 3G --real 1e-3 --word --words blue b "
				   "--take good -l 1,5",
				   &v, said, &operands), -1);
	assert_string_equal(said, "");
	assert_true(v.flag && v.given && v.number == 10 && v.large == UINT64_MAX && v.bytes == UINT64_C(3) << 30);
	assert_true(v.real == 1e-3 && v.word == 3 && v.words[0] == 9 && v.words[1] == 0);
	assert_true(v.count == 2 && v.list[0] == 1 && v.list[1] == 5 && v.list[2] == 0);
	assert_string_equal(v.text, "x");
	assert_string_equal(v.taken, "good");
	assert_string_equal(operands[0], "a");
	assert_string_equal(operands[1], "b");
	assert_null(operands[2]);
	assert_int_equal(read_line("--list= --word=blue --both 5 a", &v, said, &operands), -1);
	assert_true(v.count == 0 && v.both == 5 && v.word == 0);
	assert_int_equal(read_line("--both red a", &v, said, &operands), -1);
	assert_int_equal(v.word, 7);
	assert_int_equal(read_line("-- -n a", &v, said, &operands), -1);
	assert_string_equal(operands[0], "-n");
}

static void test_says_what_was_expected(void **state)
{
	(void)state;
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"a -n 1", "-n: expected a whole number from 2 to 10, got '1'"},
		{"a --number 11", "--number: expected a whole number from 2 to 10, got '11'"},
		{"a --number=", "--number: expected a whole number from 2 to 10, got ''"},
		{"a -n 3 --number 4", "--number: expected one value, got '3' and '4'"},
		{"a -n +5", "-n: expected a whole number from 2 to 10, got '+5'"},
		{"a -n 5G", "-n: expected a whole number from 2 to 10, got '5G'"},
		{"a -n", "-n: expected a whole number from 2 to 10, got nothing"},
		{"a --large 0", "--large: expected a whole number above 0, got '0'"},
		{"a --large 18446744073709551616", "--large: expected a whole number from 1 to 18446744073709551615, got '18446744073709551616'"},
		{"a --bytes 16777216T", "--bytes: expected a size in bytes, as in 800M or 20G, got '16777216T'"},
		{"a --bytes 2g", "--bytes: expected a size in bytes, as in 800M or 20G, got '2g'"},
		{"a --real 0", "--real: expected a number above 0, got '0'"},
		{"a --real nan", "--real: expected a number above 0, got 'nan'"},
		{"a --word=green", "--word: expected one of red, blue, got 'green'"},
		{"a --both green", "--both: expected a whole number or red, blue, got 'green'"},
		{"a -l 1,2,3,4", "-l: expected up to 3 ascending whole numbers, with commas between, got '1,2,3,4'"},
		{"a -l 2,2", "-l: expected up to 3 ascending whole numbers, with commas between, got '2,2'"},
		{"a -l 1,", "-l: expected up to 3 ascending whole numbers, with commas between, got '1,'"},
		{"a --words red,green", "--words: expected one or more of red, blue, each once, with commas between, got 'red,green'"},
		{"a --words=", "--words: expected one or more of red, blue, each once, with commas between, got ''"},
		{"a --words blue,blue", "--words: expected one or more of red, blue, each once, with commas between, got 'blue,blue'"},
		{"a --both 4294967296", "--both: expected a whole number from 0 to 4294967295 or red, blue, got '4294967296'"},
		{"a --take bad", "--take: expected a good one, got 'bad'"},
		{"a --text", "--text: expected a value, got nothing"},
		{"a -n \xff\n", "-n: expected a whole number from 2 to 10, got '?" "?'"},
		{"a --flag=1", "--flag takes no value (greta-x --help says more)"},
		{"a --nope", "no option --nope (greta-x --help says more)"},
		{"a --wor x", "several options begin with --wor (greta-x --help says more)"},
		{"a -q", "no option -q (greta-x --help says more)"},
		{"", "expected one or two files, got nothing (greta-x --help says more)"},
		{"a b c", "expected one or two files, got 'c' too (greta-x --help says more)"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct values v = {0};
		char said[600], wanted[600], **operands = NULL;
		snprintf(wanted, sizeof(wanted), "greta-x: %s\n", cases[i].said);
		assert_int_equal(read_line(cases[i].line, &v, said, &operands), 2);
		assert_string_equal(said, wanted);
		assert_null(operands);
	}
}

static void test_answers(void **state)
{
	(void)state;
	struct values v = {0};
	char said[600], **operands;
	assert_int_equal(read_line("--help", &v, said, &operands), 0);
	assert_string_equal(said, "help\n");
	assert_int_equal(read_line("-h --nope", &v, said, &operands), 0);
	assert_int_equal(read_line("--version", &v, said, &operands), 0);
	assert_string_equal(said, "greta-x 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_values),
		cmocka_unit_test(test_says_what_was_expected),
		cmocka_unit_test(test_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
