// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal.  Signals are noted, and delivered only while ppoll() waits, so
 * that none is lost between a look at the note and the wait.
 */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "out.h"
#include "util.h"

#define ENTER	"\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE	"\033[0m\033[?25h\033[?1049l"

enum {
	BATCH_COLUMNS	= 80,
	ROWS_MAX	= 1000,
	COLUMNS_MAX	= 1000,
};

static struct {
	bool batch;
	bool open;
	bool keys;		/* stdin is a terminal */
	bool utf8;
	size_t rows;
	size_t columns;
	size_t row;
	struct termios before;
	sigset_t waiting;	/* signals that are let in meanwhile */
} screen;

static volatile sig_atomic_t quit;
static volatile sig_atomic_t resized;
static volatile sig_atomic_t suspended;

static void on_signal(int nr)
{
	if (nr == SIGWINCH)
		resized = 1;
	else if (nr == SIGTSTP)
		suspended = 1;
	else
		quit = 1;
}

static const int signals[] = {
	SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP,
};

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		/* in a pipe ^Z does what it does everywhere */
		if (screen.batch && signals[i] == SIGTSTP)
			continue;
		sigaddset(&blocked, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, &screen.waiting);
	/* somebody may have started us with these blocked */
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigdelset(&screen.waiting, signals[i]);
}

static void measure(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row ||
	    !size.ws_col) {
		size.ws_row = 24;
		size.ws_col = 80;
	}
	screen.rows = size.ws_row < ROWS_MAX ? size.ws_row : ROWS_MAX;
	screen.columns = size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

static void enter(void)
{
	struct termios raw;

	screen.keys = !tcgetattr(STDIN_FILENO, &screen.before);
	if (screen.keys) {
		raw = screen.before;
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	out_str(ENTER);
	out_flush();
	screen.open = true;
	measure();
}

void screen_close(void)
{
	if (!screen.open)
		return;
	screen.open = false;
	out_discard();
	out_str(LEAVE);
	out_flush();
	if (screen.keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.before);
}

static bool locale_is_utf8(void)
{
	static const char * const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		value = getenv(names[i]);
		if (value && *value)
			return strcasestr(value, "utf-8") ||
			       strcasestr(value, "utf8");
	}
	return false;
}

void screen_open(bool batch)
{
	screen.batch = batch;
	screen.utf8 = locale_is_utf8();
	catch_signals();
	if (batch) {
		screen.columns = BATCH_COLUMNS;
		return;
	}
	atexit(screen_close);
	before_error = screen_close;
	enter();
}

bool screen_utf8(void)
{
	return screen.utf8;
}

size_t screen_rows(void)
{
	return screen.rows;
}

size_t screen_columns(void)
{
	return screen.columns;
}

void screen_begin(void)
{
	screen.row = 0;
	if (!screen.batch)
		out_str("\033[H");
}

/* Bytes of the first WIDTH columns; no character here is wider than one. */
static size_t cut(const char *text, size_t width)
{
	size_t at;

	for (at = 0; text[at]; at++)
		if ((text[at] & 0xc0) != 0x80 && !width--)
			break;
	return at;
}

void screen_line(enum screen_style style, const char *fmt, ...)
{
	static const char * const on[] = {
		[STYLE_HEADER] = "\033[7m",
		[STYLE_ALARM] = "\033[1;31m",
		[STYLE_GOOD] = "\033[32m",
	};
	char text[4 * COLUMNS_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (screen.batch) {
		out_fmt("%s\n", text);
		return;
	}
	if (screen.row == screen.rows)
		return;
	if (screen.row++)
		out_str("\r\n");
	if (on[style])
		out_str(on[style]);
	out_mem(text, cut(text, screen.columns));
	if (on[style])
		out_str("\033[0m");
	/* at the last column it would eat the last character */
	if (cut(text, screen.columns) == strlen(text))
		out_str("\033[K");
}

void screen_end(void)
{
	if (screen.batch)
		out_char('\n');
	else
		out_str(screen.row < screen.rows ? "\r\n\033[J" : "");
	out_flush();
}

/* As if we did not catch it, with the terminal as it was. */
static void suspend(void)
{
	suspended = 0;
	screen_close();
	raise(SIGSTOP);
	enter();
}

static enum screen_event key(void)
{
	char text[32];
	ssize_t len = read(STDIN_FILENO, text, sizeof(text));

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return EVENT_TIME;
	/* the terminal is gone */
	if (len <= 0)
		return EVENT_QUIT;
	/* a lone Esc; arrows and the like begin with one */
	if (text[0] == 'q' || text[0] == 'Q' || (len == 1 && *text == '\033'))
		return EVENT_QUIT;
	return text[0] == ' ' ? EVENT_LOOK : EVENT_TIME;
}

enum screen_event screen_wait(__u64 ms)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	__u64 end = now_ms() + ms, left, now;
	enum screen_event event;
	struct timespec ts;
	int got;

	for (;;) {
		now = now_ms();
		left = end > now ? end - now : 0;
		ts.tv_sec = left / 1000;
		ts.tv_nsec = left % 1000 * 1000000;
		got = ppoll(&fd, screen.keys ? 1 : 0, &ts, &screen.waiting);
		if (quit)
			return EVENT_QUIT;
		if (suspended) {
			suspend();
			return EVENT_RESIZE;
		}
		if (resized) {
			resized = 0;
			if (!screen.batch)
				measure();
			return EVENT_RESIZE;
		}
		if (!got && !left)
			return EVENT_TIME;
		if (got <= 0)
			continue;
		event = key();
		if (event != EVENT_TIME)
			return event;
	}
}
