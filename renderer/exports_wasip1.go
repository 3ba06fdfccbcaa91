package main

import (
	"io"
	"log"
	"log/slog"
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

// call answers the request in the buffer; the result is the response's address << 32 | its length.
//
//go:wasmexport muster_call
func call() int64 {
	output = dispatch(input)
	input = nil
	return int64(uintptr(unsafe.Pointer(unsafe.SliceData(output))))<<32 | int64(len(output))
}
