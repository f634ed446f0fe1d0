/* SPDX-License-Identifier: GPL-2.0 */
/* Every entry, once. */
#ifndef DUMP_H
#define DUMP_H

#include <uapi/halfopen.h>

typedef void (*dump_fn)(const struct halfopen_conn *conn, void *context);

void dump_each(dump_fn fn, void *context);

#endif
