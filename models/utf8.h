/* UTF-8, byte by byte: telling whole characters from unfinished and broken ones. */
#ifndef GRETA_UTF8_H
#define GRETA_UTF8_H

#include <stddef.h>

enum greta_utf8 {
	GRETA_UTF8_COMPLETE,   /* a character of *out_length bytes */
	GRETA_UTF8_BROKEN,     /* *out_length bytes that can be part of no character */
	GRETA_UTF8_UNFINISHED, /* all bytes there are begin a character that more could complete */
};

/* Looks at the front of `length` > 0 bytes. Overlong forms, surrogates and values above U+10FFFF are broken. A broken
 * sequence ends where Unicode (chapter 3, "substitution of maximal subparts") wants one U+FFFD for it. */
enum greta_utf8 greta_utf8_front(const char *text, size_t length, size_t *out_length);

#endif
