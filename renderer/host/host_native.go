//go:build !wasip1

package host

import (
	"os"
	"path/filepath"
)

// Root is the directory that stands for the repository in Go's own tests.
var Root = "."

// Read returns a file's bytes; false where there is no such file.
func Read(name string) ([]byte, bool, error) {
	clean, err := Clean(name)
	if err != nil {
		return nil, false, err
	}
	data, err := os.ReadFile(filepath.Join(Root, clean))
	if err != nil {
		return nil, false, nil //nolint:nilerr // a directory and an absent file are alike here
	}
	return data, true, nil
}

// List returns a directory's entries in name order; false where there is no such directory.
func List(name string) ([]Entry, bool, error) {
	clean, err := Clean(name)
	if err != nil {
		return nil, false, err
	}
	found, err := os.ReadDir(filepath.Join(Root, clean))
	if err != nil {
		return nil, false, nil //nolint:nilerr // as Read
	}
	entries := make([]Entry, 0, len(found))
	for _, e := range found {
		kind := "file"
		if e.IsDir() {
			kind = "dir"
		}
		entries = append(entries, Entry{Name: e.Name(), Type: kind})
	}
	return entries, true, nil
}

// Stat says what is at a path.
func Stat(name string) (Kind, error) {
	clean, err := Clean(name)
	if err != nil {
		return Absent, err
	}
	found, err := os.Stat(filepath.Join(Root, clean))
	if err != nil {
		return Absent, nil //nolint:nilerr // as Read
	}
	if found.IsDir() {
		return Dir, nil
	}
	return File, nil
}
