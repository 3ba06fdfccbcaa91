package host

import (
	"encoding/json"
	"unsafe"

	"muster.dev/renderer/fault"
)

// open asks for a file (kind 0), a directory listing (1) or what a path is (2: one byte, a Kind). The result is the answer's
// size, -1 for absent, or -2 - size for an error whose JSON Fault is then taken like an answer.
//
//go:wasmimport muster open
func open(kind int32, path unsafe.Pointer, length int32) int32

// take copies the answer of the last open to the address.
//
//go:wasmimport muster take
func take(into unsafe.Pointer)

const (
	kindFile = 0
	kindDir  = 1
	kindStat = 2
)

func ask(kind int32, name string) ([]byte, bool, error) {
	clean, err := Clean(name)
	if err != nil {
		return nil, false, err
	}
	size := open(kind, unsafe.Pointer(unsafe.StringData(clean)), int32(len(clean)))
	if size == -1 {
		return nil, false, nil
	}
	failed := size <= -2
	if failed {
		size = -2 - size
	}
	answer := make([]byte, size)
	if size > 0 {
		take(unsafe.Pointer(unsafe.SliceData(answer)))
	}
	if !failed {
		return answer, true, nil
	}
	f := &fault.Fault{}
	if err := json.Unmarshal(answer, f); err != nil {
		return nil, false, err
	}
	return nil, false, f
}

// Read returns a file's bytes; false where there is no such file.
func Read(name string) ([]byte, bool, error) { return ask(kindFile, name) }

// List returns a directory's entries in name order; false where there is no such directory.
func List(name string) ([]Entry, bool, error) {
	answer, ok, err := ask(kindDir, name)
	if !ok || err != nil {
		return nil, false, err
	}
	var entries []Entry
	return entries, true, json.Unmarshal(answer, &entries)
}

// Stat says what is at a path.
func Stat(name string) (Kind, error) {
	answer, ok, err := ask(kindStat, name)
	if !ok || err != nil {
		return Absent, err
	}
	return Kind(answer[0]), nil
}
