# Targets for working on Rolecall. "run" and "build" need nothing but Go; the
# others say what else they need.

.DEFAULT_GOAL := help
.PHONY: help run build test check lint bench fuzz openapi

staticcheck := go tool -modfile=tools/go.mod staticcheck

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start Rolecall with demo data, kept in .rolecall/demo.db
	@mkdir -p .rolecall
	go run ./cmd/rolecall serve --demo --database sqlite:.rolecall/demo.db

build: ## build the static binary bin/rolecall
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/rolecall ./cmd/rolecall

test: ## run every test, then list by name what could not be run
	@scripts/test-deps
	@scripts/test

check: build lint ## what every change must pass: build, lint, plan of the house, short tests
	go test ./internal/archtest
	go test -short ./...

lint: ## go vet and staticcheck
	go vet ./...
	$(staticcheck) ./...

bench: ## measure
	go run ./bench

fuzz: ## run each fuzz target for FUZZTIME (20s)
	@scripts/fuzz

openapi: ## write docs/openapi.yaml anew from the routes
	ROLECALL_UPDATE=1 go test ./internal/api -count=1 -run TestOpenAPIDocument
