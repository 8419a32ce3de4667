# Needs Go and make, and for the race detector a C compiler; nothing else.
# `make` lists the targets. Every folder with a go.mod is a module of its own.

SHELL = /bin/sh
.DEFAULT_GOAL := help

# Time limit for the tests of one package.
TESTTIMEOUT ?= 10m
# The flag of the race detector, which needs cgo: empty where a trial compilation fails.
# RACE=-race insists on it.
RACE = $(shell go build -race runtime/cgo 2>/dev/null && echo -race)
# The platforms of make cross.
PLATFORMS ?= linux/amd64 linux/arm64 linux/386 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386
# How many inputs each fuzz target gets.
FUZZTIME ?= 100000x
# Which benchmarks of the core run, as for go test -bench; how often; how long
# each time; and by which factor bench-check widens the limits of time.
BENCH ?= .
BENCHROUNDS ?= 10
BENCHTIME ?= 200ms
ROOM ?= 1.15
REDISROUNDS ?= 5
# How long each of the long tests of make nightly runs, and the time limit for a package.
NIGHTLY ?= 10m
NIGHTLYTIMEOUT ?= 1h
# The packages that make mutate tests, with more flags for gremlins.
MUTATE ?= internal/tally internal/flight internal/negative internal/keylock internal/guard writepolicy internal/engine
MUTATEFLAGS ?= --workers 1
# The command whose success make release asks for.
RELEASECHECKS ?= .ci/run

# A developer's workspace would hide a replace directive that is missing.
export GOWORK := off

MODULES := $(shell find . -name go.mod -not -path '*/.*/*' -not -path '*/testdata/*' -exec dirname {} \; | LC_ALL=C sort)
ifeq ($(MODULES),)
$(error there is no go.mod here: run make in the root of the repository)
endif

# These tests start real servers: `make e2e` runs them, and nothing else does.
E2E := ./internal/e2e

BIN := $(CURDIR)/bin
LINT := "$(BIN)/golangci-lint"
LINTFLAGS := --config "$(CURDIR)/.golangci.yml"
BENCHRATIO := bin/benchratio -budgets internal/tools/benchratio/budgets.txt
BENCHREDIS := bin/benchratio -budgets $(E2E)/budgets.txt
BENCHNIGHTLY := bin/benchratio -budgets $(E2E)/budgets-nightly.txt

# $(call each,COMMAND) runs a command in every module. It goes on after a
# failure, and fails at the end with the names of the modules that failed. The
# -P resolves symbolic links: rules of .golangci.yml compare absolute paths.
define each
@failed=; for module in $(MODULES); do \
	echo "== $$module"; \
	(cd -P "$$module" && $(1)) || failed="$$failed $$module"; \
done; \
if [ -n "$$failed" ]; then echo "$@: FAILED in$$failed" >&2; exit 1; fi
endef

SAYRACE = $(if $(RACE),:,echo "the race detector is off: it needs a C compiler with headers, such as Debian's gcc and libc6-dev")

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-17s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test cover: MODULES := $(filter-out $(E2E),$(MODULES))
test: export TIERCACHE_SCRUBS := 1000000
test: ## Run the tests of every module with the race detector, and those of allocations and all of foreign code without. No server is needed.
	@$(SAYRACE)
	$(call each,go test $(RACE) -timeout $(TESTTIMEOUT) ./...)
	go test -timeout $(TESTTIMEOUT) -run 'Allocs|ByHand|Strangers' . ./internal/keylock ./internal/negative
	go test -C internal/linearizability $(RACE) -tags tiercache_sabotage -timeout $(TESTTIMEOUT) -run Sabotage ./...
	@$(SAYRACE)
	@echo "left to make e2e: $(E2E), which needs Redis, Jaeger and Prometheus (make e2e-setup)"

