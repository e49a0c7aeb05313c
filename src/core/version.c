/* SPDX-License-Identifier: MIT */
#include <duplex/duplex.h>

const char *dx_version(void)
{
    return "0.1.0";
}
