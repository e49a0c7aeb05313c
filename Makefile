# SPDX-License-Identifier: MIT
# The handles of the tree; meson and ninja do the work. Packages are installed by ./run and ./test alone.
#   make                 an optimised build/duplex          make test     what ./test does
#   make run ARGS=--lan  builds and serves                  make bench    speed, against a raw epoll server, libuv, nginx and h2o
#   make peers           real programs talk to it           make soak     long: fuzzing and load, SOAK=minutes
#   make format          clang-format 14 over the C files
#   make install         DESTDIR= prefix=/usr/local; with man pages and completions of bash and zsh
prefix = /usr/local
DESTDIR =
ARGS =
SOAK = 10

all:
	@tools/build.sh build

run:
	@./run $(ARGS)

test:
	@./test

bench: all
	@meson test -C build --benchmark --no-rebuild --verbose --num-processes 1

peers: all
	@meson test -C build --suite peers --no-rebuild --verbose

soak: all
	@tools/soak.sh $(SOAK)

format:
	@find include tests examples bench -name '*.[ch]' -exec clang-format-14 -i {} +
	@find src -name '*.c' -exec clang-format-14 -i {} + # headers there are aligned by hand

install: all
	@[ "$$(meson introspect build --buildoptions | tr '{' '\n' | sed -n 's/.*"name": "prefix", "value": "\([^"]*\)".*/\1/p')" = "$(prefix)" ] || \
	    meson configure build --prefix='$(prefix)'
	@meson install -C build --destdir='$(DESTDIR)'
	@case '$(DESTDIR)$(prefix)' in /usr|/usr/local) PATH="$$PATH:/sbin:/usr/sbin" ldconfig 2>/dev/null || :; esac # so that programs find a new library at once

clean:
	@rm -rf build

.PHONY: all run test bench peers soak format install clean
