package main

import (
	"io"
	"log"
	"log/slog"
	_ "time/tzdata" // dateInZone in templates; there is no file system to find zones in
	"unsafe"
)

// Both buffers are globals so that the garbage collector keeps them between the host's calls.
var (
	input  []byte
	output []byte
)

func init() {
	// A logger that is on reads the clock for each record, and a render would seem to depend on it.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	log.SetOutput(io.Discard)
	log.SetFlags(0)
}

// alloc returns the address of a buffer of size bytes, into which the host writes the request.
//
//go:wasmexport muster_alloc
func alloc(size int32) int32 {
	input = make([]byte, size)
	return int32(uintptr(unsafe.Pointer(unsafe.SliceData(input))))
}

// call answers the request in the buffer, whose first bytes name the operation; the result is the
// response's address << 32 | its length.
//
//go:wasmexport muster_call
func call(nameLength int32) int64 {
	request := input
	input = nil
	output = dispatch(string(request[:nameLength]), request[nameLength:])
	return int64(uintptr(unsafe.Pointer(unsafe.SliceData(output))))<<32 | int64(len(output))
}

// grow gives the module more memory, as the instruction memory.grow does, whose place the host puts it in:
// so the host knows how much of the memory is in use, and may give the same again after it was put back.
//
//go:wasmimport muster grow
func grow(pages int32) int32

// reserved tells the host how much memory Go believes to have, in pages of 64 KiB.
//
//go:wasmexport muster_reserved
func reserved() int32 { return grow(0) }

// writableStart is where read-only memory ends; module data, variables and the heap follow.
func writableStart() uintptr

// writable tells the host from which address on memory can have changed since the module was loaded.
//
//go:wasmexport muster_writable
func writable() int32 { return int32(writableStart()) }
