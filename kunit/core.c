// SPDX-License-Identifier: GPL-2.0
/*
 * The units under test, compiled once more for the test module: two modules
 * must not share an object, and one object makes one coverage file.
 */
#include <linux/module.h>

#include "fixtures.h"

#include "../module/core/admit.c"
#include "../module/core/fsm.c"
#include "../module/core/isn.c"
#include "../module/core/key.c"
#include "../module/core/opts.c"
#include "../module/core/rto.c"
#include "../module/core/win.c"
#include "../module/state/budget.c"
#include "../module/state/entry.c"
#include "../module/state/table.c"
#include "../module/state/timer.c"

MODULE_DESCRIPTION("KUnit tests of halfopen");
MODULE_LICENSE("GPL");
