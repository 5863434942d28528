/* Text from a model, with libgreta: example MODEL [PROMPT]
 * cc example.c $(pkg-config --cflags --libs greta) -o example */
#include <greta/greta.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool print(void *user, int32_t token, const char *text, size_t length)
{
	(void)user;
	(void)token;
	return fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	const char *prompt = argc > 2 ? argv[2] : "In the beginning";
	struct greta_sampling sampling = GRETA_SAMPLING_DEFAULT;
	struct greta *greta = NULL;
	struct greta_error error;
	int32_t *tokens = NULL;
	size_t count;

	if (argc < 2) {
		fprintf(stderr, "usage: %s MODEL [PROMPT]\n", argv[0]);
		return 2;
	}
	int status = greta_open(argv[1], NULL, &greta, &error);
	if (status == GRETA_OK)
		status = greta_set_sampling(greta, &sampling, &error);
	if (status == GRETA_OK)
		status = greta_encode(greta, prompt, strlen(prompt), true, false, &tokens, &count, &error);
	if (status == GRETA_OK)
		status = greta_feed(greta, tokens, count, &error);
	if (status == GRETA_OK)
		status = greta_generate(greta, 64, 0, print, NULL, NULL, NULL, &error);
	puts("");
	if (status != GRETA_OK)
		fprintf(stderr, "%s\n", error.message);
	free(tokens);
	greta_close(greta);
	return status == GRETA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
