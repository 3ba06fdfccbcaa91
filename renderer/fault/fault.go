// Package fault is the renderer's one error shape: what the caller shows, with the place it happened.
package fault

import "errors"

// The codes are @muster/base's ErrorCode values.
const (
	Invalid     = "invalid"
	NotFound    = "not-found"
	Limit       = "limit"
	Unsupported = "unsupported"
	Internal    = "internal"
)

// Fault is an error with a stable code and, where known, the file (repository-root-relative) and line.
type Fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func (f *Fault) Error() string { return f.Message }

// From keeps a Fault found anywhere in err's chain and calls everything else invalid input.
func From(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Code: Invalid, Message: err.Error()}
}
