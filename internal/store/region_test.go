package store_test

import (
	"go/ast"
	"slices"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/store"
)

// forgettable are the tables that neither decisions nor the answers to API keys are made of.
var forgettable = []string{
	"event_places", "events", "goose_db_version", "jobs", "operator_invitations", "operator_sessions", "operators",
	"organization_domains", "receipts", "replicas", "resource_type_parents", "resource_types", "sqlite_sequence", "users",
	"webhook_attempts", "webhook_deliveries", "webhook_endpoints", "webhook_replays",
}

// schema is the tables of a new database, and for each those whose rows go with its own.
func schema(t *testing.T) map[string][]string {
	t.Helper()
	db := newSQLite(t)
	rows, err := db.Query(`
		SELECT m.name, coalesce(f."table", '') FROM sqlite_schema m
		LEFT JOIN pragma_foreign_key_list(m.name) f ON f.on_delete = 'CASCADE' WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	followers := map[string][]string{}
	for rows.Next() {
		var table, parent string
		if err := rows.Scan(&table, &parent); err != nil {
			t.Fatal(err)
		}
		followers[table] = append(followers[table], nil...)
		followers[parent] = append(followers[parent], table)
	}
	delete(followers, "")
	if err := rows.Err(); err != nil || len(followers) < 20 {
		t.Fatalf("reading the schema: %d tables, %v", len(followers), err)
	}
	return followers
}

// Whoever adds a table says whether memory is made of it; nothing that it is made of changes through a table that it is
// not made of.
func TestEveryTableIsRememberedOrForgettable(t *testing.T) {
	for table, followers := range schema(t) {
		if store.Remembered(table) == slices.Contains(forgettable, table) {
			t.Errorf("%s must be one of the tables that are remembered or of those that need not be, and not of both", table)
		}
		for _, f := range followers {
			if store.Remembered(f) && !store.Remembered(table) {
				t.Errorf("rows of %s go with those of %s, whose writers name no regions", f, table)
			}
		}
	}
}

// A statement that names no regions cannot write what is remembered, in whatever way it is written.
func TestNoWriteWithoutRegions(t *testing.T) {
	tables := schema(t)
	s := open(t, databases["sqlite"](t))
	try := func(statement string, in ...fresh.Region) (refused bool) {
		t.Helper()
		err := s.Update(t.Context(), func(tx authz.Tx) error {
			if len(in) > 0 {
				return store.Alter(tx, in, statement)
			}
			return store.Exec(tx, statement)
		})
		return err != nil
	}
	for table := range tables {
		if statement := "DELETE FROM " + table + " WHERE 1 = 0"; try(statement) != store.Remembered(table) {
			t.Errorf("%q without regions: refused: %v", statement, !store.Remembered(table))
		}
	}
	somewhere := fresh.Region{Kind: fresh.Environment, ID: "e"}
	for _, statement := range []string{
		"UPDATE roles SET name = name", "\n\t\tUPDATE roles\n\tSET name = name", "INSERT INTO role_order(place) SELECT 1 WHERE 1 = 0",
		"DELETE FROM roles",
	} {
		if !try(statement) || try(statement, somewhere) {
			t.Errorf("%q must be refused without regions, and only then", statement)
		}
	}
	for _, statement := range []string{
		`UPDATE "roles" SET name = name`, "update roles SET name = name", "UPDATE OR IGNORE roles SET name = name",
		"DELETE FROM main.roles", "REPLACE INTO roles (id) VALUES ('r')", "WITH x AS (SELECT 1) UPDATE roles SET name = name",
		"/* */ UPDATE roles SET name = name",
	} {
		if !try(statement) || !try(statement, somewhere) {
			t.Errorf("%q: nobody can tell what it writes, and it ran", statement)
		}
	}
	if !try("UPDATE roles SET name = name", fresh.Region{Kind: fresh.Organization}) {
		t.Error("a region of nothing was taken for one")
	}
	if !try("UPDATE users SET name = name", somewhere) {
		t.Error("users are not remembered, and were given a region")
	}
}

// talkers are the functions that hand statements to a driver themselves, with what keeps them from writing what is
// remembered.
var talkers = map[string]string{
	"remove":    "writes replicas alone, as do join and renew",
	"join":      "writes replicas",
	"renew":     "writes replicas",
	"number":    "only reads",
	"exchange":  "notifies, and writes replicas",
	"sweep":     "only reads",
	"prepare":   "names a connection, and listens",
	"announce":  "only reads",
	"prepared":  "runs for run and query",
	"run":       "is called by exec and alter, which look at the statement",
	"query":     "looks at the statement",
	"checkFile": "reads and writes the header of a file that nobody serves yet",
	"KeyByHash": "only reads",
	"Parcel":    "only reads",
	"lookup":    "runs the texts of the loaders on the pool that readers use",

	"takePart": "begins a transaction or a savepoint", "leave": "releases it", "takeBack": "rolls it back", "abandon": "rolls back", "commitAll": "commits",

	"statement": "prepares for the next two", "ExecContext": "is the driver", "QueryContext": "is the driver",
}

// By construction no statement gets to a driver but through exec, alter, one and all.
func TestNobodyTalksPastTheGuard(t *testing.T) {
	set, files := sources(t)
	for _, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || talkers[f.Name.Name] != "" {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				switch call.Sel.Name {
				case "Exec", "ExecContext", "Query", "QueryContext", "QueryRow", "QueryRowContext", "Prepare", "PrepareContext":
					t.Errorf("%s: %s talks to the driver itself: use exec or alter, one or all, or say here why it changes nothing that is remembered",
						set.Position(call.Pos()), f.Name.Name)
				}
				return true
			})
		}
	}
}
