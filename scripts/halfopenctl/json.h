/* SPDX-License-Identifier: GPL-2.0 */
/* One JSON document; commas and indentation come by themselves. */
#ifndef JSON_H
#define JSON_H

#include <linux/types.h>
#include <stdbool.h>

/* NAME is NULL within an array. */
void json_begin(const char *name, char bracket);	/* '{' or '[' */
void json_end(char bracket);
void json_str(const char *name, const char *text);
void json_int(const char *name, __s64 value);
void json_bool(const char *name, bool value);
void json_null(const char *name);
/* With a tenth. */
void json_tenths(const char *name, __u64 tenths);

#endif
