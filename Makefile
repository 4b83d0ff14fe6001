# ec2fs: a cloud in a directory. `make`, `make test`, `make demo`; `make help` tells the rest.

CC ?= gcc
BUILD ?= build
PKGS := fuse3 libvirt sqlite3 libpng libcrypto
WERROR ?= -Werror
# SANITIZE=address,undefined or SANITIZE=thread builds into a directory of its own.
SANITIZE ?=
ifneq ($(SANITIZE),)
BUILD := build/san-$(subst $(comma),-,$(firstword $(subst $(comma), ,$(SANITIZE))))
SANFLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
comma := ,

VERSION := $(shell cat VERSION)
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DFUSE_USE_VERSION=314 -DEC2FS_VERSION='"$(VERSION)"' -I. \
	-Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wvla -fno-common -fstack-protector-strong \
	-pthread $(shell pkg-config --cflags $(PKGS)) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pthread $(SANFLAGS) $(LDFLAGS)
LIBS := $(shell pkg-config --libs $(PKGS))

SRCS := $(wildcard ec2fs/*/*.c ec2fs/*/*/*.c providers/*.c providers/*/*.c volumes/*.c volumes/*/*.c \
	netfw/*.c netfw/*/*.c)
OBJS := $(SRCS:%.c=$(BUILD)/%.o)
LIB := $(BUILD)/libec2fs.a
UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_BINS := $(UNIT_SRCS:%.c=$(BUILD)/%)

.PHONY: all
all: $(BUILD)/ec2fs

$(BUILD)/ec2fs: $(BUILD)/ec2fs/main.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(OBJS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(LIB) $(LIBS) -lcmocka

.PHONY: unit
unit: $(UNIT_BINS)
	@for t in $(UNIT_BINS); do echo "# $$t"; $$t || exit 1; done

-include $(OBJS:.o=.d) $(UNIT_BINS:=.d) $(BUILD)/ec2fs/main.d