# One package after the other, because time counts in them. Those of coherence and repair are
# without the race detector, with which processes would make a tenth of the hits, and repairs
# take ten times as long. Figures that the tests measure are printed at the end, whether they
# pass or not.
E2EREPORT = $(BIN)/e2e-report.txt
E2EPACKAGES = $$(go list -C $(E2E) ./... | grep -v -e /coherence$$ -e /repair$$)
define e2e
@mkdir -p "$(BIN)" && rm -f "$(E2EREPORT)"
export TIERCACHE_REPORT="$(E2EREPORT)" TIERCACHE_SOAK=$(1) TIERCACHE_CHAOS=$(1); status=0; \
	go test -C $(E2E) $(RACE) -count 1 -p 1 -timeout $(2) $(3) || status=1; \
	go test -C $(E2E) -count 1 -p 1 -timeout $(2) ./coherence ./repair || status=1; \
	cat "$(E2EREPORT)"; exit $$status
endef

.PHONY: e2e
e2e: ## Run the tests against real servers: Redis, a Redis cluster, Jaeger, Prometheus, and in a Chromium. One minute of it is a soak, and one is chaos.
	@$(SAYRACE)
	$(call e2e,1m,$(TESTTIMEOUT),$(E2EPACKAGES))

.PHONY: nightly
nightly: export TIERCACHE_NIGHTLY := 1
nightly: export TIERCACHE_REPAIR_STEPS := 1000000
nightly: export TIERCACHE_SCRUBS := 10000000
nightly: ## Run the soak and the chaos of make e2e for NIGHTLY each, and more benchmarks, on an idle machine: limits of time are stricter. A million random steps of repair, and ten million checks of the scrubber.
	@$(SAYRACE)
	@$(MAKE) --no-print-directory --keep-going nightly-bench nightly-repair nightly-tests

.PHONY: nightly-repair
nightly-repair:
	go test -count 1 -timeout $(NIGHTLYTIMEOUT) -run 'TestRepair_Random|TestScrubber_NoFalseAlarms' ./internal/engine

.PHONY: nightly-tests
nightly-tests:
	$(call e2e,$(NIGHTLY),$(NIGHTLYTIMEOUT),./redis)

.PHONY: e2e-setup
e2e-setup: ## Install what make e2e runs: Debian's redis-server, prometheus and Chromium, and a Jaeger built into bin.
	@$(E2E)/setup.sh

.PHONY: lint
lint: ## Check every module: vet, tidy, format, linters.
	@$(MAKE) --no-print-directory --keep-going lint-vet lint-tidy lint-fmt lint-run

.PHONY: lint-vet lint-tidy lint-fmt lint-run
lint-vet:
	@echo "go vet"
	$(call each,go vet ./...)

lint-tidy:
	@echo "go mod tidy -diff"
	$(call each,go mod tidy -diff)

# One run formats all modules: it walks folders, not packages.
lint-fmt: bin/golangci-lint
	@echo "golangci-lint fmt"
	@$(LINT) fmt $(LINTFLAGS) --diff

lint-run: bin/golangci-lint
	@echo "golangci-lint run"
	$(call each,$(LINT) run $(LINTFLAGS) ./...)

# The modules that users import. Tests are vetted too, and those of the core run as 386,
# whose words of 32 bits show a number that overflows and an atomic that is not aligned.
.PHONY: cross
cross: MODULES := $(filter-out ./examples ./internal/%,$(MODULES))
cross: export CGO_ENABLED := 0
cross: ## Vet and build the library for every platform, and run the core's tests as 386 (on linux/amd64).
	$(call each,for platform in $(PLATFORMS); do \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} && export GOOS GOARCH && \
		go build ./... && go vet ./... || { echo "$$platform failed" >&2; exit 1; }; done)
	@if [ "$$(go env GOHOSTOS)/$$(go env GOHOSTARCH)" = linux/amd64 ]; then \
		echo "GOARCH=386 go test -short"; GOARCH=386 go test -short -timeout $(TESTTIMEOUT) ./...; \
	else echo "the tests as 386 run on linux/amd64 only"; fi

.PHONY: fmt
fmt: bin/golangci-lint ## Format every Go file.
	$(LINT) fmt $(LINTFLAGS)

