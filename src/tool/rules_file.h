/* SPDX-License-Identifier: MIT
 * rules_file.h - from the name of a rules file to its rules; what is wrong is said. */
#ifndef TOOL_RULES_FILE_H
#define TOOL_RULES_FILE_H
#include "tool/rules.h"

/* 0, or an exit code; *ret is the caller's. */
int rules_of_file(const struct rules_given *g, struct rules **ret);
/* So that a fault of an option is not told as one of the file. 0, or an exit code. */
int rules_check_given(const struct rules_given *g);
#endif
