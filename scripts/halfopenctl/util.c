// SPDX-License-Identifier: GPL-2.0
/* Errors, files, numbers. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"
#include "out.h"

bool errors_are_unknown;
void (*before_error)(void);

static const char *command = "";

void set_command(const char *name)
{
	command = name;
}

__noreturn __printf(2, 0)
static void die(int code, const char *fmt, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, args);
	if (before_error)
		before_error();
	if (errors_are_unknown) {
		out_discard();
		out_fmt("HALFOPEN UNKNOWN - %s\n", text);
		out_flush();
		exit(CHECK_UNKNOWN);
	}
	fprintf(stderr, "halfopenctl: %s\n", text);
	exit(code);
}

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die(EXIT_FAILED, fmt, args);
}

void usage_error(const char *fmt, ...)
{
	char text[768];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (errors_are_unknown)
		fail("%s", text);
	fprintf(stderr, "halfopenctl: %s\nTry 'halfopenctl %s%s--help'.\n",
		text, command, *command ? " " : "");
	exit(EXIT_USAGE);
}

bool module_loaded(void)
{
	return !access("/sys/module/halfopen", F_OK);
}

void fail_open(const char *path, int err)
{
	const char *ns = netns_name();

	if (err == EACCES || err == EPERM)
		fail("no permission for %s: run this as root", path);
	if (err != ENOENT && err != ENOTDIR)
		fail("cannot read %s: %s", path, strerror(err));
	if (!module_loaded())
		fail("the module is not loaded: 'modprobe halfopen' or 'insmod halfopen.ko' does it");
	if (access("/proc/net", F_OK))
		fail("there is no /proc/net: mount /proc");
	if (access("/proc/net/halfopen", F_OK))
		fail("the module is loaded, but network namespace %s does not show it: is its /proc/net masked, or is the module being unloaded?",
		     ns ? ns : "of this process");
	fail("there is no %s: the module is of another version than this tool ("
	     HO_VERSION ")", path);
}

void *xmalloc(size_t size)
{
	void *mem = malloc(size);

	if (!mem)
		fail("no memory");
	return mem;
}

void *xcalloc(size_t nr, size_t size)
{
	void *mem = calloc(nr, size);

	if (!mem)
		fail("no memory");
	return mem;
}

char *read_file(const char *path)
{
	size_t size = 16384, len = 0;
	char *text, *more;
	ssize_t got;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = xmalloc(size);
	while ((got = read(fd, text + len, size - len - 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		len += got;
		if (size - len > 4096)
			continue;
		size *= 2;
		more = realloc(text, size);
		if (!more)
			fail("no memory");
		text = more;
	}
	err = errno;
	close(fd);
	if (got < 0) {
		free(text);
		errno = err;
		return NULL;
	}
	text[len] = '\0';
	return text;
}

char *read_proc(const char *path)
{
	char *text = read_file(path);

	if (!text)
		fail_open(path, errno);
	return text;
}

static bool write_all(int fd, const char *text, size_t len)
{
	ssize_t put;

	while (len) {
		put = write(fd, text, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		text += put;
		len -= put;
	}
	return true;
}

void write_file(const char *path, const char *text, size_t len)
{
	char tmp[4096];
	int fd, err;

	if (!strcmp(path, "-")) {
		out_mem(text, len);
		return;
	}
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >=
	    sizeof(tmp))
		fail("the name %.40s... is too long", path);
	fd = mkstemp(tmp);
	if (fd < 0)
		fail("cannot write %s: %s%s", path, strerror(errno),
		     errno == EACCES ? ": run this as root" :
		     errno == ENOENT ? ": is there such a directory?" : "");
	if (!write_all(fd, text, len) || fchmod(fd, 0644) || fsync(fd) ||
	    rename(tmp, path)) {
		err = errno;
		unlink(tmp);
		fail("cannot write %s: %s", path, strerror(err));
	}
	close(fd);
}

bool parse_u64(const char *text, __u64 min, __u64 max, __u64 *value)
{
	__u64 sum = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return sum >= min && sum <= max;
}

__u64 arg_u64(const char *option, const char *text, __u64 min, __u64 max)
{
	__u64 value;

	if (!parse_u64(text, min, max, &value))
		usage_error("%s takes a number from %llu to %llu, not '%.64s'",
			    option, min, max, text);
	return value;
}

__u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}