.PHONY: tidy
tidy: ## Tidy go.mod and go.sum of every module.
	$(call each,go mod tidy)

.PHONY: bench
bench: bench-run ## Run the core's benchmarks and print their ratios to work by hand.
	@$(BENCHRATIO) bin/bench.txt

.PHONY: bench-check
bench-check: bench-run ## Run the core's benchmarks, and fail when a ratio exceeds its budget.
	@$(BENCHRATIO) -check -room $(ROOM) bin/bench.txt

# Every round runs each benchmark once, so that a machine that is slow for a
# while slows a benchmark and its baseline alike.
.PHONY: bench-run
bench-run: bin/benchratio
	@rm -f bin/bench.txt bin/tiercache.test
	go test -c -o bin/tiercache.test .
	@round=1; while [ $$round -le $(BENCHROUNDS) ]; do \
		echo "round $$round of $(BENCHROUNDS)"; \
		bin/tiercache.test -test.run '^$$' -test.bench '$(BENCH)' -test.benchmem -test.count 1 \
			-test.benchtime $(BENCHTIME) -test.timeout $(TESTTIMEOUT) >bin/round.txt || { cat bin/round.txt; exit 1; }; \
		cat bin/round.txt >>bin/bench.txt; \
		round=$$((round + 1)); \
	done; \
	rm bin/round.txt; echo "all results are in bin/bench.txt"

.PHONY: bench-redis
bench-redis: bench-redis-run ## Run the benchmarks over a real Redis, and print their ratios to work by hand.
	@$(BENCHREDIS) bin/bench-redis.txt

.PHONY: bench-redis-check
bench-redis-check: bench-redis-run ## Run the benchmarks over a real Redis, and fail when a ratio exceeds its budget.
	@$(BENCHREDIS) -check -room $(ROOM) bin/bench-redis.txt

.PHONY: nightly-bench
nightly-bench: bin/benchratio ## Run the benchmarks of make nightly, and fail when a ratio exceeds its budget.
	$(call redisrounds,^BenchmarkDistant,bin/bench-nightly.txt)
	@$(BENCHNIGHTLY) -check bin/bench-nightly.txt

.PHONY: bench-redis-run
bench-redis-run: bin/benchratio
	$(call redisrounds,^BenchmarkRedis,bin/bench-redis.txt)

# $(call redisrounds,BENCHMARKS,FILE) runs benchmarks over a real Redis. The two sides of a
# ratio take turns within a benchmark, so a few rounds do.
define redisrounds
@rm -f $(2)
go test -C $(E2E) -c -o "$(BIN)/e2e-redis.test" ./redis
@round=1; while [ $$round -le $(REDISROUNDS) ]; do \
	echo "round $$round of $(REDISROUNDS)"; \
	bin/e2e-redis.test -test.run '^$$' -test.bench '$(1)' -test.benchmem -test.count 1 \
		-test.benchtime 50ms -test.timeout $(TESTTIMEOUT) >bin/round.txt || { cat bin/round.txt; exit 1; }; \
	cat bin/round.txt >>$(2); \
	round=$$((round + 1)); \
done; \
rm bin/round.txt; echo "all results are in $(2)"
endef

.PHONY: bench-instances
bench-instances: ## Measure the cost of coherence with 1, 5 and 20 instances, for docs/benchmarks.md; needs redis-server.
	@go test -C internal/e2e ./coherence -run '^$$' -bench BenchmarkInstances -benchtime 3000x -count 3

.PHONY: bench-codecs
bench-codecs: ## Measure size and time of the codecs, for docs/codecs.md.
	@for codec in msgpackcodec protobufcodec compresscodec; do \
		go test -C backends/$$codec -run '^$$' -bench BenchmarkCodec -benchtime $(BENCHTIME) . || exit 1; done

.PHONY: matrix
matrix: bin/matrix ## Print the state of the tiers, and of two processes, of this and other libraries after faults; needs redis-server (MATRIXFLAGS='-into docs/divergence.md').
	@bin/matrix $(MATRIXFLAGS)

