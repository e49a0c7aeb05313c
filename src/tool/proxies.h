/* SPDX-License-Identifier: MIT
 * proxies.h - http_proxy, https_proxy, all_proxy and no_proxy: what the environment says of proxies, as curl reads it. */
#ifndef TOOL_PROXIES_H
#define TOOL_PROXIES_H
#include <stdbool.h>

/* The proxy for url, as it stands in the environment; NULL: none. */
const char *proxy_of_environment(const char *url);
bool proxy_is_excepted(const char *url, const char *no_proxy); /* does NO_PROXY name it? */
#endif
