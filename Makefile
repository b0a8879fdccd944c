# Millrace: `make` builds, `make demo` shows, `make test` proves. The rest is explained in CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
# Maven and the build need a JDK 22 or later; a JDK 17 to 21 that is there too runs the tests of engines over JNI and JNA.
export JAVA_HOME := $(shell $(ROOT)/scripts/find-jdk 22)
OLD_JDK := $(shell JAVA_HOME= $(ROOT)/scripts/find-jdk 17 21 2>/dev/null)
# Maven's own libraries use Unsafe and native code, of which newer JDKs warn.
export MAVEN_OPTS := -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
# Without a UTF-8 locale the JVM refuses names beyond ASCII.
export LC_ALL := C.UTF-8
MVN := mvn -B -q -f $(ROOT)/pom.xml -Dmillrace.native.dir=$(ROOT)/native/build

SOURCES := $(shell find liburing-bindings java benchmarks/src benchmarks/pom.xml -path '*/target' -prune -o \
             -path '*/src/test' -prune -o -type f \( -path '*/src/*' -o -name pom.xml \) -print) pom.xml .mvn/jvm.config
BUILT := target/built

.PHONY: all java native
all: java

java: native $(BUILT)
$(BUILT): $(SOURCES)
	@echo 'Building the Java modules ...'
	@$(MVN) package -DskipTests -Dspotless.check.skip
	@mkdir -p $(@D) && touch $@

native: packages-build
	@$(MAKE) --no-print-directory -s -C native lib

# The libraries for aarch64, cross-built, with their tests under qemu-user; in `make test-all`.
.PHONY: native-aarch64
native-aarch64: packages-test-all java
	@scripts/native-aarch64

# Installs what is missing where we are root on Debian, else prints the exact command.
packages-%:
	@scripts/system-packages $*

# ------------------------------------------------------------------ the two commands

.PHONY: demo test test-all
demo: java
	@scripts/demo

# The full contract on the main combinations, a short one elsewhere. At most 10 minutes.
test: packages-test check-native java
	@$(MAKE) --no-print-directory -C native test
	@$(MVN) spotless:check verify
	@scripts/test-old-jdk short '$(OLD_JDK)'
	@scripts/test-bindings short '$(OLD_JDK)'
	@scripts/test-summary

# What `make test` leaves out: slow tests, many kills, races, a minute of soak, sanitizers, valgrind, Javadoc, aarch64, what a
# release deploys.
test-all: packages-test-all check-native java
	@$(MAKE) --no-print-directory -C native test-all
	@scripts/native-aarch64
	@$(MVN) verify -Dspotless.check.skip -Dtest.groups=slow -Dtest.excludedGroups=none -Dtest.reports=surefire-reports-slow
	@scripts/test-old-jdk full '$(OLD_JDK)'
	@scripts/test-bindings full '$(OLD_JDK)'
	@scripts/test-asan
	@scripts/test-places '$(OLD_JDK)'
	@$(MAKE) --no-print-directory docs bom
	@scripts/stage
	@scripts/test-user-project
	@scripts/test-reproducible
	@$(MAKE) --no-print-directory stress
	@MINUTES=1 scripts/soak
	@scripts/test-summary

# Full load on every engine for MINUTES (24), every byte checked.
.PHONY: soak
soak: java
	@scripts/soak

# Races, tried by jcstress for JCSTRESS_SECONDS.
.PHONY: stress
stress: java
	@$(MVN) package -Pstress -pl java/stress -am -DskipTests -Dspotless.check.skip
	@scripts/stress $${JCSTRESS_SECONDS:-150}

# ------------------------------------------------------------------ style

.PHONY: check check-native format
check: packages-test check-native
	@$(MVN) spotless:check -Pstress
check-native:
	@$(MAKE) --no-print-directory -C native check
format: packages-test
	@clang-format -i native/src/*.[ch] native/test/*.[ch] native/include/*.h benchmarks/limit/*.[ch]
	@$(MVN) spotless:apply -Pstress

# ------------------------------------------------------------------ documentation

.PHONY: docs
docs: java
	@$(MVN) javadoc:aggregate -DskipTests
	@echo 'Javadoc: target/reports/apidocs/index.html'

# ------------------------------------------------------------------ release

# Bill of materials of all that is published, and everything that a release deploys, in a local repository, unsigned.
.PHONY: bom stage
bom: java
	@$(MVN) org.cyclonedx:cyclonedx-maven-plugin:makeAggregateBom
	@echo 'Bill of materials: target/bom.json'
stage: java
	@scripts/stage

# ------------------------------------------------------------------ benchmarks

.PHONY: bench-loop bench-download bench-bindings bench-peers bench-io bench-layers bench-churn bench-check bench-profile limit
limit: packages-build
	@$(MAKE) --no-print-directory -s -C benchmarks/limit
bench-loop: packages-bench java limit
	@benchmarks/scripts/bench-loop
bench-download: packages-bench java limit
	@benchmarks/scripts/bench-download
bench-bindings: packages-bench java
	@benchmarks/scripts/bench-bindings
bench-peers: packages-bench java limit
	@benchmarks/scripts/bench-peers
bench-io: packages-bench java
	@benchmarks/scripts/bench-io
bench-layers: java
	@benchmarks/scripts/bench-layers
bench-profile: packages-bench java
	@benchmarks/scripts/bench-profile
bench-churn: packages-build java
	@benchmarks/scripts/bench-churn
# Ratios and counts against the committed baseline; at most 4 minutes.
bench-check: packages-bench java limit
	@benchmarks/scripts/bench-check

.PHONY: clean
clean:
	@$(MAKE) --no-print-directory -s -C native clean
	@$(MAKE) --no-print-directory -s -C benchmarks/limit clean
	@find . -name target -type d -not -path './.git/*' -prune -exec rm -rf {} +
