/* Text from outside as a JSON string. */
#ifndef GRETA_JSON_TEXT_H
#define GRETA_JSON_TEXT_H

#include <jansson.h>

/* Paths and names need not be UTF-8, JSON strings must: what can be part of no character becomes U+FFFD, as Unicode
 * wants it (models/utf8.h). NULL without memory. */
json_t *greta_json_text(const char *text);

#endif
