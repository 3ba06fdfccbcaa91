// Package output is what a render gives back: Kubernetes objects as JSON, in order, each with its source.
package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"muster.dev/renderer/fault"
	"sigs.k8s.io/yaml"
)

// Object is one rendered Kubernetes object and the template or kustomization it came from.
type Object struct {
	File   string          `json:"file"`
	Object json.RawMessage `json:"object"`
}

// Result is the response to a helm or kustomize request.
type Result struct {
	Objects []Object `json:"objects"`
	// Capabilities says whether the cluster's version or API versions were asked for.
	Capabilities bool `json:"capabilities"`
}

var separator = regexp.MustCompile(`(?m)^---[ \t]*(#.*)?$`)

// Append reads a YAML stream as Kubernetes does and adds its objects; a List becomes its items.
func (r *Result) Append(file, stream string) error {
	for _, document := range separator.Split(stream, -1) {
		if strings.TrimSpace(document) == "" {
			continue
		}
		converted, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			return yamlFault(file, err)
		}
		if err := r.AppendJSON(file, converted); err != nil {
			return err
		}
	}
	return nil
}

// AppendJSON adds one object; a List becomes its items, null nothing.
func (r *Result) AppendJSON(file string, document json.RawMessage) error {
	document = bytes.TrimSpace(document)
	if len(document) == 0 || bytes.Equal(document, []byte("null")) {
		return nil
	}
	if document[0] != '{' {
		return NotAnObject(file, document)
	}
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	// Anything with an array of items is a list, as Kubernetes' own client reads it.
	if bytes.Contains(document, []byte(`"items"`)) && json.Unmarshal(document, &list) == nil && list.Items != nil {
		for _, item := range list.Items {
			if err := r.AppendJSON(file, item); err != nil {
				return err
			}
		}
		return nil
	}
	r.Objects = append(r.Objects, Object{File: file, Object: document})
	return nil
}

// NotAnObject says of a JSON document that is neither an object nor null what it is.
func NotAnObject(file string, document json.RawMessage) error {
	return &fault.Fault{Code: fault.Invalid, File: file, Message: "a rendered document is not a Kubernetes object but " + describe(document[0])}
}

func describe(first byte) string {
	switch first {
	case '[':
		return "a list"
	case '"':
		return "a string"
	default:
		return "a scalar"
	}
}

var lineOf = regexp.MustCompile(`line (\d+)`)

// yamlFault says that what a template produced is not YAML; the line is one of the rendered text.
func yamlFault(file string, err error) error {
	message := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	return &fault.Fault{Code: fault.Invalid, File: file, Line: lineIn(message), Message: fmt.Sprintf("what %s renders to is not YAML: %s", file, message)}
}

func lineIn(message string) int {
	if found := lineOf.FindStringSubmatch(message); found != nil {
		line, _ := strconv.Atoi(found[1])
		return line
	}
	return 0
}
