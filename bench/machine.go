package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Machine is what figures depend on beside the product. What a system does not tell stays empty or "unknown".
type Machine struct {
	Rolecall             string `json:"rolecall"`
	CPU                  string `json:"cpu"`
	Cores                int    `json:"cores"`
	System               string `json:"system"`
	Kernel               string `json:"kernel"`
	Go                   string `json:"go"`
	FileSystem           string `json:"file_system"`
	Load                 string `json:"load"`
	SQLite               string `json:"sqlite"`
	SQLiteDurability     string `json:"sqlite_durability"`
	PostgreSQL           string `json:"postgresql,omitempty"`
	PostgreSQLDurability string `json:"postgresql_durability,omitempty"`
}

func (b *bench) machine(ctx context.Context) Machine {
	m := Machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel: strings.TrimSpace(content("/proc/sys/kernel/osrelease")), Go: runtime.Version(),
		FileSystem: fileSystem(b.folder), Load: strings.TrimSpace(content("/proc/loadavg")),
		SQLiteDurability: "WAL, synchronous FULL",
	}
	var version struct{ Version string }
	if out, err := exec.CommandContext(ctx, b.binary, "version", "--json").Output(); err == nil {
		_ = json.Unmarshal(out, &version) // then it stays empty
	}
	m.Rolecall = version.Version
	if db, err := sql.Open("sqlite", ":memory:"); err == nil {
		_ = db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&m.SQLite)
		db.Close()
	}
	if b.postgres == nil {
		return m
	}
	if conn, err := pgx.Connect(ctx, b.postgres.server.URL()); err == nil {
		_ = conn.QueryRow(ctx, `SELECT current_setting('server_version'),
			'fsync ' || current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')`).
			Scan(&m.PostgreSQL, &m.PostgreSQLDurability)
		_ = conn.Close(ctx)
	}
	return m
}

func content(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return string(b)
}

// field finds "name : value" in a file.
func field(path, name string) string {
	lines := bufio.NewScanner(strings.NewReader(content(path)))
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// fileSystem is the type of what is mounted nearest above a folder.
func fileSystem(folder string) string {
	found, depth := "unknown", 0
	lines := bufio.NewScanner(strings.NewReader(content("/proc/self/mounts")))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 3 {
			continue
		}
		at := strings.TrimSuffix(words[1], "/") + "/"
		if strings.HasPrefix(folder+"/", at) && len(at) >= depth {
			found, depth = words[2], len(at)
		}
	}
	return found
}
