// Command renderer is the WASI reactor that the hub's worker threads run: Helm's engine, kustomize
// and Go templates behind two exported functions. It sees no file system, network or real clock;
// files come from the host function in package host, and time and randomness from the caller.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/gotmpl"
	"muster.dev/renderer/helm"
	"muster.dev/renderer/kustomize"
)

// operation answers one request (JSON) with one response that is marshalled as JSON.
type operation func(request []byte) (any, error)

// settle prepares a snapshot: no garbage, and a collector that small renders never wake and that becomes eager near the limit.
func settle(request []byte) (any, error) {
	var limits struct {
		MemoryMb int64 `json:"memoryMb"`
	}
	if err := json.Unmarshal(request, &limits); err != nil {
		return nil, err
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit((limits.MemoryMb - 48) << 20 / 4 * 3)
	runtime.GC()
	runtime.GC()
	return true, nil
}

// operations is everything that `call` can do; a new one is one line here.
var operations = map[string]operation{
	"gotmpl":    templates,
	"helm":      helm.Render,
	"kustomize": kustomize.Render,
	"settle":    settle,
}

func templates(request []byte) (any, error) {
	result, err := gotmpl.Call(request)
	return json.RawMessage(result), err
}

type answer struct {
	Ok    any          `json:"ok,omitempty"`
	Error *fault.Fault `json:"error,omitempty"`
}

// dispatch answers one request; what comes out is always an answer as JSON.
func dispatch(name string, request []byte) []byte {
	result, err := run(name, request)
	reply := answer{Ok: result}
	if err != nil {
		reply = answer{Error: fault.From(err)}
	}
	out, err := json.Marshal(reply)
	if err != nil {
		out, _ = json.Marshal(answer{Error: fault.From(fmt.Errorf("the response is not JSON: %w", err))})
	}
	return out
}

func run(name string, request []byte) (result any, err error) {
	// A panic must not end the instance with a Go trace as the only explanation.
	defer func() {
		if r := recover(); r != nil {
			err = &fault.Fault{Code: fault.Internal, Message: fmt.Sprintf("the renderer panicked: %v", r)}
		}
	}()
	op, ok := operations[name]
	if !ok {
		return nil, errors.New("no operation named " + name)
	}
	return op(request)
}

func main() {}