.PHONY: compare
compare: bin/compare ## Measure this and other libraries on the same work (COMPAREFLAGS='-only Zipf').
	@bin/compare $(COMPAREFLAGS)

# The figures of a busy machine say nothing: the table tells its load.
.PHONY: ycsb
ycsb: bin/ycsb ## Run the YCSB core workloads with this and other libraries over a Redis (YCSBFLAGS='-only A -rounds 3').
	@bin/ycsb $(YCSBFLAGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target with FUZZTIME inputs.
	@sh internal/tools/fuzz.sh $(FUZZTIME) $(MODULES)

# Mutants of a package are tested by the tests of that package, and those of the
# engine, which has none, by all tests of the module. GOFLAGS are for the tests that
# gremlins runs. Its limit of time is a multiple of its first run, which must not come
# from go's cache: a pattern for -skip that is new, and matches nothing, sees to that.
.PHONY: mutate
mutate: bin/gremlins ## Change the engine's code bit by bit, and see whether a test fails each time. It takes some hours.
	@export GOFLAGS="$$(go env GOFLAGS) -short -vet=off -skip=^mutate$$$$\$$"; for package in $(MUTATE); do \
		case $$package in internal/engine) scope="--integration --coverpkg ./$$package --timeout-coefficient 3" ;; \
		*) scope="--timeout-coefficient 30" ;; esac; \
		echo "== $$package"; \
		bin/gremlins unleash --invert-logical --invert-loopctrl --exclude-files policytest $$scope --threshold-efficacy 95 \
			--output-statuses lts $(MUTATEFLAGS) ./$$package || failed="$$failed $$package"; \
	done; \
	if [ -n "$$failed" ]; then echo "$@: FAILED in$$failed" >&2; exit 1; fi

.PHONY: cover
cover: ## Print the statement coverage of every module.
	$(call each,go test -timeout $(TESTTIMEOUT) -coverpkg=./... -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -n 1)

.PHONY: way
way: ## Print how many functions and files a Set, a Get and a GetOrLoad pass through (WAYFLAGS=-v: their names).
	@go run -C internal/tools ./way $(WAYFLAGS) "$(CURDIR)"

# The + runs the tool under make -n too: it shows the steps, and changes nothing.
.PHONY: release
release: ## Set VERSION=v1.2.3 everywhere, run all checks, commit, and tag every module. DRY=1 or make -n shows the steps.
	+@go run -C internal/tools ./release -root "$(CURDIR)" tag \
		$(if $(DRY)$(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),-n) -checks '$(RELEASECHECKS)' $(VERSION)

.PHONY: release-check
release-check: ## Pack every module as it would be released, and use it in an empty module without replace (RELEASEFLAGS=-as-is: as it is).
	@go run -C internal/tools ./release -root "$(CURDIR)" check $(RELEASEFLAGS)

.PHONY: api-check
api-check: ## Print the changes of the API since the last tag (VERSION=v1.2.3: fail if it must not have them).
	@go run -C internal/tools ./release -root "$(CURDIR)" api $(if $(VERSION),-next $(VERSION))

.PHONY: clean
clean: ## Remove the output of the other targets.
	rm -rf bin
	@find . -name coverage.out -exec rm {} +

# Tools come from a module of their own, so that their dependencies are nobody
# else's. They are built, because `go tool` runs only in the module that has it.
bin/golangci-lint: internal/tools/go.mod
	go build -C internal/tools -buildvcs=false -o "$(BIN)/" github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/gremlins: internal/tools/go.mod
	go build -C internal/tools -buildvcs=false -o "$(BIN)/" github.com/go-gremlins/gremlins/cmd/gremlins

.PHONY: bin/matrix bin/compare bin/ycsb
bin/matrix bin/compare bin/ycsb:
	@go build -C internal/bench -buildvcs=false -o "$(BIN)/" ./cmd/$(@F)

.PHONY: bin/benchratio
bin/benchratio:
	@go build -C internal/tools -buildvcs=false -o "$(BIN)/" ./benchratio
