/* SPDX-License-Identifier: MIT
 * percent.h - paths in their one spelling: dx_path_clean without memory of its own. */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H
#include "base/url.h"

/* Is it spelt so already? Then it need not be cleaned. */
bool path_is_clean(struct bytes path);
/* Writes the clean path to out, which has room for 3 * path.n + 1; returns its length. */
size_t path_clean(struct bytes path, uint8_t *out);
#endif
