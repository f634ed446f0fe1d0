# SPDX-License-Identifier: GPL-2.0
# Thin: Kbuild says what is built, scripts/ does the work of the checks.

KDIR ?= /lib/modules/$(shell uname -r)/build
# Debian's 6.1 headers have the upstream version in kernel.release.
KREL = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
K ?= 6.1
LOGS = $${XDG_CACHE_HOME:-$$HOME/.cache}/halfopen/logs

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)

uninstall:
	rm -f $(INSTALL_MOD_PATH)/lib/modules/$(KREL)/updates/halfopen.ko*
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(KREL)

check:
	scripts/check.sh

nightly:
	scripts/check.sh --nightly

demo:
	scripts/demo.sh

bench:
	scripts/bench.sh $(if $(BASE),--base $(BASE)) $(if $(UPDATE),--update)

kunit:
	scripts/deps.sh kunit
	scripts/kunit.sh $(T)

lint:
	scripts/deps.sh build lint
	scripts/lint.sh

debug:
	scripts/deps.sh kunit debug
	scripts/debug.sh $(T)

matrix:
	scripts/deps.sh build
	scripts/build-matrix.sh

fuzz:
	scripts/deps.sh fuzz
	scripts/fuzz.sh

coverage:
	scripts/deps.sh kunit debug coverage
	scripts/coverage.sh

soak:
	scripts/deps.sh kunit debug
	scripts/soak.sh

test:
	scripts/deps.sh build vm
	scripts/vm.sh --kernel $(K) $(VM) $(T)

deb:
	scripts/deps.sh deb
	scripts/deb.sh $(OUT)

rpm:
	scripts/deps.sh packages
	scripts/rpm.sh $(OUT)

packages:
	scripts/deps.sh deb packages build vm
	scripts/package-test.sh $(D)

rows:
	scripts/rows.py $(LOGS)/check-time-[0-9]*.log $(LOGS)/check-vm-[0-9]*.log \
	    $(LOGS)/check-debug.log

help:
	@echo 'make [KDIR=DIR]           build halfopen.ko for the kernel build directory DIR'
	@echo 'make install, uninstall   for that kernel, with depmod'
	@echo 'make clean'
	@echo 'make deb, rpm [OUT=DIR]   packages of the module for DKMS, and of the tools'
	@echo 'make demo                 the same flood three times: native, cookies, halfopen'
	@echo 'make bench [BASE=COMMIT]  what everything costs, side by side; UPDATE=y keeps it'
	@echo 'make check                everything below, on every kernel of scripts/kernels.txt'
	@echo 'make nightly              the same with big counts, coverage and soak'
	@echo 'make matrix               build for every kernel, no warnings'
	@echo 'make lint                 static checks'
	@echo 'make kunit [T=GLOB]         unit tests in a UML kernel'
	@echo 'make debug [T=NAME]                selftests in a UML kernel with KASAN and lockdep'
	@echo 'make fuzz                 parsers and decisions under libFuzzer'
	@echo 'make coverage             lines of the module that KUnit and selftests reach'
	@echo "make soak                 a day's SYNs in minutes, every count back to where it began"
	@echo 'make packages [D=trixie]  install them in a Debian, new kernel, VM, purge'
	@echo 'make rows                 what the last check showed, row by row'
	@echo 'make test [T=NAME] [K=6.1] [VM=--icount]   selftests in a VM'

.PHONY: modules clean install uninstall check nightly demo bench kunit lint debug matrix fuzz coverage soak deb rpm packages \
	test rows help
