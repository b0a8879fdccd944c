# Millrace: `make` builds, `make demo` shows, `make test` proves. Details: CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
export JAVA_HOME := $(shell $(ROOT)/scripts/find-jdk 22)
JDK17 := $(shell $(ROOT)/scripts/find-jdk 17 21 2>/dev/null)
MVN := mvn -B -q -f $(ROOT)/pom.xml

.PHONY: all
all: java

# ------------------------------------------------------------------ what the system must have
.PHONY: system
system:
	@scripts/system-packages build

# ------------------------------------------------------------------ native/
.PHONY: native native-test native-test-all
native: system
	@$(MAKE) --no-print-directory -C native lib
native-test: system
	@$(MAKE) --no-print-directory -C native test
native-test-all: system
	@$(MAKE) --no-print-directory -C native test-all
