# ec2fs: a cloud in a directory. `make`, `make test`, `make demo`; `make help` tells the rest.

CC ?= gcc
BUILD ?= build
PREFIX ?= /usr/local
CLOUD ?= /cloud
export STATE
CFLAGS ?= -O2 -g
WERROR ?= -Werror
# V=1 shows the commands, -s nothing.
Q := $(if $(V),,@)
show = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo '  $(1)  $(2)')
PKGS := fuse3 libvirt libvirt-qemu sqlite3 libpng libcrypto libcryptsetup libmicrohttpd libnftnl libmnl blkid jansson
comma := ,

# SANITIZE=address,undefined or SANITIZE=thread builds into a directory of its own.
SANITIZE ?=
ifneq ($(SANITIZE),)
override BUILD := $(BUILD)/san-$(firstword $(subst $(comma), ,$(SANITIZE)))
# With sanitizers gcc no longer sees which values are set where.
# ThreadSanitizer needs its address space where it expects it.
RUN := $(if $(findstring thread,$(SANITIZE)),setarch $(shell uname -m) -R)
SANFLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all -Wno-maybe-uninitialized
endif

# These need no libraries: on a bare machine `make demo` and `make deps` install them first.
BARE_GOALS := help deps demo demo-stop clean uninstall deb check-asan check-tsan
ifneq ($(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell pkg-config --exists $(PKGS) 2>/dev/null && echo yes),yes)
$(error Development files of $(PKGS) are missing: `make deps` installs what is needed)
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
LIBS := $(shell pkg-config --libs $(PKGS))
endif

VERSION := $(shell cat VERSION)
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DFUSE_USE_VERSION=314 -DEC2FS_VERSION='"$(VERSION)"' -I. \
	-Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wvla -fno-common -fstack-protector-strong \
	-pthread $(PKG_CFLAGS) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(SANFLAGS) $(LDFLAGS)

