// Command renderer is the WASI reactor that the hub's worker threads run: Helm's engine, kustomize
// and Go templates behind two exported functions. It sees no file system, network or real clock;
// files come from the host function in package host, and time and randomness from the caller.
package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/helm"
	"muster.dev/renderer/kustomize"
)

// operation answers one request (JSON) with one response that is marshalled as JSON.
type operation func(request []byte) (any, error)

// operations is everything that `call` can do; a new one is one line here.
var operations = map[string]operation{
	"helm":      helm.Render,
	"kustomize": kustomize.Render,
}

type envelope struct {
	Op      string          `json:"op"`
	Request json.RawMessage `json:"request"`
}

type answer struct {
	Ok    any          `json:"ok,omitempty"`
	Error *fault.Fault `json:"error,omitempty"`
}

func dispatch(body []byte) []byte {
	result, err := run(body)
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

func run(body []byte) (result any, err error) {
	// A panic must not end the instance with a Go trace as the only explanation.
	defer func() {
		if r := recover(); r != nil {
			err = &fault.Fault{Code: fault.Internal, Message: fmt.Sprintf("the renderer panicked: %v", r)}
		}
	}()
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	op, ok := operations[e.Op]
	if !ok {
		return nil, errors.New("no operation named " + e.Op)
	}
	return op(e.Request)
}

func main() {}
