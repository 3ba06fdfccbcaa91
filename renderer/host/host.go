// Package host is the renderer's only way to files: the repository as the caller presents it.
// Paths are relative to the repository's root, with forward slashes; "." is the root.
package host

import (
	"path"
	"strings"

	"muster.dev/renderer/fault"
)

// Entry is one member of a directory.
type Entry struct {
	Name string `json:"name"`
	// Type is file, dir or symlink.
	Type string `json:"type"`
}

// Kind says what a path is.
type Kind int

// What a path can be; a symbolic link is what it leads to.
const (
	Absent Kind = iota
	File
	Dir
)

// Clean makes a path root-relative and refuses one that leads out of the repository.
func Clean(p string) (string, error) {
	clean := path.Clean(strings.TrimLeft(p, "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", &fault.Fault{Code: fault.Invalid, Message: "path " + p + " leads out of the repository"}
	}
	return clean, nil
}