SRCS := $(filter-out ec2fs/main.c,$(wildcard ec2fs/*.c)) $(wildcard ec2fs/*/*.c ec2fs/*/*/*.c providers/*.c providers/*/*.c volumes/*.c volumes/*/*.c \
	netfw/*.c netfw/*/*.c)
OBJS := $(SRCS:%.c=$(BUILD)/obj/%.o)
LIB := $(BUILD)/libec2fs.a
UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_BINS := $(UNIT_SRCS:%.c=$(BUILD)/%)
# Programs that tests drive, and the maker of the manual page.
TOOLS := $(patsubst %.c,$(BUILD)/%,tests/fuzz/parsers.c docs/man/tree_page.c $(wildcard tests/net/*.c tests/volumes/*.c))

.PHONY: all
all: $(BUILD)/ec2fs

$(BUILD)/ec2fs: $(BUILD)/obj/ec2fs/main.o $(LIB)
	$(call show,LD,$@)
	@[ ! -d $@ ] || rm -r $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The page of the tree is made of the tree's tables.
TREE_PAGE := $(BUILD)/man/ec2fs.tree.7
MAN_PAGES := docs/man/ec2fs.8 $(TREE_PAGE)

.PHONY: man
man: $(TREE_PAGE)

$(TREE_PAGE): docs/man/ec2fs.tree.7.in $(BUILD)/docs/man/tree_page
	$(call show,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$(RUN) $(BUILD)/docs/man/tree_page <$< >$@.new && mv $@.new $@

$(LIB): $(OBJS)
	$(call show,AR,$@)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/obj/%.o: %.c Makefile VERSION
	$(call show,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# make build/ec2fs/model/view.o: does this file compile?
$(BUILD)/ec2fs/%.o: $(BUILD)/obj/ec2fs/%.o ;
$(BUILD)/providers/%.o: $(BUILD)/obj/providers/%.o ;
$(BUILD)/volumes/%.o: $(BUILD)/obj/volumes/%.o ;
$(BUILD)/netfw/%.o: $(BUILD)/obj/netfw/%.o ;

# A test may hand a literal to a callback's void *context.
$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	$(call show,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-write-strings $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(LIBS) -lcmocka

$(TOOLS): $(BUILD)/%: %.c $(LIB)
	$(call show,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(LIBS)

# Tests. TESTS="tests/tree/volumes.bats unit" chooses; the runner explains itself: tests/run --help.
TESTS ?= unit fuzz fs tools tree docs net volumes system

.PHONY: unit test check-asan check-tsan lint bench
unit: $(UNIT_BINS)
	@BUILD=$(BUILD) tests/run unit

test: all man $(UNIT_BINS) $(TOOLS)
	@BUILD=$(BUILD) tests/run $(TESTS)

# The tables in it are what happened.
.PHONY: docs/tools.md
docs/tools.md: all
	@TABLE_RENEW=yes BUILD=$(BUILD) tests/run tests/tools/table.bats

# Of the tests with real machines one file is enough: the others ask what is around ec2fs. What needs a test host, which
# emulates a processor, is left to `make test`; the back ends have unit tests.
check-asan:
	@$(MAKE) --no-print-directory SANITIZE=address,undefined CFLAGS="-O1 -g" \
		TESTS="$(filter-out system volumes,$(TESTS)) tests/system/instances.bats" test

# Threads meet in the daemon, not in the hypervisor: real machines would only make it longer.
check-tsan:
	@$(MAKE) --no-print-directory SANITIZE=thread CFLAGS="-O1 -g" \
		TESTS="$(filter-out fuzz net system volumes,$(TESTS)) tests/net/cloud.bats tests/net/repairs.bats" test

# libFuzzer on the parsers of what others send; FUZZ_SECONDS each.
FUZZ_SECONDS ?= 30
FUZZ_BINS := $(patsubst tests/%.c,$(BUILD)/%,$(filter-out %/parsers.c,$(wildcard tests/fuzz/*.c)))

.PHONY: fuzz fuzz-run
fuzz:
	@$(MAKE) --no-print-directory CC=clang WERROR= CFLAGS="-O1 -g -Wno-unknown-warning-option -Wno-format-nonliteral" \
		SANITIZE=fuzzer-no-link,address,undefined fuzz-run

fuzz-run: $(FUZZ_BINS)
	$(Q)set -e; for f in $^; do echo "  FUZZ  $$f"; $$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$f- -verbosity=0; done

$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIB)
	$(call show,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

lint: export CLANG_CFLAGS = $(filter-out -Werror,$(ALL_CFLAGS))
lint: export BUILD := $(BUILD)
lint:
	@tests/lint/run

# Power cuts at random moments of a whole ec2fs on LVM; each takes some minutes.
SOAK ?= 10
.PHONY: soak
soak: all
	@SOAK=$(SOAK) TEST_LIMIT=$$(($(SOAK) * 300 + 900)) BUILD=$(BUILD) tests/run tests/volumes/soak.bats

bench: all
	@BUILD=$(BUILD) tests/bench/run

# A first look, and its end.
.PHONY: demo demo-stop deps
demo:
	@MAKE="$(MAKE)" BUILD="$(BUILD)" CLOUD="$(CLOUD)" scripts/demo

demo-stop:
	@BUILD="$(BUILD)" CLOUD="$(CLOUD)" scripts/demo-stop

deps:
	@scripts/install-deps --test

# `mount -t fuse.ec2fs` finds ec2fs where a shell without PATH looks (mount(8) drops it): with PREFIX=/usr/local or /usr.
UNITDIR ?= $(PREFIX)/lib/systemd/system
SHARE := $(DESTDIR)$(PREFIX)/share
DOCS := $(wildcard README.md docs/*.md)
EXAMPLES := $(shell find examples -type f 2>/dev/null)

.PHONY: install uninstall deb clean help
install: all man
	install -D -m 755 $(BUILD)/ec2fs $(DESTDIR)$(PREFIX)/sbin/ec2fs
	install -D -m 644 -t $(SHARE)/man/man7 $(TREE_PAGE)
	install -D -m 644 -t $(SHARE)/man/man8 docs/man/ec2fs.8
	install -D -m 644 dist/ec2fs.bash-completion $(SHARE)/bash-completion/completions/ec2fs
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@SBINDIR@|$(PREFIX)/sbin|' dist/ec2fs.service >$(DESTDIR)$(UNITDIR)/ec2fs.service
	chmod 644 $(DESTDIR)$(UNITDIR)/ec2fs.service
	for doc in $(DOCS); do install -D -m 644 $$doc $(SHARE)/doc/ec2fs/$$doc || exit; done
	install -D -m 644 -t $(SHARE)/doc/ec2fs/examples dist/cloud.mount dist/ec2fs.default
	for example in $(EXAMPLES); do install -D $$(test -x $$example || echo -m 644) $$example $(SHARE)/doc/ec2fs/$$example || exit; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/ec2fs $(SHARE)/man/man7/ec2fs.tree.7 $(SHARE)/man/man8/ec2fs.8 \
		$(SHARE)/bash-completion/completions/ec2fs $(DESTDIR)$(UNITDIR)/ec2fs.service
	rm -rf $(SHARE)/doc/ec2fs
	for empty in $(SHARE)/man/man7 $(SHARE)/man/man8 $(SHARE)/bash-completion/completions $(DESTDIR)$(UNITDIR); do \
		! [ -d $$empty ] || rmdir --ignore-fail-on-non-empty $$empty; \
	done

# The package, of what git has here and what is not committed yet: BUILD/deb/ec2fs_VERSION_ARCH.deb.
deb:
	@scripts/make-deb $(BUILD)/deb

clean:
	rm -rf $(BUILD)

help:
	@echo 'make             builds $(BUILD)/ec2fs'
	@echo 'make demo        a first look: builds, mounts a cloud at /cloud and runs a machine (CLOUD=DIR, STATE=DIR: elsewhere)'
	@echo 'make demo-stop   undoes the demo'
	@echo 'make deps        installs the Debian packages that building and testing need'
	@echo 'make test        runs all tests that this machine can run (TESTS="tests/tree/FILE.bats unit" chooses)'
	@echo 'make unit        only the unit tests'
	@echo 'make check-asan  the tests under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make check-tsan  the tests under ThreadSanitizer'
	@echo 'make fuzz        runs libFuzzer (needs clang) on the parsers, FUZZ_SECONDS=$(FUZZ_SECONDS) each'
	@echo 'make docs/tools.md  writes the tables there anew, by running the tools'
	@echo 'make lint        format, clang-tidy, cppcheck and the rules of the house'
	@echo 'make soak        takes the power from a cloud on LVM at random moments, SOAK=$(SOAK) times, in a test host'
	@echo 'make bench       measures, and prints a table'
	@echo 'make install     to PREFIX ($(PREFIX)), below DESTDIR; uninstall takes it away again'
	@echo 'make man         makes the manual page of the tree, $(TREE_PAGE)'
	@echo 'make deb         builds the Debian package in $(BUILD)/deb'
	@echo 'make clean       removes $(BUILD)'

-include $(OBJS:.o=.d) $(UNIT_BINS:=.d) $(TOOLS:=.d) $(BUILD)/obj/ec2fs/main.d
