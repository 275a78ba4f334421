# `make help` lists the targets. Variables worth setting: JOBS, BUILD_DIR, CRITEST.

SWIFT ?= swift
BUILD_DIR ?= .build
LAUNCH_DIR ?= .build-launch
JOBS ?= $(shell nproc)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")
# Tests that touch the kernel; the rest are unit tests.
KERNEL_TESTS := KernelTests
DAEMON_TESTS := DaemonTests
# Long ones, those with deadlines of clients in them, and those that count this process's descriptors: each by itself, so that
# none starves or disturbs the others.
LONG_TESTS := CRIServiceTests GRPCTests CLITests SupervisorClientTests RegistryTests ImageStoreTests CNITests StreamingTests
# Worth running on a kernel with pure cgroup v2 as well.
GUEST_TESTS := CgroupsTests KernelTests 'DaemonTests\..*(LimitTests|MetricsTests|StatisticsTests|ExecSync.leaves.*)'
export BUILD_DIR LAUNCH_DIR

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.PHONY: help deps launcher build release run test check fmt bench unit-test kernel-test daemon-test guest-test \
	critest conformance images proto clean install deb package-test

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install missing Debian packages (apt)
	@scripts/deps

launcher: deps ## The static launcher, in Embedded Swift
	SWIFTLET_LAUNCHER=1 $(SWIFT) build -c release -j $(JOBS) --scratch-path $(LAUNCH_DIR)

build: launcher ## Debug build of everything, tests included
	$(SWIFT) build --build-tests -j $(JOBS) --scratch-path $(BUILD_DIR)

release: launcher ## Release build of the daemon and the command lines, Swift's libraries linked in
	for product in swiftletd swiftlet swiftlet-bench; do \
		$(SWIFT) build -c release -j $(JOBS) --static-swift-stdlib --scratch-path $(BUILD_DIR) --product $$product || exit; \
	done

PREFIX ?= /usr/local
install: ## Install what `make release` has built (DESTDIR, PREFIX); run it as root
	packaging/install --bin $(BUILD_DIR)/release --launcher $(LAUNCH_DIR)/release/swiftlet-launch --destdir "$(DESTDIR)" --prefix "$(PREFIX)"

deb: release ## The Debian package, into out/
	packaging/deb --bin $(BUILD_DIR)/release --launcher $(LAUNCH_DIR)/release/swiftlet-launch --out out

run: release ## The main job on real input: registry, daemon, pod, container, log
	$(SUDO) rootfs-tools/node --bin $(BUILD_DIR)/release --launcher $(LAUNCH_DIR)/release/swiftlet-launch -- rootfs-tools/demo

bench: release ## Measure the runtime beside the floor (BENCH passes options of swiftlet-bench)
	$(SUDO) rootfs-tools/node --bin $(BUILD_DIR)/release --launcher $(LAUNCH_DIR)/release/swiftlet-launch -- bench/run $(BENCH)

test: check build unit-test kernel-test daemon-test guest-test package-test ## Everything that continuous integration checks

unit-test: build ## Tests without root and network
	scripts/check-config
	scripts/run-tests --but $(KERNEL_TESTS) $(DAEMON_TESTS) $(LONG_TESTS)
	for target in $(LONG_TESTS); do scripts/run-tests $$target || exit; done

kernel-test: build ## The launcher on this host's kernel (root)
	$(SUDO) scripts/run-tests $(KERNEL_TESTS)

daemon-test: build ## The whole daemon on this host (root)
	$(SUDO) scripts/run-tests $(DAEMON_TESTS)

guest-test: build ## The same on a guest kernel with pure cgroup v2, where this host lacks its controllers (root)
	@if scripts/host-has-controllers; then echo "guest-test: this host has all cgroup v2 controllers"; \
	else $(SUDO) rootfs-tools/guest selftest && \
	for target in $(GUEST_TESTS); do $(SUDO) scripts/run-tests --guest $$target || exit; done; fi

package-test: build ## Install, upgrade, remove and purge a package of the debug build (root)
	$(SUDO) packaging/test --bin $(BUILD_DIR)/debug --launcher $(LAUNCH_DIR)/release/swiftlet-launch

check: ## Format, arrows, banned constructs, files, generated code
	@scripts/check

fmt: ## Format the sources
	git ls-files -co --exclude-standard -- 'Sources/*.swift' 'Tests/*.swift' ':!Sources/CRIProto/*' ':!Sources/SwiftletAPI/*' | \
		xargs $(SWIFT) format --in-place --parallel --configuration .swift-format

critest: release ## The public CRI conformance suite; CRITEST is the path of a built critest
	$(SUDO) rootfs-tools/node --images conformance --bin $(BUILD_DIR)/release \
		--launcher $(LAUNCH_DIR)/release/swiftlet-launch -- rootfs-tools/critest "$(CRITEST)"

conformance: ## Our conformance suite: against ENDPOINT=unix://..., else against our own daemon on a node (SUITE passes options)
ifdef ENDPOINT
	$(SWIFT) build -j $(JOBS) --scratch-path $(BUILD_DIR) --product swiftlet-conformance
	$(SUDO) $(BUILD_DIR)/debug/swiftlet-conformance --endpoint $(ENDPOINT) $(SUITE)
else
	$(MAKE) build
	$(SUDO) rootfs-tools/node --bin $(BUILD_DIR)/debug --launcher $(LAUNCH_DIR)/release/swiftlet-launch -- \
		sh -c 'exec swiftlet-conformance --endpoint "$$CONTAINER_RUNTIME_ENDPOINT" $(SUITE)'
endif

images: deps ## Build the test images
	@rootfs-tools/images list --set base --set conformance

proto: ## Generate Sources/CRIProto and Sources/SwiftletAPI from proto/
	proto/generate

clean: ## Remove build output
	rm -rf $(BUILD_DIR) $(LAUNCH_DIR) out
