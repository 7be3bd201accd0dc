# Weft's tasks. A machine with Go, Node and make is enough; no target needs root. Tests that need more (Chromium, qemu,
# PyTorch, reference data) are skipped with a line that says what is missing; WEFT_REQUIRE makes such a skip a failure.

GO        ?= go
NODE      ?= node
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
WASM_EXEC  = $(CURDIR)/wasm/exec/go_js_wasm_exec

# Modules inside the repository that the root module's ./... does not reach. demo/ebiten is another one: it is vetted for targets
# that need no C compiler.
NESTED = wasm/_kernelc simd/_wasmtest simd/_asm demo/web/_browsertest

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Build the page, and the window as a page, and serve them at http://localhost:8080/ (PORT=... chooses another port)
	@test -d build/web || echo "building the page and the window: a minute or two the first time"
	$(GO) run ./demo/web/mksite -o build/web -window
	@mkdir -p build && $(GO) build -o build/serve ./demo/web/serve
	exec build/serve -dir build/web

.PHONY: serve
serve: ## Serve the LeNet that comes along at http://localhost:8080/ (PORT=...; MODEL=FILE.onnx or NAME=FILE.onnx another model)
	@mkdir -p build && $(GO) build -o build/ ./native/weft
	exec build/weft serve $${MODEL:-lenet=models/lenet/weights/mnist.onnx} --addr localhost:$${PORT:-8080}

.PHONY: window
window: ## Build the window and open it (WINDOWARGS="--data mnist"; Linux: needs gcc and X11's headers, see README.md)
	@mkdir -p build
	cd demo/ebiten && $(GO) build -o $(CURDIR)/build/window .
	exec build/window $(WINDOWARGS)

.PHONY: worker
worker: ## Build the Worker into build/worker, as "wrangler deploy" takes it, and print what it weighs
	$(GO) run ./demo/worker/mkworker -o build/worker

.PHONY: build
build: ## Build the command line and the page into build/, the npm package into js/dist (its types where there is npm)
	@mkdir -p build
	$(GO) build -o build/ ./native/weft
	$(GO) run ./demo/web/mksite -o build/web
	$(GO) run ./js/mkpkg -types=$$(command -v npm >/dev/null && echo true || echo false)

.PHONY: test
test: test-native test-noasm test-arm64 test-wasm test-js test-browser test-window test-worker ## Run every test

.PHONY: test-native
test-native: ## Test on this machine, with its fastest kernels
	$(GO) test ./...
	cd simd/_wasmtest && $(GO) test ./...
	cd wasm/_kernelc && $(GO) test ./...

.PHONY: test-noasm
test-noasm: ## Test the kernels and what stands on them without assembly
	$(GO) test -tags noasm ./simd/... ./core/... ./models/lenet

.PHONY: test-arm64
test-arm64: ## Test the arm64 kernels under qemu-user
	@if [ "$$($(GO) env GOARCH)" = arm64 ]; then \
		echo "arm64 is this machine: test-native has run its kernels"; \
	elif command -v qemu-aarch64-static >/dev/null; then \
		GOARCH=arm64 CGO_ENABLED=0 $(GO) test -short -timeout 30m -exec qemu-aarch64-static ./simd/... && \
		GOARCH=arm64 CGO_ENABLED=0 $(GO) test -exec qemu-aarch64-static -run TestSameFileEverywhere ./models/lenet; \
	elif echo ",$$WEFT_REQUIRE," | grep -q ,qemu,; then \
		echo "WEFT_REQUIRE=qemu: qemu-aarch64-static is not installed (Debian package qemu-user-static)" >&2; exit 1; \
	else \
		echo "skipped: test-arm64 needs qemu-aarch64-static (Debian package qemu-user-static)"; \
	fi

# WEFT_REQUIRE is about what a program can reach outside; under Node a test reaches no browser, PyTorch or emulator.
.PHONY: test-wasm
test-wasm: ## Test core, kernels, models and the server as WebAssembly under Node, with the kernel module on their memory
	WEFT_REQUIRE= GOOS=js GOARCH=wasm WEFT_KERNELS=simd128 $(GO) test -exec "$(WASM_EXEC)" ./simd && \
	WEFT_REQUIRE= GOOS=js GOARCH=wasm $(GO) test -exec "$(WASM_EXEC)" ./core/... && \
	WEFT_REQUIRE= GOOS=js GOARCH=wasm $(GO) test -short -exec "$(WASM_EXEC)" ./native/serve/... && \
	flag=--experimental-wasm-relaxed-simd; $(NODE) $$flag -e 0 2>/dev/null || flag=; \
	WEFT_REQUIRE= GOOS=js GOARCH=wasm WEFT_KERNELS=relaxed WEFT_NODE_FLAGS=$$flag $(GO) test -short -exec "$(WASM_EXEC)" ./simd && \
	WEFT_REQUIRE= GOOS=js GOARCH=wasm $(GO) test -exec "$(WASM_EXEC)" -run TestSameCurveEverywhere ./models/lenet && \
	WEFT_REQUIRE= GOOS=js GOARCH=wasm WEFT_THREADS=2 $(GO) test -exec "$(WASM_EXEC)" -run 'TestModule|TestSameFileEverywhere' ./core/compile ./models/lenet

