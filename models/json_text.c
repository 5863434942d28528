#include "models/json_text.h"
#include "models/utf8.h"

#include <stdlib.h>
#include <string.h>

json_t *greta_json_text(const char *text)
{
	static const char replacement[3] = {'\xef', '\xbf', '\xbd'}; /* U+FFFD */
	size_t length = strlen(text), used = 0, step;
	char *whole = malloc(3 * length + 1);
	if (!whole)
		return NULL;
	for (size_t at = 0; at < length; at += step) {
		if (greta_utf8_front(text + at, length - at, &step) == GRETA_UTF8_COMPLETE) {
			memcpy(whole + used, text + at, step);
			used += step;
		} else {
			memcpy(whole + used, replacement, sizeof(replacement));
			used += sizeof(replacement);
		}
	}
	json_t *made = json_stringn(whole, used);
	free(whole);
	return made;
}
