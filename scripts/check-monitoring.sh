#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
#   check-monitoring.sh [METRICS]
#
# promtool accepts the alert rules, and they fire in alerts-test.yml when they
# should; the dashboard is well-formed: see the checks below; and halfopenctl has
# every metric that they name.
#
# METRICS is the output of "halfopenctl metrics": selftests/observe.sh has one in
# the VM, where there is no promtool.  Without it, metrics are the counters of
# counters.h and what scripts/halfopenctl/cmd_metrics.c has in quotes.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=scripts/monitoring
bad=0

complain() {
	echo "$*"
	bad=1
}

# --- alert rules --------------------------------------------------------------

if [ $# -eq 0 ]; then
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/halfopen
	promtool=$cache/promtool/usr/bin/promtool
	scripts/deps.sh promtool || exit 1
	out=$("$promtool" check rules $dir/alerts.yml 2>&1) || complain "$out"
	out=$("$promtool" test rules $dir/alerts-test.yml 2>&1) || complain "$out"
fi
while read -r alert; do
	grep -q "alertname: $alert\b" $dir/alerts-test.yml ||
		complain "$dir/alerts-test.yml does not test $alert"
done < <(sed -n 's/^ *- alert: //p' $dir/alerts.yml)

# --- dashboard ----------------------------------------------------------------

# Prints what is wrong on stderr, and expressions on stdout.
dashboard() {
	python3 -I - $dir/dashboard.json <<'EOF'
import json
import sys

KINDS = {"stat", "timeseries"}
wrong = []


def want(good, *what):
    if not good:
        wrong.append(" ".join(map(str, what)))


def unique(pairs):
    want(len({key for key, _ in pairs}) == len(pairs), "a key is twice in", pairs)
    return dict(pairs)


def overlap(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and
            a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


with open(sys.argv[1], encoding="utf-8") as file:
    board = json.load(file, object_pairs_hook=unique)
for key, kind in (("uid", str), ("title", str), ("schemaVersion", int), ("panels", list),
                  ("templating", dict), ("time", dict)):
    want(isinstance(board.get(key), kind), "the dashboard has no", key)
variables = board["templating"]["list"]
names = {variable["name"] for variable in variables}
want(len(names) == len(variables), "a variable is there twice")
sources = {variable["name"] for variable in variables if variable["type"] == "datasource"}
panels = board["panels"]
want(len({panel["id"] for panel in panels}) == len(panels), "an id of a panel is there twice")
want(len({panel["title"] for panel in panels}) == len(panels), "a title is there twice")
for variable in variables:
    if variable["type"] == "query":
        want(variable["datasource"]["uid"].strip("${}") in sources, variable["name"],
             "has no data source")
        print(variable["query"]["query"])
for nr, panel in enumerate(panels):
    name, grid = panel["title"], panel["gridPos"]
    want(panel["type"] in KINDS, name, "is a", panel["type"])
    want(panel["description"], name, "has no description")
    want(grid["x"] >= 0 and grid["w"] > 0 and grid["x"] + grid["w"] <= 24 and
         grid["y"] >= 0 and grid["h"] > 0, name, "is outside", grid)
    for other in panels[:nr]:
        want(not overlap(grid, other["gridPos"]), name, "is over", other["title"])
    want(panel["targets"], name, "shows nothing")
    want(panel["fieldConfig"]["defaults"].get("unit"), name, "has no unit")
    refs = [target["refId"] for target in panel["targets"]]
    want(len(set(refs)) == len(refs), name, "has a refId twice")
    for target in panel["targets"]:
        want(target["datasource"]["uid"].strip("${}") in sources, name, "has no data source")
        want(target.get("expr"), name, "has a target without expr")
        want(target.get("legendFormat"), name, "has a target without legend")
        for used in ("$instance",):
            want(used in target.get("expr", ""), name, "is not of", used)
        want(target["expr"].count("(") == target["expr"].count(")"), name, target["expr"])
        print(target["expr"])
for text in wrong:
    print(text, file=sys.stderr)
sys.exit(bool(wrong))
EOF
}

expressions=$(dashboard 2>&1) || complain "$expressions"
[ -n "$expressions" ] || complain "the dashboard has no expressions"
# What Grafana puts in for its own variables.
if [ $# -eq 0 ]; then
	while read -r expr; do
		[[ $expr != label_values* ]] || continue
		expr=${expr//\$__rate_interval/1m}
		printf 'groups: [{name: a, rules: [{record: a, expr: %s}]}]\n' \
		    "'${expr//\$instance/.*}'" >"$cache/expr.yml"
		"$promtool" check rules "$cache/expr.yml" >/dev/null 2>&1 ||
			complain "no PromQL: $expr"
	done <<<"$expressions"
	rm -f "$cache/expr.yml"
fi

# --- names --------------------------------------------------------------------

rules=$(grep -vE '^\s*#' $dir/alerts.yml)
used=$(grep -ohE '\bhalfopen_[a-z_]+' <<<"$expressions
$(sed -nE '/^ *expr:/,/^ *(for|labels):/p' <<<"$rules")" | sort -u)
if [ $# -gt 0 ]; then
	known=$(sed -nE 's/^(halfopen_\w+).*/\1/p' "$1")
else
	# shellcheck disable=SC2046 # one word per name
	known=$(printf 'halfopen_%s_total\n' \
	    $(sed -nE 's/^\s*X\((\w+),.*/\1/p' include/halfopen/counters.h |
		grep -v '^declined_')
	grep -ohE '\bhalfopen_\w+' scripts/halfopenctl/cmd_metrics.c)
fi
[ -n "$known" ] || complain "no metrics"
while read -r name; do
	grep -qxF "$name" <<<"$known" ||
		complain "$dir names $name, which is no metric of halfopenctl"
done <<<"$used"
exit $bad
