// Package archtest holds the plan of the house as a test: which room may
// import which, and what no room may do, each rule with its reason.
//
// It reads source files, imports nothing of the product and knows nothing of
// what the rooms do. A rule that turns out wrong is changed in rules_test.go
// together with a decision record in docs/adr that says why.
package archtest