.PHONY: test-js
test-js: ## Test the npm package under Node
	@if command -v npm >/dev/null && command -v $(NODE) >/dev/null; then \
		$(GO) run ./js/mkpkg -tests && (cd js && npm run --silent check && $(NODE) --test test/out/); \
	elif echo ",$$WEFT_REQUIRE," | grep -q ,node,; then \
		echo "WEFT_REQUIRE=node: node and npm are not installed (Debian packages nodejs and npm)" >&2; exit 1; \
	else \
		echo "skipped: test-js needs node and npm (Debian packages nodejs and npm)"; \
	fi

.PHONY: test-browser
test-browser: ## Test the page, the window's and the server's, and the kernels, in a headless Chromium
	cd demo/web/_browsertest && $(GO) test -timeout 60m -v ./...

# What Ebitengine's C part includes on Linux; elsewhere it has none.
WINDOW_HEADERS = GL/glx.h X11/Xcursor/Xcursor.h X11/extensions/Xrandr.h X11/extensions/Xinerama.h X11/extensions/XInput2.h X11/extensions/xf86vmode.h

# Under the race detector, checkptr takes the kernels' way to keep pointers from escaping for a mistake.
.PHONY: test-window
test-window: ## Test the window's parts, and the window itself under an X server without a screen
	cd demo/ebiten && $(GO) test ./ui ./pen ./net ./learn ./scene
	@if [ "$$($(GO) env GOOS)" != linux ] || printf '#include <%s>\n' X11/Xlib.h $(WINDOW_HEADERS) | gcc -E -o /dev/null - 2>/dev/null; then \
		cd demo/ebiten && $(GO) test -race -gcflags=all=-d=checkptr=0 ./learn && $(GO) test -v ./windowtest; \
	elif echo ",$$WEFT_REQUIRE," | grep -q ,x11,; then \
		echo "WEFT_REQUIRE=x11: gcc or the headers of X11 and OpenGL are not installed (README.md lists the Debian packages)" >&2; exit 1; \
	else \
		echo "skipped: the window needs gcc and the headers of X11 and OpenGL (README.md lists the Debian packages)"; \
	fi

.PHONY: test-worker
test-worker: ## Test the Worker in workerd (test-native has done so; here it says why not)
	@if [ -d demo/worker/node_modules/miniflare ] && command -v $(NODE) >/dev/null; then \
		$(GO) test ./demo/worker/...; \
	elif echo ",$$WEFT_REQUIRE," | grep -q ,workerd,; then \
		echo "WEFT_REQUIRE=workerd: workerd is not installed; run npm ci in demo/worker" >&2; exit 1; \
	else \
		echo "skipped: test-worker needs workerd: run npm ci in demo/worker"; \
	fi

.PHONY: check
check: ## Formatting, vet for every target, and that generated files are up to date
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt these files:"; echo "$$bad"; exit 1; fi
	GOARCH=amd64 CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./simd/... ./core/... ./models/... ./wasm/... ./demo/... ./native/serve/...
	$(GO) vet -tags noasm ./...
	@set -e; for m in $(NESTED); do echo "vet $$m"; (cd $$m && $(GO) vet ./...); done
	cd demo/ebiten && GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) vet ./... && GOOS=js GOARCH=wasm $(GO) vet ./...
	$(MAKE) generate
	git diff --exit-code

.PHONY: generate
generate: ## Write the generated files: coefficients, instructions, browser kernels, amd64 and arm64 kernels, tables
	cd simd/_asm && $(GO) run ./coef > ../vecmath_coef.go.new && mv ../vecmath_coef.go.new ../vecmath_coef.go
	$(GO) test -count=1 -run TestGenerate ./simd/wasmasm -generate
	$(GO) test -count=1 -run TestGenerate ./simd/internal/vecir -generate
	$(GO) test -count=1 -run TestGenerate ./simd/wasmkernels -generate
	cd simd/_asm && $(GO) run ./gemm -dir .. && $(GO) run ./neon -dir .. && $(GO) run ./vec -dir ..
	$(GO) generate ./...

.PHONY: bench
bench: ## Benchmark the kernels, the core and the server
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) ./simd/... ./core/... ./native/serve

.PHONY: bench-wasm
bench-wasm: ## Benchmark programs as WebAssembly under Node, without JavaScript in between (BENCHARGS="--only sgemm"; WEFT_THREADS=2 for threads)
	flag=--experimental-wasm-relaxed-simd; $(NODE) $$flag -e 0 2>/dev/null || flag=; \
	GOOS=js GOARCH=wasm WEFT_NODE_FLAGS=$$flag $(GO) run -exec "$(WASM_EXEC)" ./native/weft bench --threads $${WEFT_THREADS:-1} $(BENCHARGS)

.PHONY: peers-adapter
peers-adapter: ## Build js/dist with peers-adapter.mjs and lenet-page.mjs, Weft's part in a comparison of browser runtimes
	$(GO) run ./js/mkpkg -types=false -bench

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME
	@set -e; for p in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		for f in $$($(GO) test -list '^Fuzz' ./$$p | grep '^Fuzz'); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) ./$$p; \
		done; \
	done

.PHONY: exhaustive
exhaustive: ## Run the tests that take hours (every float32, long sweeps)
	WEFT_EXHAUSTIVE=1 $(GO) test -timeout 300m ./simd/... ./core/...

.PHONY: size
size: ## Print what the page and the window's page weigh; fails over their budgets
	$(GO) run ./demo/web/mksite -o build/web -window -size

.PHONY: clean
clean: ## Remove what the other targets built
	rm -rf build dist js/dist js/test/out
