#include "models/utf8.h"

enum greta_utf8 greta_utf8_front(const char *text, size_t length, size_t *out_length)
{
	unsigned char lead = (unsigned char)text[0];
	size_t wanted;
	unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */

	*out_length = 1;
	if (lead < 0x80)
		return GRETA_UTF8_COMPLETE;
	if (lead >= 0xc2 && lead <= 0xdf) {
		wanted = 2;
	} else if (lead >= 0xe0 && lead <= 0xef) {
		wanted = 3;
		if (lead == 0xe0)
			low = 0xa0;
		if (lead == 0xed)
			high = 0x9f;
	} else if (lead >= 0xf0 && lead <= 0xf4) {
		wanted = 4;
		if (lead == 0xf0)
			low = 0x90;
		if (lead == 0xf4)
			high = 0x8f;
	} else {
		return GRETA_UTF8_BROKEN;
	}

	for (size_t i = 1; i < wanted; i++) {
		*out_length = i;
		if (i == length)
			return GRETA_UTF8_UNFINISHED;
		unsigned char byte = (unsigned char)text[i];
		if (byte < low || byte > high)
			return GRETA_UTF8_BROKEN;
		low = 0x80;
		high = 0xbf;
	}
	*out_length = wanted;
	return GRETA_UTF8_COMPLETE;
}
